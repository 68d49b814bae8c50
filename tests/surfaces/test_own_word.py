"""What a contact tells of itself, beside or instead of what is wanted to know."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from aftercall.domain.status import Status
from aftercall.ports import Transport
from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent
from tests.fault.rig import row

from .rig import SurfaceRig, on_surface, world_on

Twist = Callable[[dict[str, Any]], None]


class Twisted:
    """The real transport to a tenant that tells its contacts otherwise and loses an answer."""

    def __init__(self, transport: Transport, twist: Twist, *, loses: bool) -> None:
        self._transport = transport
        self._twist = twist
        self._loses = loses

    async def send(self, request: HttpRequest) -> HttpResponse:
        response = await self._transport.send(request)
        if request.url.endswith("/set-disposition") and self._loses:
            self._loses = False
            code = "answer_lost"
            raise MaybeSent(code, "the answer was lost")
        if not request.url.endswith("/contacts/p1"):
            return response
        body = json.loads(response.body)
        self._twist(body["resultSet"])
        return replace(response, body=json.dumps(body).encode())


async def synced(rig: SurfaceRig, twist: Twist, *, loses: bool = False) -> Any:
    async with rig.session() as session:
        outside = session._outside
        session._outside = replace(outside, tenant=Twisted(outside.tenant, twist, loses=loses))
        return await session.perform(session.objects([row("p1")]))


async def test_a_disposition_of_0_is_no_reason_not_to_read_back(tmp_path: Path) -> None:
    async with on_surface("acd", tmp_path) as rig:
        report = await synced(rig, lambda told: told.update(primaryDispositionId=0), loses=True)

        assert report.reasons(Status.APPLIED) == {"read_back": 1}
        assert len(rig.ledger()) == 1, "it was written again"


async def test_the_id_of_a_state_is_enough(tmp_path: Path) -> None:
    def bare(told: dict[str, Any]) -> None:
        kept = {name: told[name] for name in ("stateId", "skillId")}
        told.clear()
        told.update(kept)

    async with on_surface("acd", tmp_path) as rig:
        assert (await synced(rig, bare)).statuses == {Status.APPLIED: 1}


async def test_a_sign_of_its_end_is_enough(tmp_path: Path) -> None:
    def ended(told: dict[str, Any]) -> None:
        told.clear()
        told["endReason"] = "hung up"

    async with on_surface("acd", tmp_path, world=world_on("acd")) as rig:
        assert (await synced(rig, ended)).reasons(Status.REJECTED) == {"contact_closed": 1}
