"""From the outbox to one endpoint: signed, tried again for days, never in the tenant's way."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from aftercall.domain import breaker
from aftercall.domain.breaker import Breaker
from aftercall.domain.delivery import Answer, Judgement, Signal, judge
from aftercall.domain.webhook import Subscription, secret_bytes, sign
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Progress
from aftercall.ports import Clock, Delivery, DeliveryResult, Outbox, Transport
from aftercall.wire.heard import beginning
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.refusals import retry_after_seconds
from aftercall.wire.requests import USER_AGENT

LOOK_SECONDS = 1.0
"""How often the outbox is looked at when nobody says that something is in it."""

AHEAD = 20
"""Events that are read ahead at least, so that not every delivery costs a look."""

UNRECORDED_MAX = 4
"""Times the concurrency: with more results on their way to the journal nothing new leaves."""

log = logging.getLogger("aftercall")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a part of the CRM listens.

    Attributes:
        subscription: its name and what it is told.
        url: its address.
        secrets: what events are signed with; several while they are rotated.
        concurrency: deliveries in flight at once.
    """

    subscription: Subscription
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    concurrency: int = 10

    @property
    def name(self) -> str:
        """Its name."""
        return self.subscription.endpoint


@dataclass(frozen=True, slots=True)
class Line:
    """An endpoint and connections of its own to it."""

    endpoint: Endpoint
    transport: Transport


def signed_request(endpoint: Endpoint, identifier: str, body: str, now_ms: int) -> HttpRequest:
    """Return the request that brings an event to an endpoint."""
    keys = [secret_bytes(secret) for secret in endpoint.secrets]
    headers = sign(identifier, now_ms, body, keys) | {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
    }
    return HttpRequest("POST", endpoint.url, headers, body.encode())


class Ending(Enum):
    """When a courier is done."""

    NEVER = 0
    NOTHING_NOW = 1
    NOTHING_WAITS = 2


class Courier:
    """Delivers the events of one endpoint.

    Nothing of it slows a tenant's write: it has its own connections and looks at no more of the
    journal than it can send. The breaker lives in memory; see docs/decisions.
    """

    def __init__(
        self, line: Line, outbox: Outbox, clock: Clock, chance: Callable[[], float]
    ) -> None:
        self._endpoint = line.endpoint
        self._transport = line.transport
        self._outbox = outbox
        self._clock = clock
        self._chance = chance
        self._breaker = Breaker()
        self._ready: deque[Delivery] = deque()
        self._unrecorded: set[int] = set()
        self._in_flight = 0
        self._gone = False
        self._ending = Ending.NEVER
        self._changed = asyncio.Event()

    def finish(self, *, wait: bool = False) -> None:
        """Say that no more events will come.

        Args:
            wait: return only once no event waits any more; else once none can leave now.
        """
        self._ending = Ending.NOTHING_WAITS if wait else Ending.NOTHING_NOW
        self._changed.set()

    async def run(self, halt: Halt, progress: Progress) -> None:
        """Deliver until that is finished, or the run is stopped; what is in flight is awaited.

        Raises:
            JournalError: the journal could not be read or written.
        """
        halt.listen(self._changed.set)
        async with asyncio.TaskGroup() as group:
            while not halt.thrown:
                # Read before looking: what came in before `finish` has to be seen after it.
                ending = self._ending
                self._changed.clear()
                await self._look()
                while self._ready and self._room():
                    event = self._ready.popleft()
                    self._unrecorded.add(event.number)
                    self._in_flight += 1
                    group.create_task(self._deliver(event, progress), name="delivery")
                if not self._unrecorded and await self._is_over(ending):
                    return
                # Not `wait_for`: Python 3.11's forgets a cancellation that comes with the event.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._changed.wait()

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000

    def _room(self) -> int:
        """Return how many deliveries may leave now."""
        concurrency = self._endpoint.concurrency
        if self._gone or len(self._unrecorded) >= UNRECORDED_MAX * concurrency:
            return 0
        return self._breaker.room(self._now_ms(), self._in_flight, concurrency)

    async def _look(self) -> None:
        """Read due events ahead if some can leave and none are left."""
        if self._ready or not self._room():
            return
        # Those under way are still due in the journal, and in this look even if they are recorded
        # before it ends: sent again, an event could come after a later one of its contact.
        under_way = frozenset(self._unrecorded)
        wanted = len(under_way) + max(AHEAD, 2 * self._endpoint.concurrency)
        due = await self._outbox.due_events(self._endpoint.name, wanted, self._now_ms())
        self._ready.extend(event for event in due if event.number not in under_way)

    async def _is_over(self, ending: Ending) -> bool:
        if ending is Ending.NOTHING_WAITS:
            return not await self._outbox.owes(self._endpoint.name)
        return ending is Ending.NOTHING_NOW and not self._ready

    async def _deliver(self, event: Delivery, progress: Progress) -> None:
        """Try to deliver one event and store what became of it."""
        at_ms, began = self._now_ms(), self._clock.seconds()
        request = signed_request(self._endpoint, event.event_id, event.body, at_ms)
        got: HttpResponse | SendFailure
        try:
            got = await self._transport.send(request)
        except SendFailure as failure:
            got = failure
        latency_ms = round((self._clock.seconds() - began) * 1000, 1)
        now_ms = self._now_ms()
        judgement = judge(event.attempt, _answer(got, now_ms), now_ms, self._chance())
        self._in_flight -= 1
        self._heed(judgement)
        self._changed.set()
        await self._outbox.record(
            DeliveryResult(
                number=event.number,
                state=judgement.state,
                due_ms=judgement.due_ms,
                words=f"status {got.status}" if isinstance(got, HttpResponse) else got.words,
                at_ms=at_ms,
                latency_ms=latency_ms,
                status=got.status if isinstance(got, HttpResponse) else None,
                answer=self._heard(got, event),
                gone=judgement.signal is Signal.GONE,
            )
        )
        if judgement.signal is Signal.GONE:
            self._gone = False  # From now on the journal gives no event of the endpoint.
        self._unrecorded.discard(event.number)
        progress.delivered += judgement.state == "delivered"
        self._changed.set()

    def _heed(self, judgement: Judgement) -> None:
        """Let the breaker know what an attempt says of the endpoint."""
        now_ms = self._now_ms()
        match judgement.signal:
            case Signal.UP:
                self._breaker = breaker.succeeded()
            case Signal.DOWN:
                pause = judgement.pause_seconds
                was_open = self._breaker.is_open(now_ms)
                self._breaker = breaker.failed(self._breaker, now_ms, self._chance(), pause)
                if self._breaker.is_open(now_ms) and not was_open:
                    log.info("endpoint %s is left alone for a while", self._endpoint.name)
                    self._ready.clear()
            case Signal.GONE:
                log.info("endpoint %s asked not to be called any more", self._endpoint.name)
                self._gone = True
                self._ready.clear()

    def _heard(self, got: HttpResponse | SendFailure, event: Delivery) -> str:
        if not isinstance(got, HttpResponse) or not got.body:
            return ""
        return beginning(got.body, event.body, self._endpoint.secrets)


def _answer(got: HttpResponse | SendFailure, now_ms: int) -> Answer:
    if isinstance(got, HttpResponse):
        return Answer(got.status, retry_after_seconds(got.headers, now_ms))
    return Answer(None)
