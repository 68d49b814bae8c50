"""The slots of one campaign, or of the tenant as a whole: reserved in blocks, used in order."""

import asyncio
import math
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aftercall.domain.easing import Easing
from aftercall.domain.pacing import AHEAD_US_MAX, BEHIND_US_MAX, SECOND_US, Pace, Slots, Spacing
from aftercall.domain.window import Window
from aftercall.errors import AftercallError
from aftercall.ports import Clock, Pacing, Turn

NONE = Slots(0, 0, 1)


class SlotBook:
    """Slots reserved for one campaign, used in order.

    A slot that came late is used late, and the next ones follow closer; one that is more than
    `BEHIND_US_MAX` late is dropped.

    Attributes:
        campaign: whose slots they are.
        pace: how fast they follow each other at the moment.
        window: what the tenant may have counted lately; without headroom it takes bursts, and
            nothing is held back.
    """

    def __init__(self, campaign: str, pace: Pace, pacing: Pacing, clock: Clock) -> None:
        self.campaign = campaign
        self.pace = pace
        self._configured = pace
        self._easing = Easing()
        strict = pace.headroom > 0
        self.window = Window.of(pace.per_second) if strict else Window(sys.maxsize, 0.0)
        self._answered = asyncio.Event()
        self._epoch = 0
        self._changing = asyncio.Lock()
        self._pacing = pacing
        self._clock = clock
        self._slots = NONE
        self._coming: asyncio.Task[Slots | AftercallError | None] | None = None
        self._spacing = Spacing()
        self._refused_seconds = -math.inf

    async def take_over(self, turn: Callable[[], Awaitable[Turn]]) -> Turn:
        """Take a turn on the campaign and reserve under its epoch from then on.

        No reservation is under way meanwhile: under the old epoch it would find the fence lost.
        """
        async with self._changing:
            taken = await turn()
            self._epoch = taken.epoch
        return taken

    async def due_us(self) -> int | None:
        """Return when the next request may leave; None if the fence is lost.

        Returns:
            Microseconds since the epoch, up to `BEHIND_US_MAX` in the past.
        """
        self._ease(self._easing.at(self._clock.seconds()))
        now_us = self._clock.now_us()
        self._spacing.earliest_us = min(self._spacing.earliest_us, now_us + self.pace.spacing_us)
        if self._slots.first_us > now_us + AHEAD_US_MAX + SECOND_US:
            # The clock was set back, or the campaign is paused: what is reserved now is right.
            self._drop()
        while True:
            self._slots = _not_before(self._slots, self._clock.now_us() - BEHIND_US_MAX)
            if self._slots.count:
                return max(self._slots.first_us, self._spacing.earliest_us)
            coming = self._fetch()
            fresh = await coming
            if coming is self._coming:
                self._coming = None
                if fresh is None:
                    return None
                if isinstance(fresh, AftercallError):
                    raise fresh
                self._slots = fresh

    def _fetch(self) -> "asyncio.Task[Slots | AftercallError | None]":
        """Have the next block of slots reserved, unless that is under way."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._reserve(), name=f"slots {self.campaign}")
        return self._coming

    async def _reserve(self) -> Slots | AftercallError | None:
        """Reserve a block; return what stood against it, for nobody may await this any more."""
        async with self._changing:
            # Where the last ones end, if that is not long past: what came late is made up for.
            # Whoever cannot keep up at all begins anew; old slots are soon dropped.
            end_us = _end_us(self._slots)
            now_us = self._clock.now_us()
            from_us = end_us if now_us - BEHIND_US_MAX // 2 <= end_us else now_us
            try:
                return await self._pacing.reserve(self.campaign, self._epoch, self.pace, from_us)
            except AftercallError as trouble:
                return trouble

    def take(self) -> None:
        """Use the next slot, which is due, for a request that may leave now."""
        if self._slots.count:
            self._slots = _without(self._slots, 1)
        if self._slots.count <= self.pace.block // 2:
            # Before the last one is used, so that no request waits for the journal.
            self._fetch()
        self._spacing.leave(self._clock.now_us(), self.pace)

    def left(self) -> None:
        """Note that the request that took the last slot leaves only now."""
        self._spacing.left(self._clock.now_us(), self.pace)

    async def opened(self) -> bool:
        """Wait until the tenant has room for one more; say whether that took time."""
        waited = False
        while (seconds := self.window.opens_in(self._clock.seconds())) > 0:
            waited = True
            self._answered.clear()
            # Not `wait_for`: before Python 3.12 it can lose a cancellation.
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._answered.wait()
        return waited

    def answered(self) -> None:
        """Say that a place of the window may be free sooner than was thought."""
        self._answered.set()

    def refused(self, sent_seconds: float) -> None:
        """Slow down: the tenant has refused this pace. It comes back by itself, step by step.

        Args:
            sent_seconds: when the request that was refused had left. Requests of one second are
                refused together: that counts once.
        """
        if sent_seconds >= self._refused_seconds + 1.0:
            now = self._refused_seconds = self._clock.seconds()
            self._ease(self._easing.at(now).refused(now))

    def _ease(self, easing: Easing) -> None:
        if easing.share != self._easing.share:
            self.pace = easing.of(self._configured)
        self._easing = easing

    async def pause(self, until_us: int) -> None:
        """Drop what is reserved and take nothing before `until_us`."""
        self._drop()
        await self._pacing.pause(self.campaign, until_us)
        # What was being reserved meanwhile is from before the pause.
        self._drop()

    def _drop(self) -> None:
        self._slots, self._coming = NONE, None


def _end_us(slots: Slots) -> int:
    return slots.first_us + slots.count * slots.spacing_us


def _without(slots: Slots, count: int) -> Slots:
    first = slots.first_us + count * slots.spacing_us
    return Slots(first, slots.count - count, slots.spacing_us)


def _not_before(slots: Slots, oldest_us: int) -> Slots:
    late = -((slots.first_us - oldest_us) // slots.spacing_us)
    return _without(slots, min(late, slots.count)) if late > 0 else slots
