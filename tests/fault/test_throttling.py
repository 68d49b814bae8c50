"""429: the campaign that it is about waits, the others go on."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import count, pairwise
from statistics import median
from typing import Any

import pytest

from aftercall.domain.pacing import SECOND_US
from aftercall.domain.status import Status
from aftercall.errors import Interrupted
from aftercall.simulator import Faults
from aftercall.simulator.chance import chance

from .books import assert_books_balance
from .conftest import Rigged
from .rig import Rig, always, names, record, rows_for, until, within

PACE = {"requests_per_second": 40.0}
ROWS = 50


def gaps(ledger: Sequence[Mapping[str, Any]], campaign: str) -> list[float]:
    """Return the seconds between one landing and the next in a campaign."""
    times = [change["at"] for change in ledger if change["campaign"] == campaign]
    return [later - earlier for earlier, later in pairwise(times)]


def one_victim(kind: str, contacts: Sequence[tuple[str, str]]) -> Faults:
    """Return faults that hit one GET, of the first campaign, and nothing else."""
    for seed in count():
        drawn = sorted(
            (chance(seed, kind, method, *contact, 1), method, contact)
            for contact in contacts
            for method in ("GET", "PATCH")
        )
        if drawn[0][1:] == ("GET", contacts[10]):
            break
    return Faults.from_json({kind: (drawn[0][0] + drawn[1][0]) / 2, "seed": seed})


@pytest.mark.parametrize(
    ("style", "pause"), [("seconds", (0.9, 1.8)), ("date", (0.9, 2.8)), ("none", (0.9, 1.8))]
)
async def test_a_throttled_campaign_waits_and_another_goes_on(
    rig_with: Rigged, style: str, pause: tuple[float, float]
) -> None:
    rows = rows_for(names(ROWS), "BUSY") + rows_for(names(ROWS), "CALM")
    contacts = [(str(one["campaign"]), str(one["contact"])) for one in rows]
    async with rig_with(faults=one_victim("throttle", contacts), retry_after=style) as rig:
        report = await rig.sync(rows, limits=PACE)

        assert report.statuses == {Status.APPLIED: 2 * ROWS}
        assert rig.answers("GET")["429"] == 1
        held = max(gaps(rig.ledger(), "BUSY"))
        assert pause[0] <= held <= pause[1]
        assert max(gaps(rig.ledger(), "CALM")) < 0.7
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_burst_of_429_without_retry_after_counts_as_one(rig_with: Rigged) -> None:
    # All that are on the way are refused at once: that is one refusal, not twenty in a row.
    async with rig_with(faults=always("throttle"), retry_after="none", latency_ms=50) as rig:
        report = await rig.sync(rows_for(names(20)))

        assert report.statuses == {Status.APPLIED: 20}
        assert rig.answers("GET") == {"429": 20, "200": 20}
        assert report.elapsed_seconds < 5.0
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_slot_given_before_the_429_is_not_used_after_it(rig_with: Rigged) -> None:
    # At 5/s the second slot lies 210 ms ahead when the first read is refused after 50 ms.
    async with rig_with(faults=always("throttle"), latency_ms=50, retry_after="seconds") as rig:
        limits = {"requests_per_second": 5.0}
        async with rig.session(limits=limits) as session:
            recorder = record(session)
            report = await session.perform(session.objects(rows_for(names(2))))

        assert report.statuses == {Status.APPLIED: 2}
        first, second = recorder.of("GET")[:2]
        assert first.status == 429
        assert second.left - first.answered >= 0.95
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_long_pause_is_waited_for_at_rest(rig: Rig) -> None:
    # Longer than a lane keeps requests waiting; asked for by the tenant before a restart.
    # Neither the processor nor the journal may be kept busy meanwhile.
    async with rig.session() as session:
        await session.perform(session.objects(rows_for(["first"])))
        until_us = time.time_ns() // 1000 + 600 * SECOND_US
        await session.journal.pacing.pause("C1", until_us)
        job = session.objects(rows_for(names(300)))
        working = asyncio.create_task(session.perform(job))
        await until(lambda: job.run.progress.stage == "writing")
        calm = time.monotonic() + 1.5
        await until(lambda: time.monotonic() > calm)
        job.run.halt.throw(Interrupted("That is enough."))
        report = await working

        assert (report.failed, report.open) == (0, 300)
        assert rig.simulator.stats()["changes"] == 1
        with closing(sqlite3.connect(rig.journal)) as db:
            (turns,) = db.execute("SELECT turn FROM campaign WHERE id = 'C1'").fetchone()
            (claims,) = db.execute("SELECT sum(serial) FROM row").fetchone()
        assert turns <= 5
        assert claims <= 200


async def test_a_pause_longer_than_a_run_waits_ends_the_run(rig: Rig) -> None:
    async with rig.session() as session:
        await session.perform(session.objects(rows_for(["first"])))
        until_us = time.time_ns() // 1000 + 7200 * SECOND_US
        await session.journal.pacing.pause("C1", until_us)
        job = session.objects(rows_for(names(30)) + rows_for(names(5), "OTHER"))
        report = await within(10, session.perform(job))

        assert report.statuses == {Status.PENDING: 30, Status.APPLIED: 5}
        assert report.state == "paused"
        assert job.run.halt.reason is None


async def test_429_for_every_request_fails_no_row(rig_with: Rigged) -> None:
    async with rig_with(faults=always("throttle"), retry_after="seconds") as rig:
        report = await rig.sync(rows_for(names(4)), retry={"attempts_max": 1})

        assert report.statuses == {Status.APPLIED: 4}
        assert rig.answers("GET")["429"] == 4
        assert sum(one.throttled for one in report.pace) == 4
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_pace_above_the_tenants_gives_way_to_it(rig_with: Rigged) -> None:
    world = {"contacts": [], "campaigns": {"C1": {"rate": 10}}}
    async with rig_with() as rig:
        rig.simulator.extend_world(world)
        rig.simulator.reset()
        async with rig.session(limits={"requests_per_second": 30.0}) as session:
            recorder = record(session)
            report = await session.perform(session.objects(rows_for(names(14))))

        assert report.statuses == {Status.APPLIED: 14}
        assert rig.simulator.stats()["campaigns"]["C1"]["throttled"] >= 2
        left = sorted(sent.left for sent in recorder.of("GET") + recorder.of("PATCH"))
        # The first refusal is forgiven; after the second no more than 24/s leave, 44 ms apart.
        assert median(later - earlier for earlier, later in pairwise(left[-9:])) >= 0.040
        assert_books_balance(report, rig.ledger(), rig.crm())
