"""Contacts on a call are never written over."""

import asyncio

import pytest

from aftercall.domain.status import Status
from aftercall.simulator import Faults

from .books import assert_books_balance, trail
from .conftest import Rigged
from .rig import names, record, row, rows_for, until, world_of

TALK = 1.0
CALL = [["CONNECTED", TALK], ["WRAP_UP", 0.3], ["READY", None]]


async def test_a_contact_on_a_call_is_looked_at_again_and_written_after_it(
    rig_with: Rigged,
) -> None:
    busy = [{"contact": name, "timeline": CALL} for name in names(6, "busy")]
    async with rig_with(world=world_of(*busy)) as rig:
        report = await rig.sync(rows_for([*names(6, "busy"), *names(6)]))

        assert report.statuses == {Status.APPLIED: 12}
        assert rig.answers("GET") == {"200": 18}
        assert rig.simulator.stats()["live_call_writes"] == 0
        landed = {change["contact"]: change["at"] for change in rig.ledger()}
        first_idle = min(landed[name] for name in names(6))
        # The first look is followed by another 2 s later, when the call is over.
        assert all(landed[name] - first_idle >= TALK + 0.3 for name in names(6, "busy"))
        assert {change["state"] for change in rig.ledger()} == {"READY"}
        assert_books_balance(report, rig.ledger(), rig.crm())


@pytest.mark.parametrize("state", ["DIALING", "RINGING", "CONNECTED", "WRAP_UP"])
async def test_no_active_state_is_written_over(rig_with: Rigged, state: str) -> None:
    async with rig_with(world=world_of({"contact": "busy", "state": state})) as rig:
        report = await rig.sync(rows_for(["busy", "idle"]), rows={"defer_minutes": 0.0})

        assert report.statuses == {Status.DEFERRED: 1, Status.APPLIED: 1}
        assert rig.answers("PATCH") == {"204": 1}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_call_that_outlasts_the_window_is_left_for_a_later_run(rig_with: Rigged) -> None:
    async with rig_with(world=world_of({"contact": "busy", "state": "CONNECTED"})) as rig:
        rows = {"defer_minutes": 0.03}
        report = await rig.sync(rows_for(["busy", "idle"]), rows=rows)

        assert report.statuses == {Status.DEFERRED: 1, Status.APPLIED: 1}
        assert (report.open, report.failed, report.state) == (1, 0, "paused")
        assert rig.answers("GET") == {"200": 3}
        assert not [entry for entry in trail(report) if entry["contact_id"] == "busy"]

        rig.simulator.extend_world({"contacts": [{"campaign": "C1", "contact": "busy"}]})
        later = await rig.resume(rows=rows)
        assert later.run == report.run
        assert later.statuses == {Status.APPLIED: 2}
        assert (later.open, later.state) == (0, "finished")
        assert_books_balance(later, rig.ledger(), rig.crm())


async def test_the_next_run_over_another_file_takes_the_deferred_rows_along(
    rig_with: Rigged,
) -> None:
    async with rig_with(world=world_of({"contact": "busy", "state": "RINGING"})) as rig:
        rows = {"defer_minutes": 0.0}
        async with rig.session(rows=rows) as session:
            first = await session.perform(session.objects(rows_for(["busy"])))
            assert first.open == 1
            rig.simulator.extend_world({"contacts": [{"campaign": "C1", "contact": "busy"}]})
            second = await session.perform(session.objects(rows_for(["other"])))
            first = session.report(first.run)

        assert first.statuses == {Status.APPLIED: 1}
        assert second.statuses == {Status.APPLIED: 1}
        assert_books_balance([first, second], rig.ledger(), rig.crm())


async def test_a_call_that_begins_between_read_and_write_is_caught_by_the_etag(
    rig_with: Rigged,
) -> None:
    # At 2.5 requests a second the write leaves 0.4 s after the read: the call begins meanwhile.
    timeline = [["READY", 0.2], ["CONNECTED", 1.0], ["READY", None]]
    async with rig_with(world=world_of({"contact": "p1", "timeline": timeline})) as rig:
        limits = {"requests_per_second": 2.5}
        report = await rig.sync([row("p1")], limits=limits)

        assert report.statuses == {Status.APPLIED: 1}
        assert rig.answers("PATCH") == {"412": 1, "204": 1}
        assert rig.simulator.stats()["live_call_writes"] == 0
        (entry,) = [entry for entry in trail(report) if entry["status"] == "applied"]
        assert entry["conditional"] is True
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_without_etags_the_window_is_recorded_instead(rig_with: Rigged) -> None:
    async with rig_with(etags=False) as rig:
        report = await rig.sync(rows_for(names(10)), limits={"requests_per_second": 50.0})

        assert report.statuses == {Status.APPLIED: 10}
        assert not any(change["if_match"] for change in rig.ledger())
        entries = trail(report)
        assert all(entry["conditional"] is False for entry in entries)
        assert all(0 < entry["read_to_write_ms"] < 2100 for entry in entries)
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_read_that_grew_old_is_made_again_before_the_write(rig_with: Rigged) -> None:
    # The write is refused (401) and a new token takes 2.5 s: what was read is too old by then.
    slow = Faults.from_json({"token_slow": 1, "slow_seconds": 2.5, "fault_limit": 1})
    async with rig_with(etags=False) as rig:
        async with rig.session(limits={"requests_per_second": 4.0}) as session:
            recorder = record(session)
            working = asyncio.create_task(session.perform(session.objects([row("p1")])))
            await until(lambda: [sent.status for sent in recorder.of("GET")] == [200])
            rig.simulator.set_faults(slow)
            rig.simulator.revoke_tokens()
            report = await working

        assert report.statuses == {Status.APPLIED: 1}
        assert rig.answers("GET") == {"200": 2}
        assert rig.answers("PATCH") == {"401": 1, "204": 1}
        assert recorder.of("PATCH")[-1].left - recorder.of("GET")[-1].answered < 2.0
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_state_that_is_not_known_counts_as_a_call(rig_with: Rigged) -> None:
    async with rig_with(world=world_of({"contact": "odd", "state": ""})) as rig:
        report = await rig.sync([row("odd")], rows={"defer_minutes": 0.0})

        assert report.statuses == {Status.DEFERRED: 1}
        await until(lambda: rig.answers("GET") == {"200": 1})
        assert rig.ledger() == []
