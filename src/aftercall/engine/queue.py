"""The queue for the slots of the tenant as a whole: whoever has something to write goes first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Waiting:
    has_write: Callable[[], bool]
    turn: asyncio.Future[None]


class TenantQueue:
    """One campaign at a time takes the tenant's next slot.

    First in, first out would let the reads of all campaigns go before the first write, and what
    they had read would be too old by then to write over.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def turn(self, has_write: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait for a turn; `has_write` tells, whenever it is asked, whether a write waits."""
        if self._taken:
            waiting = _Waiting(has_write, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            try:
                await waiting.turn
            except asyncio.CancelledError:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)
                elif waiting.turn.done() and not waiting.turn.cancelled():
                    self._pass_on()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        self._taken = bool(self._waiting)
        if self._waiting:
            first = next((one for one in self._waiting if one.has_write()), self._waiting[0])
            self._waiting.remove(first)
            first.turn.set_result(None)
