"""A run that is asked to stop finishes what is under way and leaves the rest for a resume."""

import asyncio
import time

import pytest

import aftercall
from aftercall.domain.status import Status
from aftercall.errors import Interrupted
from aftercall.simulator import Faults

from .books import assert_books_balance
from .conftest import Rigged
from .rig import Rig, Row, names, record, row, rows_for, until, within

ENOUGH = Interrupted("The user pressed Ctrl-C.")


def many(count: int) -> list[Row]:
    return [row(f"k{number}", f"C{number % 4}") for number in range(count)]


async def test_a_stop_in_mid_run_leaves_nothing_half_done(rig_with: Rigged) -> None:
    async with rig_with(latency_ms=30) as rig:
        async with rig.session() as session:
            recorder = record(session)
            job = session.objects(many(400))
            working = asyncio.create_task(session.perform(job))
            await until(lambda: rig.has_changed(60))
            job.run.halt.throw(ENOUGH)
            stopped = time.monotonic()
            report = await within(10, working)

            # What had its slot already may still leave; nobody new gets one.
            assert all(sent.left - stopped < 0.2 for sent in recorder.sent)
            assert all(sent.status is not None for sent in recorder.sent)
        assert job.run.halt.reason is ENOUGH
        assert Status.WRITING not in report.statuses
        assert report.count(Status.APPLIED) == rig.simulator.stats()["changes"]
        assert report.open == 400 - report.count(Status.APPLIED) > 0
        assert_books_balance(report, rig.ledger(), rig.crm())

        final = await rig.resume()
        assert final.run == report.run
        assert final.statuses == {Status.APPLIED: 400}
        assert_books_balance(final, rig.ledger(), rig.crm())


async def test_a_stop_while_rows_are_deferred_does_not_wait_for_them(rig_with: Rigged) -> None:
    async with rig_with() as rig, rig.session() as session:
        busy = [{"campaign": "C1", "contact": name, "state": "CONNECTED"} for name in names(3)]
        rig.simulator.extend_world({"contacts": busy})
        job = session.objects(rows_for(names(6)))
        working = asyncio.create_task(session.perform(job))
        await until(lambda: rig.has_changed(3))
        job.run.halt.throw(ENOUGH)
        report = await within(5, working)

        assert report.count(Status.APPLIED) == 3
        assert report.open == 3
        idle = [{"campaign": "C1", "contact": name} for name in names(3)]
        rig.simulator.extend_world({"contacts": idle})
        final = await session.perform(session.resume(None))
        assert final.statuses == {Status.APPLIED: 6}
        assert_books_balance(final, rig.ledger(), rig.crm())


async def test_a_stop_does_not_wait_for_a_crm_that_is_down(rig_with: Rigged) -> None:
    async with rig_with(faults=Faults(crm_down_seconds=3600.0)) as rig, rig.session() as session:
        job = session.objects(many(200))
        working = asyncio.create_task(session.perform(job))
        await until(lambda: rig.has_changed(30))
        job.run.halt.throw(ENOUGH)
        report = await within(5, working)

        applied = report.count(Status.APPLIED)
        assert report.deliveries == {"waiting": applied}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_stop_before_anything_was_written_sends_nothing(rig: Rig) -> None:
    async with rig.session() as session:
        job = session.objects(many(50))
        job.run.halt.throw(ENOUGH)
        with pytest.raises(Interrupted):
            await within(5, session.perform(job))
        assert list(session.journal.archive.runs()) == []

    assert rig.ledger() == []


async def test_a_reader_who_leaves_before_the_tenant_has_let_us_in_is_not_kept(
    rig_with: Rigged,
) -> None:
    faults = Faults.from_json({"token_slow": 1, "slow_seconds": 60.0})
    async with rig_with(faults=faults) as rig:
        async with aftercall.open(rig.config(), rig.environment) as session:
            rows = session.sync(many(5))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(rows), 0.3)
            with pytest.raises(RuntimeError, match="no report"):
                _ = session.report
        assert rig.ledger() == []


async def test_a_reader_who_leaves_early_stops_the_run(rig_with: Rigged) -> None:
    rows = many(300)
    async with rig_with(latency_ms=10) as rig:
        async with aftercall.open(rig.config(), rig.environment) as session:
            async for settled in session.sync(rows):
                assert settled.status is Status.APPLIED
                break
        report = session.report

        assert 1 <= report.count(Status.APPLIED) < 300
        assert Status.WRITING not in report.statuses
        assert_books_balance(report, rig.ledger(), rig.crm())
        # Objects cannot be read again from the journal; what came in is gone on with.
        again = await rig.sync(rows)
        first = await rig.resume()
        assert first.open == again.open == 0
        landed = {(change["campaign"], change["contact"]) for change in rig.ledger()}
        assert len(landed) == len(rig.ledger()) == 300


async def test_a_slow_reader_holds_the_work_up_and_can_leave(rig: Rig) -> None:
    # Not more may pile up than the stream says it keeps (1000 rows) and what is under way.
    config = rig.config(limits={"requests_per_second": 10_000.0})
    seen, since = -1, 0.0

    def at_rest() -> bool:
        nonlocal seen, since
        changes = int(rig.simulator.stats()["changes"])
        if changes != seen:
            seen, since = changes, time.monotonic()
        return changes >= 1000 and time.monotonic() - since > 1.0

    async with aftercall.open(config, rig.environment) as session:
        stream = session.sync(many(4000))
        await anext(stream)
        await until(at_rest, 30)
        assert seen <= 2500
        await within(15, session.stop())
    assert session.report.open > 0
