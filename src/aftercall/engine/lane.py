"""A campaign's lane: its requests leave one at a time, each with a permit and a slot.

A permit is one of the requests that may be in flight at once, over all campaigns. A slot is an
instant that the campaign's limiter gave. Writes go before reads, so that what was just read is
still true when it is written over.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass

from aftercall.domain.pacing import SECOND_US, Pace, Slots
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Meter
from aftercall.engine.queue import TenantQueue
from aftercall.ports import Clock, Pacing, Turn

PATIENCE_US = 5 * SECOND_US
"""A slot further away than this is not waited for: the row goes back to the journal."""

EARLY_US = 500
"""Closer than a timer can aim."""

THROTTLED_SECONDS = 1.0
"""The first wait after a 429 that names none; it doubles while they go on."""

THROTTLED_SECONDS_MAX = 60.0

RETRY_AFTER_SECONDS_MAX = 24 * 3600.0
"""A longer wait than a day is nothing that a tenant means, and would stop the campaign for good."""


log = logging.getLogger("aftercall")


class SlotBook:
    """Slots reserved for one campaign, handed out in order; late ones are dropped."""

    def __init__(self, campaign: str, pace: Pace, pacing: Pacing, clock: Clock) -> None:
        self.campaign = campaign
        self.pace = pace
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

    async def pause(self, until_us: int) -> None:
        """Drop what is reserved and take nothing before `until_us`."""
        self._slots = Slots(0, 0, 1)
        await self._pacing.pause(self.campaign, until_us)


def _without(slots: Slots, count: int) -> Slots:
    first = slots.first_us + count * slots.spacing_us
    return Slots(first, slots.count - count, slots.spacing_us)


@dataclass(slots=True)
class Gates:
    """What all lanes share.

    Attributes:
        permits: how many more requests may be in flight.
        halt: stops everything.
        clock: tells the time.
        tenant: the limit of the tenant as a whole, if there is one.
        queue: who may take the tenant's next slot.
    """

    permits: asyncio.Semaphore
    halt: Halt
    clock: Clock
    tenant: SlotBook | None
    queue: TenantQueue


class Lane:
    """The way out for one campaign's requests.

    Attributes:
        book: where its slots come from.
        meter: counts its requests.
        opens_us: no slot is given before this; a turn would find the lane closed.
    """

    def __init__(self, book: SlotBook, gates: Gates) -> None:
        self.book = book
        self.meter = Meter(book.campaign, book.pace.per_second)
        self._gates = gates
        self._writes: deque[asyncio.Future[int | None]] = deque()
        self._reads: deque[asyncio.Future[int | None]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._throttled_in_a_row = 0
        self._held_back_seconds = -math.inf
        self.opens_us = 0
        gates.halt.listen(self._dismiss)

    async def grant(self, *, write: bool) -> bool:
        """Wait until one request may leave.

        Returns True with a permit held, which `release` gives back; False if none may leave
        soon: the run stops, the campaign is paused, or another worker has taken it over.
        """
        while (slot_us := await self._slot(write=write)) is not None:
            # Whatever held everything up since the slot was given (a collection of garbage, other
            # tasks) must not make this request leave in a bunch with the next ones.
            if not self.book.is_late(slot_us):
                self.meter.count(self._gates.clock.seconds())
                return True
            self.release()
        return False

    async def _slot(self, *, write: bool) -> int | None:
        """Wait for a slot, which comes with a permit; None if there is none soon."""
        if self._gates.halt.thrown:
            return None
        waiter: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        (self._writes if write else self._reads).append(waiter)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._let_out(), name=f"lane {self.book.campaign}")
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.result() is not None:
                self.release()
            raise

    def release(self) -> None:
        """Give a permit back."""
        self._gates.permits.release()

    async def throttled(self, retry_after_seconds: float | None, sent_seconds: float) -> float:
        """Hold the campaign back after a 429; return for how many seconds.

        Args:
            retry_after_seconds: what the tenant asked for, if it did.
            sent_seconds: when the request that was refused had left.
        """
        self.meter.throttled += 1
        # Requests that were on the way together are refused together: that counts once.
        if sent_seconds >= self._held_back_seconds:
            self._throttled_in_a_row += 1
            self._held_back_seconds = self._gates.clock.seconds()
        wait = retry_after_seconds
        if wait is None:
            doublings = min(max(self._throttled_in_a_row - 1, 0), 10)
            wait = min(THROTTLED_SECONDS_MAX, THROTTLED_SECONDS * 2.0**doublings)
        wait = min(RETRY_AFTER_SECONDS_MAX, wait)
        log.info("campaign %s asked to slow down: paused for %.1f s", self.book.campaign, wait)
        until_us = self._gates.clock.now_us() + int(wait * SECOND_US)
        self.opens_us = max(self.opens_us, until_us)
        await self.book.pause(until_us)
        return wait

    def answered(self) -> None:
        """Note an answer that was no 429."""
        self._throttled_in_a_row = 0

    async def _let_out(self) -> None:
        """Give slots to waiting requests, writes first, until none waits."""
        while self._writes or self._reads:
            slot_us = await self._slot_with_permit()
            if slot_us is None:
                self._dismiss()
                return
            waiter = self._next_waiter()
            if waiter is None:
                self.release()
            else:
                waiter.set_result(slot_us)

    async def _slot_with_permit(self) -> int | None:
        """Return a slot whose time has come, a permit held; None if there is none soon."""
        held = False
        # A campaign that is slower than that has all its slots far away.
        patience_us = max(PATIENCE_US, 2 * self.book.pace.spacing_us)
        while True:
            slot_us = await self.book.next_slot()
            ahead_us = 0 if slot_us is None else slot_us - self._gates.clock.now_us()
            if slot_us is None or ahead_us > patience_us or self._gates.halt.thrown:
                if held:
                    self.release()
                if slot_us is not None and ahead_us > patience_us:
                    self.opens_us = max(self.opens_us, slot_us)
                return None
            # The permit comes before the slot's time: taken after it, requests that had waited
            # for a permit would leave in a bunch. But it is not held while the slot is far off.
            if not held and ahead_us > EARLY_US:
                await asyncio.sleep(ahead_us / SECOND_US)
            if self._gates.tenant is not None:
                slot_us = await self._slot_of_tenant(self._gates.tenant, slot_us, held=held)
            elif not held:
                await self._gates.permits.acquire()
            held = True
            ahead_us = slot_us - self._gates.clock.now_us()
            if ahead_us > EARLY_US:
                await asyncio.sleep(ahead_us / SECOND_US)
            # One that was given before the campaign was asked to slow down is not used after it.
            if slot_us >= self.opens_us and not self.book.is_late(slot_us):
                return slot_us

    async def _slot_of_tenant(self, tenant: SlotBook, mine_us: int, *, held: bool) -> int:
        """Wait for a slot of the whole tenant and a permit; return when the request may leave."""
        async with self._gates.queue.turn(lambda: bool(self._writes)):
            if not held:
                await self._gates.permits.acquire()
            while (slot_us := await tenant.next_slot()) is not None:
                ahead_us = slot_us - self._gates.clock.now_us()
                if ahead_us > EARLY_US:
                    await asyncio.sleep(ahead_us / SECOND_US)
                if not tenant.is_late(slot_us):
                    break
        return self.book.moved(mine_us)

    def _next_waiter(self) -> asyncio.Future[int | None] | None:
        for waiting in (self._writes, self._reads):
            while waiting:
                waiter = waiting.popleft()
                if not waiter.done():
                    return waiter
        return None

    def _dismiss(self) -> None:
        """Tell everybody who waits that nothing leaves soon."""
        while (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)
