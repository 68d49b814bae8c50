"""The slots of one campaign, or of the tenant as a whole: reserved in blocks, used in order."""

import asyncio
import sys
from collections.abc import Awaitable
from contextlib import suppress

from aftercall.domain.easing import Easing
from aftercall.domain.pacing import AHEAD_US_MAX, SECOND_US, Pace, Slots
from aftercall.domain.window import Window
from aftercall.ports import Clock, Pacing, Turn


class SlotBook:
    """Slots reserved for one campaign, handed out in order; late ones are dropped.

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
        self._slots = Slots(0, 0, 1)
        self._earliest_us = 0

    async def take_over(self, turn: Awaitable[Turn]) -> Turn:
        """Await a turn on the campaign and reserve under its epoch from then on.

        No reservation is under way meanwhile: under the old epoch it would find the fence lost.
        """
        async with self._changing:
            taken = await turn
            self._epoch = taken.epoch
        return taken

    async def next_slot(self) -> int | None:
        """Return the next slot in microseconds since the epoch; None if the fence is lost."""
        self._ease(self._easing.at(self._clock.seconds()))
        now_us = self._clock.now_us()
        if self._slots.first_us > now_us + AHEAD_US_MAX + SECOND_US:
            # The clock was set back, or the campaign is paused: what is reserved now is right.
            self._slots = Slots(0, 0, 1)
        self._earliest_us = min(self._earliest_us, now_us + self.pace.spacing_us)
        while True:
            slots, now_us = self._slots, self._clock.now_us()
            oldest = max(now_us - self.pace.late_us_max, self._earliest_us)
            late = -((slots.first_us - oldest) // slots.spacing_us) if slots.count else 0
            if late > 0:
                slots = _without(slots, min(late, slots.count))
            if slots.count:
                self._slots = _without(slots, 1)
                return slots.first_us
            async with self._changing:
                fresh = await self._pacing.reserve(
                    self.campaign, self._epoch, self.pace, self._clock.now_us()
                )
            if fresh is None:
                return None
            self._slots = fresh

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

    def is_late(self, slot_us: int) -> bool:
        """Say whether a slot may no longer be used."""
        return self._clock.now_us() - slot_us > self.pace.late_us_max

    def moved(self, slot_us: int) -> int:
        """Return a slot that had to wait for the tenant's own: now, if that made it late.

        Campaigns that queue for the tenant would all come late, and none would ever send, if it
        were dropped. The next slot lies a whole spacing after this one, as ever.
        """
        if not self.is_late(slot_us):
            return slot_us
        now_us = self._clock.now_us()
        self._earliest_us = now_us + self.pace.spacing_us
        return now_us

    def refused(self) -> None:
        """Slow down: the tenant has refused this pace. It comes back by itself, step by step."""
        now = self._clock.seconds()
        self._ease(self._easing.at(now).refused(now))

    def _ease(self, easing: Easing) -> None:
        if easing.share != self._easing.share:
            self.pace = easing.of(self._configured)
        self._easing = easing

    async def pause(self, until_us: int) -> None:
        """Drop what is reserved and take nothing before `until_us`."""
        self._slots = Slots(0, 0, 1)
        await self._pacing.pause(self.campaign, until_us)


def _without(slots: Slots, count: int) -> Slots:
    first = slots.first_us + count * slots.spacing_us
    return Slots(first, slots.count - count, slots.spacing_us)
