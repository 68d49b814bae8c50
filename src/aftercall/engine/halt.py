"""The one switch that stops a run, and why it was thrown."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from aftercall.errors import AftercallError

log = logging.getLogger("aftercall")

T = TypeVar("T")


class Stopped(Exception):
    """The switch is thrown: what was asked for did not begin, or was given up."""


class Halt:
    """Once thrown, nothing new leaves; what is under way is finished and stored."""

    def __init__(self) -> None:
        self.reason: AftercallError | None = None
        self._thrown = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def throw(self, reason: AftercallError) -> None:
        """Stop the run; the first reason is the one that counts."""
        if self.reason is None:
            self.reason = reason
            log.info("stopping: %s", reason.message)
            self._thrown.set()
            for listener in self._listeners:
                listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called when the switch is thrown."""
        self._listeners.append(listener)

    @property
    def thrown(self) -> bool:
        """Whether the run is stopping."""
        return self.reason is not None

    async def wait_thrown(self) -> None:
        """Wait until the switch is thrown."""
        await self._thrown.wait()

    async def unless_thrown(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` returns, which is cancelled when the switch is thrown.

        Raises:
            Stopped: the switch is thrown.
        """
        task, stop = asyncio.ensure_future(work), asyncio.ensure_future(self.wait_thrown())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Stopped
            return task.result()
        finally:
            stop.cancel()
            task.cancel()
            # What it raises besides is taken here: nobody else will ask for it, and a task whose
            # failure was never asked for is printed as a traceback.
            await asyncio.gather(task, return_exceptions=True)
