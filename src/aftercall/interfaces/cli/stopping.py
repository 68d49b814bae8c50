"""Stopping a run by signals: in order the first time, at once the second time."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from aftercall.errors import Interrupted
from aftercall.interfaces.cli.failures import INTERRUPTED
from aftercall.wiring import Job

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN = {signal.SIGINT: "press Ctrl-C again to stop at once"}


class Stopper:
    """Turns signals into an orderly end of a job.

    Attributes:
        asked: a signal has come.
    """

    def __init__(self, job: Job, cancel: Callable[[], object], console: Console) -> None:
        self.asked = False
        self._job = job
        self._cancel = cancel
        self._console = console

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to signals while the block runs."""
        loop = asyncio.get_running_loop()
        # One that is ignored was meant to be: nohup, or a background job of a script.
        heard = [one for one in SIGNALS if signal.getsignal(one) != signal.SIG_IGN]
        for one in heard:
            loop.add_signal_handler(one, self._stop, one)
        try:
            yield
        finally:
            for one in heard:
                loop.remove_signal_handler(one)

    def _stop(self, number: signal.Signals) -> None:
        if self.asked:
            self._end_at_once()
        self.asked = True
        again = AGAIN.get(number, "a second signal stops at once")
        self._console.print(f"stopping after what is under way; {again}", soft_wrap=True)
        if self._job.run.progress.stage == "signing in":
            self._cancel()  # Nothing was read or sent yet, so there is nothing to finish.
        self._job.run.halt.throw(Interrupted("The run was stopped; what was begun is finished."))

    def _end_at_once(self) -> None:
        self._console.show_cursor()
        sys.stderr.flush()
        # Nothing is lost: what was settled is on disk, the rest is read back by the next run.
        os._exit(INTERRUPTED)
