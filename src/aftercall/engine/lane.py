"""A campaign's lane: its requests leave one at a time, each with a permit and a slot.

A permit is one of the requests that may be in flight at once, over all campaigns. A slot is an
instant that the campaign's limiter gave. Writes go before reads, so that what was just read is
still true when it is written over.
"""

import asyncio
import logging
import math
from collections import deque
from dataclasses import dataclass, field

from aftercall.domain.pacing import SECOND_US, Pace
from aftercall.domain.window import Travel, Trip
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Meter
from aftercall.engine.queue import TenantQueue
from aftercall.engine.slots import SlotBook
from aftercall.errors import AftercallError
from aftercall.ports import Clock

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


@dataclass(slots=True)
class Gates:
    """What all lanes share.

    Attributes:
        permits: how many more requests may be in flight.
        halt: stops everything.
        clock: tells the time.
        tenant: the limit of the tenant as a whole, if there is one.
        queue: who may take the tenant's next slot.
        reads: how long the tenant's answer to a read usually takes.
        writes: the same of a write.
    """

    permits: asyncio.Semaphore
    halt: Halt
    clock: Clock
    tenant: SlotBook | None
    queue: TenantQueue
    reads: Travel = field(default_factory=Travel)
    writes: Travel = field(default_factory=Travel)


@dataclass(frozen=True, slots=True)
class Departure:
    """One request that may leave now: it holds a permit, and a place in each window.

    Attributes:
        slot_us: the instant it was given, in microseconds since the epoch.
        travel: how long answers to its kind usually take.
        places: its place in the campaign's window, and in the tenant's if there is one.
    """

    slot_us: int
    travel: Travel
    places: tuple[tuple[SlotBook, Trip], ...]


class Lane:
    """The way out for one campaign's requests.

    Attributes:
        book: where its slots come from.
        meter: counts its requests.
        opens_us: no slot is given before this; a turn would find the lane closed.
        overtaken: so many waiting writes may be overtaken by a read.
    """

    def __init__(self, book: SlotBook, gates: Gates) -> None:
        self.book = book
        self.meter = Meter(book.campaign, book.pace.per_second)
        self._gates = gates
        self._writes: deque[asyncio.Future[Departure | None]] = deque()
        self._reads: deque[asyncio.Future[Departure | None]] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._throttled_in_a_row = 0
        self._held_back_seconds = -math.inf
        self.opens_us = 0
        self.overtaken = 0
        self._books = (book,) if gates.tenant is None else (book, gates.tenant)
        gates.halt.listen(self._dismiss)

    @property
    def writes_waiting(self) -> int:
        """How many writes wait for a slot."""
        return len(self._writes)

    @property
    def tenant_pace(self) -> Pace | None:
        """The pace of the tenant as a whole, if there is one."""
        return None if self._gates.tenant is None else self._gates.tenant.pace

    def slots_of_a_read(self, spacing_us: int) -> int:
        """Return how many requests leave while a read is answered."""
        return int(self._gates.reads.usual * SECOND_US / spacing_us)

    async def grant(self, *, write: bool) -> Departure | None:
        """Wait until one request may leave.

        Returns what `release` is to be given after the request; None if none may leave soon: the
        run stops, the campaign is paused, or another worker has taken it over.
        """
        while (departure := await self._departure(write=write)) is not None:
            # Whatever held everything up since the slot was given (a collection of garbage, other
            # tasks) must not make this request leave in a bunch with the next ones.
            if not self.book.is_late(departure.slot_us):
                self.meter.count(self.leaves(departure))
                return departure
            self.release(departure, sent=False)
        return None

    def leaves(self, departure: Departure) -> float:
        """Note that a request leaves now, in each window; return the time in seconds."""
        now = self._gates.clock.seconds()
        for _, trip in departure.places:
            trip.left = now
        return now

    async def _departure(self, *, write: bool) -> Departure | None:
        """Wait for a slot, which comes with a permit; None if there is none soon."""
        if self._gates.halt.thrown:
            return None
        waiter: asyncio.Future[Departure | None] = asyncio.get_running_loop().create_future()
        (self._writes if write else self._reads).append(waiter)
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._let_out(), name=f"lane {self.book.campaign}")
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                departure = waiter.result()
                if departure is not None:
                    self.release(departure, sent=False)
            raise

    def release(self, departure: Departure, *, sent: bool, usual: bool = False) -> None:
        """Give a permit back, and the places in the windows once they are free.

        Args:
            departure: what `grant` gave.
            sent: the request may have reached the tenant.
            usual: its answer took as long as answers take, for all that is known.
        """
        now = self._gates.clock.seconds()
        for book, trip in departure.places:
            if sent:
                book.window.answered(trip, now)
            else:
                book.window.forget(trip)
            book.answered()
        if usual:
            departure.travel.took(now - departure.places[0][1].left, now)
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
            self.book.refused()
        wait = retry_after_seconds
        if wait is None:
            doublings = min(max(self._throttled_in_a_row - 1, 0), 10)
            wait = min(THROTTLED_SECONDS_MAX, THROTTLED_SECONDS * 2.0**doublings)
        wait = min(RETRY_AFTER_SECONDS_MAX, wait)
        told = "campaign %s asked to slow down: paused for %.1f s, then %.1f requests/s"
        log.info(told, self.book.campaign, wait, self.book.pace.per_second)
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
            try:
                slot_us = await self._slot_with_permit()
            except AftercallError as trouble:
                # The journal cannot be written. Nobody awaits this task: who waits must be told.
                while (waiter := self._next_waiter()) is not None:
                    waiter.set_exception(trouble)
                return
            if slot_us is None:
                self._dismiss()
                return
            travel = self._gates.reads if self._reads_first() else self._gates.writes
            waiter = self._next_waiter()
            if waiter is None:
                self._gates.permits.release()
            else:
                waiter.set_result(self._depart(slot_us, travel))

    def _depart(self, slot_us: int, travel: Travel) -> Departure:
        now = self._gates.clock.seconds()
        places = tuple((book, book.window.leave(now, travel)) for book in self._books)
        return Departure(slot_us, travel, places)

    async def _slot_with_permit(self) -> int | None:
        """Return a slot whose time has come, a permit held; None if there is none soon."""
        held = False
        # A campaign that is slower than that has all its slots far away.
        patience_us = max(PATIENCE_US, 2 * self.book.pace.spacing_us)
        while True:
            if held and self._gates.tenant is not None:
                # Whoever is first in the tenant's queue waits for a permit: who queues has none.
                self._gates.permits.release()
                held = False
            slot_us = await self.book.next_slot()
            ahead_us = 0 if slot_us is None else slot_us - self._gates.clock.now_us()
            if slot_us is None or ahead_us > patience_us or self._gates.halt.thrown:
                if held:
                    self._gates.permits.release()
                if slot_us is not None and ahead_us > patience_us:
                    self.opens_us = max(self.opens_us, slot_us)
                return None
            slot_us = await self._wait_for(slot_us, held=held)
            held = True
            if self.book.is_late(slot_us):
                continue
            # Until no window made it wait: while one did, another may have filled up.
            while any([await book.opened() for book in self._books]):
                slot_us = self._gates.clock.now_us()
            # One that was given before the campaign was asked to slow down is not used after it.
            if slot_us >= self.opens_us:
                return slot_us
            if self.opens_us - slot_us > patience_us:
                # The clock was set back: what is said of the lane lies hours ahead.
                self._gates.permits.release()
                return None

    async def _wait_for(self, slot_us: int, *, held: bool) -> int:
        """Wait for a slot's time, a permit and the tenant; return when the request may leave."""
        # The permit comes before the slot's time: taken after it, requests that had waited for a
        # permit would leave in a bunch. But it is not held while the slot is far off.
        if not held:
            await self._sleep_until(slot_us)
        if self._gates.tenant is not None:
            slot_us = await self._slot_of_tenant(self._gates.tenant, slot_us)
        elif not held:
            await self._gates.permits.acquire()
        await self._sleep_until(slot_us)
        return slot_us

    async def _sleep_until(self, slot_us: int) -> None:
        ahead_us = slot_us - self._gates.clock.now_us()
        if ahead_us > EARLY_US:
            # Further away than that, the machine's clock was set back meanwhile.
            longest_us = max(PATIENCE_US, 2 * self.book.pace.spacing_us)
            await asyncio.sleep(min(ahead_us, longest_us) / SECOND_US)

    async def _slot_of_tenant(self, tenant: SlotBook, mine_us: int) -> int:
        """Wait for a slot of the whole tenant and a permit; return when the request may leave."""
        async with self._gates.queue.turn(lambda: bool(self._writes)):
            await self._gates.permits.acquire()
            while (slot_us := await tenant.next_slot()) is not None:
                await self._sleep_until(slot_us)
                if not tenant.is_late(slot_us):
                    break
        return self.book.moved(mine_us)

    def _reads_first(self) -> bool:
        return bool(self._reads) and len(self._writes) <= self.overtaken

    def _next_waiter(self) -> asyncio.Future[Departure | None] | None:
        queues = (self._writes, self._reads)
        for waiting in reversed(queues) if self._reads_first() else queues:
            while waiting:
                waiter = waiting.popleft()
                if not waiter.done():
                    return waiter
        return None

    def _dismiss(self) -> None:
        """Tell everybody who waits that nothing leaves soon."""
        while (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)
