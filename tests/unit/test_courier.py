"""A courier and a journal whose answers come late."""

import asyncio
from collections.abc import Sequence

from aftercall.adapters.clock import SystemClock
from aftercall.domain.webhook import Subscription
from aftercall.engine.delivery import Courier, Endpoint, Line
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Progress
from aftercall.ports import Delivery, DeliveryResult
from aftercall.wire.http import HttpRequest, HttpResponse

ENDPOINT = Endpoint(Subscription("crm"), "https://crm.example/hooks", ("secret",))


class Crm:
    """Takes everything, and says when it has."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.answers = asyncio.Event()

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.heard.append(request.headers["webhook-id"])
        await self.answers.wait()
        return HttpResponse(204, {}, b"")


class LateJournal:
    """Holds one event. Its second look was begun before that was delivered, and ends after."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._recorded = asyncio.Event()
        self.looks = 0
        self.looked = asyncio.Event()

    async def due_events(self, endpoint: str, events_max: int, now_ms: int) -> Sequence[Delivery]:
        self.looks += 1
        self.looked.set()
        if self.looks > 2:
            return []
        found = [Delivery(1, "msg_1", '{"data":{}}', 1)]
        if self.looks == 2:
            self._crm.answers.set()
            await self._recorded.wait()
            await asyncio.sleep(0)
        return found

    async def owes(self, endpoint: str) -> bool:
        return False

    async def record(self, result: DeliveryResult) -> None:
        self._recorded.set()


async def test_what_was_delivered_during_a_look_is_not_delivered_again() -> None:
    crm = Crm()
    journal = LateJournal(crm)
    courier = Courier(Line(ENDPOINT, crm), journal, SystemClock(), lambda: 0.5)
    working = asyncio.create_task(courier.run(Halt(), Progress()))
    await asyncio.wait_for(journal.looked.wait(), 10)
    courier.finish()
    await asyncio.wait_for(working, 10)

    assert journal.looks >= 2
    assert crm.heard == ["msg_1"]
