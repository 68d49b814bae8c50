"""Requests that get no answer, or one that hides what happened."""

import asyncio

import pytest

from aftercall.domain.status import Status
from aftercall.errors import Interrupted

from .books import assert_books_balance, outcomes_held, trail
from .conftest import Rigged
from .rig import always, hit_on_write, names, on_write, row, rows_for, until

CONTACTS = 12
IMPATIENT = {"read_seconds": 0.4, "total_seconds": 0.4}


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "error_before", "slow"])
async def test_a_lost_read_is_made_again(rig_with: Rigged, kind: str) -> None:
    async with rig_with(faults=always(kind, slow_seconds=1.0)) as rig:
        report = await rig.sync(rows_for(names(CONTACTS)), tenant=IMPATIENT)

        assert report.statuses == {Status.APPLIED: CONTACTS}
        assert rig.simulator.stats()["faults"] == {kind: CONTACTS}
        assert_books_balance(report, rig.ledger(), rig.crm())
        # A slow answer is counted when it is given at last, to nobody.
        await until(lambda: sum(rig.answers("GET").values()) == 2 * CONTACTS)
        assert rig.answers("PATCH") == {"204": CONTACTS}


async def test_a_write_that_was_reset_before_it_was_processed_is_made_again(
    rig_with: Rigged,
) -> None:
    contacts = hit_on_write("reset_before", 6)
    async with rig_with(faults=on_write("reset_before")) as rig:
        report = await rig.sync(rows_for(contacts))

        assert report.reasons(Status.APPLIED) == {"written": 6}
        assert rig.answers("PATCH") == {"aborted": 6, "204": 6}
        assert_books_balance(report, rig.ledger(), rig.crm())


@pytest.mark.parametrize("kind", ["reset_after", "error_after_commit", "truncated", "slow"])
@pytest.mark.parametrize("patch_status", [200, 204])
async def test_a_write_that_landed_unseen_is_read_back_and_not_repeated(
    rig_with: Rigged, kind: str, patch_status: int
) -> None:
    contacts = hit_on_write(kind, 6)
    faults = on_write(kind, slow_seconds=1.0)
    async with rig_with(faults=faults, patch_status=patch_status) as rig:
        report = await rig.sync(rows_for(contacts), tenant=IMPATIENT)

        assert report.reasons(Status.APPLIED) == {"read_back": 6}
        assert sum(rig.answers("PATCH").values()) == 6
        assert_books_balance(report, rig.ledger(), rig.crm())
        doubts = [entry for entry in trail(report) if entry["kind"] == "in_doubt"]
        assert {entry["contact_id"] for entry in doubts} == set(contacts)


async def test_a_503_before_the_write_is_read_back_and_made_again(rig_with: Rigged) -> None:
    contacts = hit_on_write("error_before", 6)
    async with rig_with(faults=on_write("error_before")) as rig:
        report = await rig.sync(rows_for(contacts))

        assert report.reasons(Status.APPLIED) == {"written": 6}
        assert rig.answers("PATCH") == {"503": 6, "204": 6}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_late_commit_loses_against_the_write_made_meanwhile(rig_with: Rigged) -> None:
    # The first write commits 2.5 s after it was sent, long after we gave it up (0.4 s), read the
    # contact back (after a grace of 1 s), found it untouched and wrote it again.
    contacts = hit_on_write("slow_before", 5)
    async with rig_with(faults=on_write("slow_before", slow_seconds=2.5)) as rig:
        report = await rig.sync(rows_for(contacts), tenant=IMPATIENT)
        await until(lambda: rig.answers("PATCH") == {"204": 5, "412": 5})

        assert report.reasons(Status.APPLIED) == {"written": 5}
        assert rig.simulator.stats()["changes"] == 5
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_late_commit_is_found_by_the_read_back(rig_with: Rigged) -> None:
    # It commits 0.8 s after it was sent: after we gave up, before the grace is over.
    contacts = hit_on_write("slow_before", 5)
    async with rig_with(faults=on_write("slow_before", slow_seconds=0.8)) as rig:
        report = await rig.sync(rows_for(contacts), tenant=IMPATIENT)

        assert report.statuses == {Status.APPLIED: 5}
        assert rig.simulator.stats()["changes"] == 5
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_late_commit_without_etags_changes_nothing_twice(rig_with: Rigged) -> None:
    contacts = hit_on_write("slow_before", 5)
    faults = on_write("slow_before", slow_seconds=2.5)
    async with rig_with(faults=faults, etags=False) as rig:
        report = await rig.sync(rows_for(contacts), tenant=IMPATIENT)
        await until(lambda: rig.answers("PATCH") == {"204": 10})

        assert report.statuses == {Status.APPLIED: 5}
        assert_books_balance(report, rig.ledger(), rig.crm(), repeats_allowed=True)


async def test_a_doubtful_older_row_is_read_back_before_a_newer_one_is_written(
    rig_with: Rigged,
) -> None:
    # The older rows' writes land unseen and the run is stopped before it can read them back;
    # newer rows of the contacts come with the next run.
    contacts = hit_on_write("reset_after", 3)
    newer_rows = [
        row(one, outcome="DO_NOT_CALL", timestamp="2026-01-16T10:00:00Z") for one in contacts
    ]
    async with rig_with(faults=on_write("reset_after")) as rig, rig.session() as session:
        job = session.objects(rows_for(contacts))
        working = asyncio.create_task(session.perform(job))
        await until(lambda: rig.answers("PATCH") == {"aborted": 3})
        job.run.halt.throw(Interrupted("That is enough."))
        assert (await working).statuses == {Status.DOUBTFUL: 3}
        newer = await session.perform(session.objects(newer_rows))
        older = session.report(job.run.run)

        assert older.reasons(Status.APPLIED) == {"read_back": 3}
        assert newer.reasons(Status.APPLIED) == {"written": 3}
        assert set(outcomes_held(rig.ledger()).values()) == {("INTERESTED", "DO_NOT_CALL")}
        assert_books_balance([older, newer], rig.ledger(), rig.crm())


async def test_a_mix_of_everything_that_can_get_lost(rig_with: Rigged) -> None:
    kinds = ("reset_before", "reset_after", "error_before", "error_after_commit")
    odd = ("garbage", "truncated", "redirect", "conflict")
    faults = always("slow", slow_seconds=0.6).replaced_from(
        dict.fromkeys((*kinds, *odd), 0.06) | {"slow": 0.02, "fault_limit": 3}
    )
    rows = [
        row(f"k{number}", f"C{number % 5}", "DO_NOT_CALL" if number % 7 == 0 else "INTERESTED")
        for number in range(300)
    ]
    async with rig_with(faults=faults) as rig:
        report = await rig.sync(rows, tenant=IMPATIENT, retry={"wait_seconds_max": 0.5})

        assert report.statuses == {Status.APPLIED: 300}
        suffered = rig.simulator.stats()["faults"]
        assert set(suffered) == {*kinds, *odd, "slow"}
        assert_books_balance(report, rig.ledger(), rig.crm())
