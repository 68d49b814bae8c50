"""Stopping a run by signals: in order the first time, at once the second time."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from aftercall.interfaces.cli.failures import INTERRUPTED
from aftercall.interfaces.cli.program import typed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN = {signal.SIGINT: "press Ctrl-C again to stop at once"}


class Stopper:
    """Turns signals into an orderly end.

    Attributes:
        asked: a signal has come.
    """

    def __init__(self, console: Console) -> None:
        self.asked = False
        self._stop: Callable[[], object] = lambda: None
        self._console = console

    def by(self, stop: Callable[[], object]) -> None:
        """Say how what is done from now on is stopped."""
        self._stop = stop
        if self.asked:
            stop()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals while the block runs."""
        loop = asyncio.get_running_loop()
        before = {one: signal.getsignal(one) for one in SIGNALS}
        # One that is ignored was meant to be: nohup, or a background job of a script.
        heard = [one for one, handler in before.items() if handler != signal.SIG_IGN]
        for one in heard:
            loop.add_signal_handler(one, self._hear, one)
        try:
            yield
        finally:
            for one in heard:
                loop.remove_signal_handler(one)
                signal.signal(one, before[one])

    def _hear(self, number: signal.Signals) -> None:
        if self.asked:
            self._end_at_once()
        self.asked = True
        again = AGAIN.get(number, "a second signal stops at once")
        self._console.print(f"stopping after what is under way; {again}", soft_wrap=True)
        self._stop()

    def _end_at_once(self) -> None:
        self._console.show_cursor()
        command = typed("aftercall resume")
        self._console.print(f"stopped at once; nothing is lost: {command}", soft_wrap=True)
        sys.stderr.flush()
        # Nothing is lost: what was settled is on disk, the rest is read back by the next run.
        os._exit(INTERRUPTED)
