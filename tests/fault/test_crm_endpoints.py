"""Several endpoints: each hears what it asked for, and none waits for another."""

import json
import secrets
import time
from base64 import b64encode
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from aftercall.domain.status import Status
from aftercall.wire.http import HttpRequest, HttpResponse

from .books import named, trail
from .conftest import Rigged
from .processes import drive, write_calls
from .rig import CRM_SECRET, Rig, names, rigged, row, rows_for

SECRETS = {
    "AFTERCALL_CRM_SECRET_SALES": CRM_SECRET,
    "AFTERCALL_CRM_SECRET_LEGAL": CRM_SECRET,
}


def endpoints(url: str, **tables: dict[str, Any]) -> dict[str, Any]:
    """Return the table ``[crm]`` with endpoints below an address."""
    made = {name: {"url": f"{url}/{name}", **keys} for name, keys in tables.items()}
    return {"url": None, "drain_seconds": 5.0, "endpoints": made}


def heard(rig: Rig) -> dict[str, list[dict[str, Any]]]:
    """Return what each endpoint was told."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in rig.crm():
        told[event["path"].rpartition("/")[2]].append(event)
    return told


async def test_each_endpoint_hears_what_its_filter_lets_by(rig: Rig) -> None:
    rig.environment |= SECRETS
    crm = endpoints(
        rig.simulator.crm_url,
        sales={"categories": ["positive", "callback"], "include": ["notes"]},
        legal={"categories": ["opt_out"], "campaigns": ["C2"]},
    )
    rows = [
        row("a", "C1", "INTERESTED", notes="likes blue"),
        row("b", "C1", "DO_NOT_CALL"),
        row("c", "C2", "DO_NOT_CALL"),
        row("d", "C2", "NO_ANSWER"),
    ]
    report = await rig.sync(rows, crm=crm)

    assert report.statuses == {Status.APPLIED: 4}
    assert report.deliveries == {"delivered": 2}
    told = {name: [one["body"]["data"] for one in events] for name, events in heard(rig).items()}
    assert {name: [one["contact_id"] for one in each] for name, each in told.items()} == {
        "sales": ["a"],
        "legal": ["c"],
    }
    assert told["sales"][0]["notes"] == "likes blue"
    assert "notes" not in told["legal"][0]


async def test_an_endpoint_that_hangs_holds_up_neither_the_tenant_nor_another(
    rig_with: Rigged, tmp_path: Path
) -> None:
    (tmp_path / "hanging").mkdir()
    async with rig_with() as rig, rigged(tmp_path / "hanging", crm_latency_ms=60_000) as hanging:
        rig.environment |= SECRETS
        crm = endpoints(rig.simulator.crm_url, sales={})
        crm["endpoints"]["legal"] = {"url": hanging.simulator.crm_url, "concurrency": 5}
        crm |= {"drain_seconds": 1.0, "timeout_seconds": 60.0}
        started = time.monotonic()
        report = await rig.sync(rows_for(names(300)), crm=crm)
        took = time.monotonic() - started

        assert report.statuses == {Status.APPLIED: 300}
        assert report.deliveries == {"delivered": 300, "waiting": 300}
        assert hanging.simulator.stats()["crm"]["in_flight_peak"] <= 5
        assert took < 15.0


async def test_a_run_without_a_drain_does_not_wait_for_deliveries_in_flight(
    rig_with: Rigged,
) -> None:
    async with rig_with(crm_latency_ms=60_000) as rig:
        started = time.monotonic()
        crm = {"drain_seconds": 0.0, "timeout_seconds": 60.0}
        # Two seconds of work, in which the outbox is looked at.
        pace = {"requests_per_second": 300.0}
        report = await rig.sync(rows_for(names(300)), crm=crm, limits=pace)

        assert report.deliveries == {"waiting": 300}
        assert rig.simulator.stats()["crm"]["in_flight_peak"] > 0
        assert time.monotonic() - started < 15.0


async def test_events_are_signed_with_every_secret_while_they_are_rotated(rig: Rig) -> None:
    old, new = ("whsec_" + b64encode(secrets.token_bytes(32)).decode() for _ in range(2))
    seen: list[HttpRequest] = []

    class Listening:
        async def send(self, request: HttpRequest) -> HttpResponse:
            seen.append(request)
            return HttpResponse(204, {}, b"")

    rig.environment["AFTERCALL_CRM_SECRET"] = f"{new} {old}"
    async with rig.session() as session:
        (line,) = session._outside.crm
        heard_by = [replace(line, transport=Listening())]
        session._outside = replace(session._outside, crm=heard_by)
        report = await session.perform(session.objects(rows_for(names(1))))

    assert report.deliveries == {"delivered": 1}
    (request,) = seen
    body = (request.body or b"").decode()
    for secret in (old, new):
        assert Webhook(secret).verify(body, dict(request.headers)) == json.loads(body)


KILLED_AT = ("after settle", "before delivery", "after delivery", "inside record", "after record")


@pytest.mark.parametrize("point", KILLED_AT)
async def test_after_kill_9_every_endpoint_has_heard_of_everything_under_one_id(
    tmp_path: Path, point: str
) -> None:
    async with rigged(tmp_path) as rig:
        rig.environment |= SECRETS
        tables = {"crm": endpoints(rig.simulator.crm_url, sales={}, legal={})}
        path = write_calls(tmp_path / "calls.csv", 66, 3)
        for passage in (1, 7):
            task = {"point": point, "passage": passage}
            assert await drive(rig, [path], tables=tables, **task) is None
        final = await drive(rig, [path], tables=tables)
        assert final is not None
        async with rig.session(None, **tables) as session:
            report = session.report(session.journal.archive.runs()[0].run)

        applied = {
            named(entry)
            for entry in trail(report)
            if entry["kind"] == "settled" and entry["status"] == "applied"
        }
        assert report.deliveries == {"delivered": 2 * len(applied)}
        ids: set[str] = set()
        for events in heard(rig).values():
            told: dict[object, set[str]] = defaultdict(set)
            for event in events:
                told[named(event["body"]["data"])].add(event["id"])
            assert set(told) == applied
            assert all(len(used) == 1 for used in told.values())
            ids.update(*told.values())
        assert len(ids) == 2 * len(applied)
