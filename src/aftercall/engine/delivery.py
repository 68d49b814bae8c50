"""From the outbox to the CRM: signed, tried again for days, never in the tenant's way."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aftercall.domain.webhook import next_delivery_ms, sign
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Progress
from aftercall.ports import Clock, Delivery, DeliveryResult, Outbox, Transport
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.refusals import retry_after_seconds
from aftercall.wire.requests import USER_AGENT

EVENTS_AT_ONCE = 200
LOOK_SECONDS = 1.0
"""How often the outbox is looked at when nobody says that something is in it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the CRM listens.

    Attributes:
        url: its address.
        keys: the secrets that events are signed with; several while they are rotated.
        concurrency: deliveries in flight at once.
    """

    url: str
    keys: Sequence[bytes] = field(repr=False)
    concurrency: int = 10


class Courier:
    """Delivers due events until it is told that no more will come."""

    def __init__(
        self,
        endpoint: Endpoint,
        outbox: Outbox,
        transport: Transport,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._outbox = outbox
        self._transport = transport
        self._clock = clock
        self._chance = chance
        self._wake = asyncio.Event()
        self._last = False
        self._gone = False

    def wake(self) -> None:
        """Say that an event has come in."""
        self._wake.set()

    def finish(self) -> None:
        """Say that no more events will come: return once none is due."""
        self._last = True
        self._wake.set()

    async def run(self, halt: Halt, progress: Progress) -> None:
        """Deliver until `finish` was called and nothing is due, or the run is stopped."""
        while not halt.thrown and not self._gone:
            now_ms = self._clock.now_us() // 1000
            due = await self._outbox.due_events(EVENTS_AT_ONCE, now_ms)
            if due:
                await self._deliver_all(due, halt, progress)
            elif self._last:
                return
            else:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), LOOK_SECONDS)
                except TimeoutError:
                    continue

    async def _deliver_all(self, due: Sequence[Delivery], halt: Halt, progress: Progress) -> None:
        waiting = iter(due)

        async def deliver_some() -> None:
            for event in waiting:
                if halt.thrown or self._gone:
                    return
                result = await self._deliver(event)
                progress.delivered += result.state == "delivered"
                # Stored beside the next delivery: its commit waits for company.
                group.create_task(self._outbox.record(result), name="delivery result")

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._endpoint.concurrency, len(due))):
                group.create_task(deliver_some(), name="delivery")

    async def _deliver(self, event: Delivery) -> DeliveryResult:
        """Try to deliver one event and say what became of it."""
        now_ms = self._clock.now_us() // 1000
        headers = sign(event.event_id, now_ms, event.body, self._endpoint.keys)
        headers |= {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        request = HttpRequest("POST", self._endpoint.url, headers, event.body.encode())
        got: HttpResponse | SendFailure
        try:
            got = await self._transport.send(request)
        except SendFailure as failure:
            got = failure
        return self._judge(event, got)

    def _judge(self, event: Delivery, got: HttpResponse | SendFailure) -> DeliveryResult:
        now_ms = self._clock.now_us() // 1000
        if isinstance(got, HttpResponse) and 200 <= got.status < 300:
            return DeliveryResult(event.number, "delivered", None, str(got.status), now_ms)
        wait, words = None, ""
        if isinstance(got, HttpResponse):
            wait = retry_after_seconds(got.headers, now_ms)
            words = f"status {got.status}"
            # 410: the endpoint asks not to be called again (Standard Webhooks).
            self._gone = self._gone or got.status == 410
        else:
            words = got.words
        due_ms = next_delivery_ms(event.attempt, now_ms, self._chance(), wait)
        state = "dead" if due_ms is None else "waiting"
        return DeliveryResult(event.number, state, due_ms, words, now_ms)
