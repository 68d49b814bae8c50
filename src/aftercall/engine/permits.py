"""Permits: how many requests may be in flight at once, over all campaigns."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

RESERVED_SHARE = 10
"""One in so many permits is kept for campaigns that have hardly a request in flight."""

ACTIVE_SECONDS = 60.0
"""A campaign that has sent nothing for so long needs no permit kept."""


@dataclass(eq=False, slots=True)
class Holder:
    """One campaign as it holds permits.

    Attributes:
        in_flight: how many it holds.
    """

    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    holder: Holder
    turn: "asyncio.Future[bool]"
    gives_way: bool


@dataclass(slots=True)
class Permits:
    """Hands permits out, first come first served, and keeps the last few for those who have few.

    A campaign whose answers take very long would otherwise hold all permits in the end, and
    every other campaign would wait for its answers. Where campaigns want about the same, none is
    kept back: then each has less than its share when its turn comes.

    Attributes:
        count: how many there are.
        free: how many of them nobody holds.
    """

    count: int
    free: int = field(init=False)
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _active: dict[Holder, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.free = self.count

    async def acquire(self, holder: Holder, now: float, *, gives_way: bool = False) -> bool:
        """Wait for a permit.

        Args:
            holder: who is to hold it.
            now: the time in seconds, on a clock that is never set back.
            gives_way: do not wait while those that are free are kept for others.

        Returns:
            Whether it is held; always, unless the holder gives way.
        """
        self._note(holder, now)
        if not self._waiting and self._may(holder):
            self._give(holder)
            return True
        waiting = _Waiting(holder, asyncio.get_running_loop().create_future(), gives_way)
        self._waiting.append(waiting)
        self._hand_out()
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif waiting.turn.done() and not waiting.turn.cancelled() and waiting.turn.result():
                self.release(holder)
            raise

    async def allowed(self, holder: Holder, now: float) -> None:
        """Wait until a permit is free that is not kept from the holder; none is held then."""
        if not self._may(holder):
            await self.acquire(holder, now)
            self.release(holder)

    def release(self, holder: Holder) -> None:
        """Give a permit back."""
        self.free += 1
        holder.in_flight -= 1
        self._hand_out()

    def _hand_out(self) -> None:
        """Give what is free to those who wait, in their order, as far as they may have it."""
        while self.free and self._waiting:
            first = next((one for one in self._waiting if self._may(one.holder)), None)
            if first is None:
                self._turn_away()
                return
            self._waiting.remove(first)
            if not first.turn.done():
                self._give(first.holder)
                first.turn.set_result(True)

    def _turn_away(self) -> None:
        """Tell those who give way that what is free is kept from them."""
        for one in [one for one in self._waiting if one.gives_way]:
            self._waiting.remove(one)
            if not one.turn.done():
                one.turn.set_result(False)

    def _give(self, holder: Holder) -> None:
        self.free -= 1
        holder.in_flight += 1

    def _may(self, holder: Holder) -> bool:
        """Say whether a campaign may have one of the permits that are free."""
        active = len(self._active)
        kept = min(active - 1, self.count // RESERVED_SHARE)
        return self.free > kept or (self.free > 0 and holder.in_flight * active < self.count)

    def _note(self, holder: Holder, now: float) -> None:
        """Note that a campaign is active, and forget those that are no longer."""
        self._active.pop(holder, None)
        self._active[holder] = now
        while (oldest := next(iter(self._active))) is not holder:
            if self._active[oldest] > now - ACTIVE_SECONDS or oldest.in_flight:
                break
            del self._active[oldest]
