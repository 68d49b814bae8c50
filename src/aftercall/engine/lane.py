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

from aftercall.domain.easing import WELL_BELOW
from aftercall.domain.pacing import SECOND_US, Pace
from aftercall.domain.window import Travel, Trip
from aftercall.engine.halt import Halt
from aftercall.engine.permits import Holder, Permits
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

TOGETHER_SECONDS = 10.0
"""Campaigns that are refused within so long are refused for the same reason, perhaps."""

RETRY_AFTER_SECONDS_MAX = 24 * 3600.0
"""A longer wait than a day is nothing that a tenant means, and would stop the campaign for good."""


log = logging.getLogger("aftercall")


@dataclass(slots=True)
class Gates:
    """What all lanes share.

    Attributes:
        permits: how many requests may be in flight at once.
        halt: stops everything.
        clock: tells the time.
        tenant: the limit of the tenant as a whole, if there is one.
        queue: who may take the tenant's next slot.
        reads: how long the tenant's answer to a read usually takes.
        writes: the same of a write.
        refused: which campaign was refused last, and when.
    """

    permits: Permits
    halt: Halt
    clock: Clock
    tenant: SlotBook | None
    queue: TenantQueue
    reads: Travel = field(default_factory=Travel)
    writes: Travel = field(default_factory=Travel)
    refused: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """One request that may leave now: it holds a permit, and a place in each window.

    Attributes:
        travel: how long answers to its kind usually take.
        places: its place in the campaign's window, and in the tenant's if there is one.
    """

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
        self._holder = Holder()
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
        departure = await self._departure(write=write)
        # Whoever was refused while this one was on its way out speaks for the campaign.
        while departure is not None and self._is_paused():
            self.release(departure, sent=False)
            departure = await self._departure(write=write)
        if departure is not None:
            # Whatever held everything up since it was let out (a collection of garbage, other
            # tasks) must not make this request leave in a bunch with the next ones.
            for book in self._books:
                book.left()
            self.meter.count(self.leaves(departure))
        return departure

    def leaves(self, departure: Departure) -> float:
        """Note that a request leaves now, in each window; return the time in seconds."""
        now = self._gates.clock.seconds()
        for _, trip in departure.places:
            trip.left = now
        return now

    async def _departure(self, *, write: bool) -> Departure | None:
        """Wait until one may be let out; None if none may soon."""
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
        self._gates.permits.release(self._holder)

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
        self._blamed().refused(sent_seconds)
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

    def _blamed(self) -> SlotBook:
        """Return whose pace a refusal is about.

        It is the tenant's as a whole if that is what bounds this campaign, and another one was
        refused just before: a campaign alone may have a lower limit of its own.
        """
        tenant, last = self._gates.tenant, self._gates.refused
        now = self._gates.clock.seconds()
        self._gates.refused = (self.book.campaign, now)
        if tenant is None or last is None or self._is_at_own_pace():
            return self.book
        another = last[0] != self.book.campaign and now - last[1] <= TOGETHER_SECONDS
        return tenant if another else self.book

    def _is_at_own_pace(self) -> bool:
        """Say whether its own pace is what bounds this campaign."""
        times = self.meter.recent
        spacing = self.book.pace.spacing_us / SECOND_US
        if len(times) < 2:
            return spacing >= 1.0
        return (times[-1] - times[0]) / (len(times) - 1) <= spacing / WELL_BELOW

    def answered(self) -> None:
        """Note an answer that was no 429."""
        self._throttled_in_a_row = 0

    async def _let_out(self) -> None:
        """Let waiting requests out one by one, writes first, until none waits."""
        while self._writes or self._reads:
            try:
                cleared = await self._cleared()
            except AftercallError as trouble:
                # The journal cannot be written. Nobody awaits this task: who waits must be told.
                while (waiter := self._next_waiter()) is not None:
                    waiter.set_exception(trouble)
                return
            if not cleared:
                self._dismiss()
                return
            travel = self._gates.reads if self._reads_first() else self._gates.writes
            waiter = self._next_waiter()
            if waiter is None:
                self._gates.permits.release(self._holder)
            else:
                waiter.set_result(self._depart(travel))

    def _depart(self, travel: Travel) -> Departure:
        now = self._gates.clock.seconds()
        for book in self._books:
            book.take()
        return Departure(
            travel, tuple((book, book.window.leave(now, travel)) for book in self._books)
        )

    async def _cleared(self) -> bool:
        """Wait until a request may leave, and hold a permit then; False if none may soon.

        All that it needs comes in the order of how long others could be kept waiting by it: its
        slot, the tenant's slot, a permit. It leaves as soon as it has the permit, however late
        its slot is by then.
        """
        tenant = self._gates.tenant
        while await self._at_pace():
            if tenant is None:
                if await self._permitted():
                    return True
                continue
            async with self._gates.queue.turn(lambda: bool(self._writes)):
                if await self._at_pace_of(tenant) and await self._permitted(gives_way=True):
                    return True
            # Whoever waits for a permit that is kept for others does not stand in their way.
            await self._gates.permits.allowed(self._holder, self._gates.clock.seconds())
        return False

    async def _at_pace(self) -> bool:
        """Wait until the campaign's own slot has come; False if that is not soon."""
        # A campaign that is slower than that has all its slots far away.
        patience_us = max(PATIENCE_US, 2 * self.book.pace.spacing_us)
        while not self._gates.halt.thrown:
            due_us = await self.book.due_us()
            if due_us is None:
                return False
            due_us = max(due_us, self.opens_us)
            if due_us - self._gates.clock.now_us() > patience_us:
                self.opens_us = max(self.opens_us, due_us)
                return False
            if not await self._waited(due_us) and not await self.book.opened():
                return True
        return False

    async def _at_pace_of(self, tenant: SlotBook) -> bool:
        """Wait until the tenant's slot has come; False if it will not."""
        while not self._gates.halt.thrown:
            due_us = await tenant.due_us()
            if due_us is None:
                return False
            if not await self._waited(due_us) and not await tenant.opened():
                return True
        return False

    async def _permitted(self, *, gives_way: bool = False) -> bool:
        """Wait for a permit; False, and none is held, if the campaign may not leave (any more)."""
        now = self._gates.clock.seconds()
        if not await self._gates.permits.acquire(self._holder, now, gives_way=gives_way):
            return False
        if self._gates.halt.thrown or self._is_paused():
            self._gates.permits.release(self._holder)
            return False
        return True

    def _is_paused(self) -> bool:
        return self.opens_us > self._gates.clock.now_us()

    async def _waited(self, until_us: int) -> bool:
        """Wait until then; say whether that took time."""
        ahead_us = until_us - self._gates.clock.now_us()
        if ahead_us <= EARLY_US:
            return False
        # Further away than that, the machine's clock was set back meanwhile.
        longest_us = max(PATIENCE_US, 2 * self.book.pace.spacing_us)
        await asyncio.sleep(min(ahead_us, longest_us) / SECOND_US)
        return True

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
