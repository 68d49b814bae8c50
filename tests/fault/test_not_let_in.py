"""A tenant that takes every token, and refuses some requests with 401 whatever the token."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aftercall.domain.status import Status
from aftercall.errors import AccessDenied
from aftercall.ports import Transport
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wiring import Session

from .books import trail
from .rig import Rig, names, rows_for, within

ATTEMPTS = 2
TOKENS_PER_ATTEMPT = 6


@dataclass
class Gate:
    """The real transport, with a gate before it that answers 401 to some requests."""

    transport: Transport
    shut: Callable[[HttpRequest], bool]
    seen: Counter[str] = field(default_factory=Counter)

    async def send(self, request: HttpRequest) -> HttpResponse:
        if not self.shut(request):
            return await self.transport.send(request)
        self.seen[request.method] += 1
        return HttpResponse(401, {}, b"")


@asynccontextmanager
async def gated(
    rig: Rig, shut: Callable[[HttpRequest], bool], **tables: Any
) -> AsyncIterator[tuple[Session, Gate]]:
    async with rig.session(retry={"attempts_max": ATTEMPTS}, **tables) as session:
        gate = Gate(session._outside.tenant, shut)
        session._outside = replace(session._outside, tenant=gate)
        yield session, gate


def never_writes(contact: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.method == "PATCH" and request.url.endswith(f"/{contact}")


async def test_one_contact_that_is_never_let_in_fails_alone(rig: Rig) -> None:
    async with gated(rig, never_writes("p7")) as (session, gate):
        report = await within(60.0, session.perform(session.objects(rows_for(names(40)))))

    assert report.statuses == {Status.APPLIED: 39, Status.FAILED: 1}
    assert report.reasons(Status.FAILED) == {"unauthorized": 1}
    assert gate.seen == {"PATCH": ATTEMPTS * TOKENS_PER_ATTEMPT}, "the tenant was hammered"
    (failed,) = [entry for entry in trail(report) if entry["status"] == "failed"]
    assert "401" in failed["message"]


async def test_a_tenant_that_lets_nobody_write_pauses_the_run(rig: Rig) -> None:
    async with gated(rig, lambda request: request.method == "PATCH") as (session, _):
        job = session.objects(rows_for(names(60)))
        report = await within(60.0, session.perform(job))

    assert isinstance(job.run.halt.reason, AccessDenied)
    assert "401" in job.run.halt.reason.message
    assert report.open == 60
    assert report.failed == 0
    assert rig.ledger() == []
    assert rig.simulator.stats()["tokens_issued"] < 60
