"""A tenant that tells odd states and times, quotes what it was told, and calls a failure 200."""

import base64
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.errors import CredentialsRefused
from aftercall.ports import Transport
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wiring import Session
from aftercall.wiring.checkup import check_up

from .books import as_text, assert_books_balance, trail
from .conftest import Rigged
from .rig import CLIENT_SECRET, Rig, row, world_of

OLD = "2026-01-10T08:00:00Z"
NOTES = 'Her diagnosis is private: call "Zoë"\nat 0555 123456'
NO_WAIT = {"defer_minutes": 0.0}

Twist = Callable[[HttpRequest, HttpResponse], HttpResponse]


class Hostile:
    """The real transport to a tenant whose answers are changed on their way."""

    def __init__(self, transport: Transport, twist: Twist) -> None:
        self._transport = transport
        self._twist = twist
        self.tokens: set[str] = set()

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.tokens.add(bearer(request))
        return self._twist(request, await self._transport.send(request))


def bearer(request: HttpRequest) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def answered(status: int, body: object) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


def of_contact(**fields: object) -> Twist:
    """Return a twist that changes fields of every contact that is read."""

    def twist(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.method != "GET" or response.status != 200:
            return response
        body = json.dumps(json.loads(response.body) | fields).encode()
        return replace(response, body=body)

    return twist


@asynccontextmanager
async def hostile(rig: Rig, twist: Twist, **tables: Any) -> AsyncIterator[tuple[Session, Hostile]]:
    async with rig.session(**tables) as session:
        transport = Hostile(session._outside.tenant, twist)
        session._outside = replace(session._outside, tenant=transport)
        yield session, transport


async def synced(rig: Rig, twist: Twist) -> Report:
    async with hostile(rig, twist, rows=NO_WAIT) as (session, _):
        return await session.perform(session.objects([row("p1")]))


@pytest.mark.parametrize("state", ["TALKING", "IN_CALL", "On hold", "ACTIVE", "7", 7, None, ["x"]])
async def test_a_state_that_is_not_known_is_never_written_over(rig: Rig, state: object) -> None:
    report = await synced(rig, of_contact(state=state))

    assert report.reasons(Status.DEFERRED) == {"unknown_state": 1}
    assert rig.answers("PATCH") == {}
    assert rig.ledger() == []


@pytest.mark.parametrize("state", ["wrap-up", "Wrap Up", "connected "])
async def test_an_active_state_is_known_in_any_spelling(rig: Rig, state: str) -> None:
    report = await synced(rig, of_contact(state=state))

    assert report.reasons(Status.DEFERRED) == {"on_call": 1}
    assert rig.ledger() == []


@pytest.mark.parametrize("state", ["ready", "Completed", "DISPOSITIONED"])
async def test_a_state_that_is_allowed_is_written_over(rig: Rig, state: str) -> None:
    report = await synced(rig, of_contact(state=state))

    assert report.statuses == {Status.APPLIED: 1}


@pytest.mark.parametrize("stamp", ["2026-11-23 10:00:00", "23/11/2026 10:00", "soon", True, {}])
async def test_a_time_that_cannot_be_read_is_never_written_over(rig: Rig, stamp: object) -> None:
    twist = of_contact(outcomeCode="CALL_BACK", dispositionTimestamp=stamp)
    report = await synced(rig, twist)

    assert report.reasons(Status.REJECTED) == {"unreadable_timestamp": 1}
    assert "unknown which is newer" in trail(report)[-1]["message"]
    assert rig.ledger() == []


@pytest.mark.parametrize(
    "stamp", ["2026-11-23 10:00:00+00:00", 1795428000, 1795428000000, 1795428000.5]
)
async def test_the_newest_wins_whatever_the_form_of_its_time(rig: Rig, stamp: object) -> None:
    twist = of_contact(outcomeCode="CALL_BACK", dispositionTimestamp=stamp)
    report = await synced(rig, twist)

    assert report.reasons(Status.SUPERSEDED) == {"newer_in_tenant": 1}
    assert rig.ledger() == []


async def test_an_old_number_is_written_over(rig: Rig) -> None:
    twist = of_contact(outcomeCode="CALL_BACK", dispositionTimestamp=1700000000)
    assert (await synced(rig, twist)).statuses == {Status.APPLIED: 1}


SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    quote_plus,
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(text.encode()).decode(),
    json.dumps,
    lambda text: "." * 190 + text,
    lambda text: text[: len(text) * 2 // 3],
]


@pytest.mark.parametrize("spelled", SPELLINGS)
@pytest.mark.parametrize("status", [403, 404, 422, 500])
async def test_nothing_that_the_tenant_quotes_is_told(
    rig: Rig, spelled: Callable[[str], str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []

    def twist(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if "oauth2" in request.url or (request.method == "GET" and status not in {403, 404}):
            return response
        quoted = [spelled(each) for each in (bearer(request), CLIENT_SECRET)]
        told.extend(quoted)
        # Words that quote notes in part are left out as a whole, and the secrets with them.
        if request.url[-1] not in "01":
            quoted += [NOTES.upper(), json.dumps(NOTES)[7:40], "number 5550100"]
        return answered(status, {"message": " ".join(quoted)})

    given: dict[str, Any] = {"notes": NOTES, "custom_fields": {"number": 5550100, "again": NOTES}}
    async with hostile(rig, twist, retry={"attempts_max": 2}) as (session, _):
        report = await session.perform(session.objects([row(f"p{n}", **given) for n in range(6)]))

    text = as_text(report.as_json(), repr(report), trail(report), caplog.text).casefold()
    assert told
    for secret in (*told, NOTES, "diagnosis", "zoë", "5550100"):
        core = secret.strip('."').casefold()
        assert core[:14] not in text
        assert core[-12:] not in text


async def test_the_state_agent_and_outcome_of_a_contact_quote_no_secret(rig: Rig) -> None:
    def twist(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        token = bearer(request)
        return of_contact(state=f"on {token}", agentId=token, outcomeCode=CLIENT_SECRET)(
            request, response
        )

    async with hostile(rig, twist, rows=NO_WAIT) as (session, transport):
        report = await session.perform(session.objects([row("p1")]))
        journal = Path(session.settings.journal.path)

    stored = b"".join(file.read_bytes() for file in journal.parent.glob("journal.db*"))
    assert report.reasons(Status.DEFERRED) == {"unknown_state": 1}
    for secret in {*transport.tokens, CLIENT_SECRET} - {""}:
        assert secret.encode() not in stored
        assert secret.upper().encode() not in stored


async def test_a_refused_sign_in_quotes_no_secret(rig: Rig) -> None:
    def twist(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        form = (request.body or b"").decode()
        return answered(401, {"error_description": f"{CLIENT_SECRET} in {form}"})

    async with hostile(rig, twist) as (session, _):
        with pytest.raises(CredentialsRefused) as caught:
            await session.perform(session.objects([row("p1")]))

    assert "client credentials" in caught.value.message
    assert CLIENT_SECRET not in caught.value.message


@pytest.mark.parametrize("signs_in", [False, True])
async def test_the_check_up_quotes_no_secret(rig: Rig, *, signs_in: bool) -> None:
    token = "bearer-9c1f0e7a4d2b"

    async def answer(request: web.Request) -> web.Response:
        if signs_in and request.method == "POST":
            return web.json_response({"access_token": token, "expires_in": 3600})
        form = (await request.read()).decode()
        words = f"{CLIENT_SECRET} {form} {request.headers.get('Authorization')} {token.upper()}"
        return web.json_response({"message": words}, status=401 if form else 403)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        settings = rig.settings(tenant={"base_url": f"http://{host}:{port}"})
        found = [finding async for finding in check_up(settings, rig.environment)]
    finally:
        await runner.cleanup()

    (failed,) = [each for each in found if each.name == ("contacts" if signs_in else "sign in")]
    assert failed.level == "fail"
    assert "[secret]" in failed.words
    for secret in (CLIENT_SECRET, *([token, token.upper()] if signs_in else [])):
        assert all(secret not in repr(each) for each in found)


@pytest.mark.parametrize("landed", [True, False])
async def test_a_failure_that_is_called_200_is_read_back(rig_with: Rigged, *, landed: bool) -> None:
    failures: list[int] = []

    def twist(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.method != "PATCH" or failures:
            return response
        failures.append(1)
        return answered(200, {"error": "busy", "success": False})

    class Refusing(Hostile):
        async def send(self, request: HttpRequest) -> HttpResponse:
            if request.method == "PATCH" and not failures and not landed:
                return self._twist(request, answered(200, {}))
            return await super().send(request)

    held = {"contact": "p1", "outcome": "CALL_BACK", "timestamp": OLD}
    async with rig_with(world=world_of(held)) as rig:
        async with rig.session() as session:
            transport = Refusing(session._outside.tenant, twist)
            session._outside = replace(session._outside, tenant=transport)
            report = await session.perform(session.objects([row("p1")]))

        reason = "read_back" if landed else "written"
        assert report.reasons(Status.APPLIED) == {reason: 1}
        (doubt,) = [entry for entry in trail(report) if entry["kind"] == "in_doubt"]
        assert (doubt["reason"], doubt["message"]) == (
            "answer_says_failure",
            "The answer says failure: busy",
        )
        assert len(rig.ledger()) == 1
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_failure_that_is_called_200_for_ever_is_no_success(rig: Rig) -> None:
    class Refusing(Hostile):
        async def send(self, request: HttpRequest) -> HttpResponse:
            if request.method == "PATCH":
                return answered(200, {"errorCount": 2})
            return await super().send(request)

    async with rig.session(retry={"attempts_max": 2}) as session:
        transport = Refusing(session._outside.tenant, lambda _, response: response)
        session._outside = replace(session._outside, tenant=transport)
        report = await session.perform(session.objects([row("p1")]))

    assert report.statuses == {Status.FAILED: 1}
    assert rig.ledger() == []
