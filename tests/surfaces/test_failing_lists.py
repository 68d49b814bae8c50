"""Lists of ids that a tenant does not give: nothing is said of contacts or outcomes by that."""

from dataclasses import replace
from pathlib import Path

import pytest

from aftercall.domain.status import Status
from aftercall.errors import TenantUnreachable
from aftercall.ports import Transport
from aftercall.wire.http import HttpRequest, HttpResponse
from tests.fault.books import trail
from tests.fault.rig import names, rows_for

from .rig import on_surface

JSON = {"content-type": "application/json"}


class WithoutList:
    """The real transport to a tenant that has one list less."""

    def __init__(self, transport: Transport, place: str, status: int) -> None:
        self._transport = transport
        self._place = place
        self._status = status

    async def send(self, request: HttpRequest) -> HttpResponse:
        if self._place in request.url:
            return HttpResponse(self._status, JSON, b'{"message": "no such version"}')
        return await self._transport.send(request)


@pytest.mark.parametrize("place", ["/contact-state-descriptions", "/skills/"])
@pytest.mark.parametrize("status", [400, 404, 410, 422])
async def test_no_row_is_settled_as_refused_or_missing(
    tmp_path: Path, place: str, status: int
) -> None:
    async with on_surface("acd", tmp_path) as rig:
        async with rig.session(retry={"attempts_max": 2}) as session:
            outside = session._outside
            transport = WithoutList(outside.tenant, place, status)
            session._outside = replace(outside, tenant=transport)
            report = await session.perform(session.objects(rows_for(names(3))))

        assert report.statuses == {Status.FAILED: 3}
        assert report.reasons(Status.FAILED) == {f"status_{status}": 3}
        assert all("no such version" in entry["message"] for entry in trail(report))
        assert rig.ledger() == []
        async with rig.session() as session:
            again = await session.perform(session.retry(report.run, (Status.FAILED,)))
        assert again.statuses == {Status.APPLIED: 3}


async def test_an_api_that_is_not_to_be_found_is_not_called_a_missing_token(tmp_path: Path) -> None:
    async with on_surface("acd", tmp_path) as rig, rig.session() as session:
        outside = session._outside
        transport = WithoutList(outside.tenant, "/.well-known/cxone-configuration", 200)
        session._outside = replace(outside, tenant=transport)
        with pytest.raises(TenantUnreachable) as caught:
            await session.perform(session.objects(rows_for(names(1))))

    assert caught.value.message.startswith("The address of the API could not be had: http")
