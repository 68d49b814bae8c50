"""The read side: what reports, listings and result files are made of."""

import json
from functools import partial

import pytest

from aftercall.domain.audit import Exchange
from aftercall.domain.report import LatencyCount, Tally
from aftercall.domain.settlement import Moment, conclude
from aftercall.domain.status import OPEN, REFUSED, Status
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter, EventFilter

from .rig import (
    BROKEN,
    GONE,
    HELD,
    NOW,
    POLICY,
    RUN,
    WRITTEN,
    Contract,
    Rig,
    broken,
    candidate,
    latencies,
)
from .rig import (
    REFUSED as REFUSAL,
)


def listed(rig: Rig, **asked: object) -> list[tuple[str, str]]:
    """Return contact and status of the entries that are asked for."""
    found = rig.journal.archive.entries(AuditFilter(**asked))  # type: ignore[arg-type]
    return [(one["contact_id"], one["status"]) for one in map(json.loads, found)]


class ArchiveContract(Contract):
    async def test_an_empty_journal_has_nothing(self, rig: Rig) -> None:
        archive = rig.journal.archive
        assert archive.runs() == []
        assert archive.runs("run-9") == []
        assert archive.crm.count() == {}
        assert archive.crm.find(EventFilter(), 5) == []
        assert list(archive.entries(AuditFilter())) == []

    async def test_runs_are_listed_the_newest_first(self, rig: Rig) -> None:
        for run in ("run-b", "run-a", "run-c"):
            await rig.admit(candidate(run), run=run)
        assert [one.run for one in rig.journal.archive.runs()] == ["run-c", "run-a", "run-b"]
        assert [one.run for one in rig.journal.archive.runs("run-a")] == ["run-a"]

    async def test_the_newest_run_with_something_left_is_found(self, rig: Rig) -> None:
        archive = rig.journal.archive
        assert archive.newest_open_run() is None
        await rig.admit(candidate("P1"), run="run-a")
        await rig.admit(candidate("P2"), run="run-b")
        for run in ("run-a", "run-b"):
            await rig.journal.intake.finish(run, NOW)
        assert archive.newest_open_run() == "run-b"
        for campaign in await rig.journal.claims.due():
            await rig.journal.claims.take_turn(campaign, 10, NOW)
        assert archive.newest_open_run() == "run-b"

    async def test_tallies_count_every_row_once(self, rig: Rig) -> None:
        await rig.bring(WRITTEN, "P1")
        await rig.bring(WRITTEN, "P2")
        await rig.bring(REFUSAL, "P3")
        await rig.admit(candidate("P3", campaign="C2", outcome="CALL_BACK"), broken(), broken())
        tallies = rig.journal.archive.tallies(RUN)
        assert set(tallies) == {
            Tally(Status.APPLIED, "written", "C1", "SALE", 2),
            Tally(Status.REJECTED, "refused_409", "C1", "SALE", 1),
            Tally(Status.PENDING, "", "C2", "CALL_BACK", 1),
            Tally(Status.INVALID, "missing_value", "", "", 2),
        }
        assert len(tallies) == 4
        assert sum(one.rows for one in tallies) == rig.journal.archive.runs(RUN)[0].read

    async def test_rows_come_in_the_order_of_the_input_by_status(self, rig: Rig) -> None:
        await rig.admit(
            candidate("P1", line=2), broken(3), candidate("P2", line=4), candidate("P3", line=5)
        )
        first, *_ = (await rig.turn(rows_max=1)).claims
        await rig.settle(first, GONE)
        assert [row.line for row in rig.rows(statuses=REFUSED)] == [2, 3]
        assert [row.line for row in rig.rows(statuses=OPEN)] == [4, 5]
        assert [row.line for row in rig.rows(statuses=())] == []
        assert [row.line for row in rig.rows()] == [2, 3, 4, 5]

    async def test_a_row_says_why_and_how_often(self, rig: Rig) -> None:
        await rig.bring(REFUSAL)
        (row,) = rig.rows()
        assert (row.reason, row.words) == ("refused_409", "The contact is closed.")
        assert (row.attempts, row.source) == (1, (await rig.source()).number)

    async def test_latencies_are_of_rows_that_were_sent(self, rig: Rig) -> None:
        await rig.bring(WRITTEN)
        await rig.bring(BROKEN, "P2")
        await rig.admit(candidate("P3"), broken())
        twice = {"wait": [95.0] * 2, "read": [10.0] * 2, "write": [20.0] * 2, "row": [30.0] * 2}
        assert latencies(rig) == twice
        assert rig.journal.archive.latencies(RUN)[-1] == LatencyCount(
            "write", 20.0, 2, 40_000, 20.0
        )

    async def test_of_a_row_that_was_sent_again_the_last_time_counts(self, rig: Rig) -> None:
        await rig.bring(BROKEN)
        claim = await rig.claim(at_ms=NOW + 10**6)
        longer = Exchange(read_ms=1234.5, wait_ms=0.0)
        settlement = conclude(claim, HELD, longer, POLICY, Moment(NOW + 10**6, 0.5))
        assert await rig.journal.claims.settle(settlement, ())
        assert latencies(rig) == {"wait": [0.0], "read": [1230.0], "row": [1230.0]}

    async def test_the_first_rows_of_some_statuses_are_listed(self, rig: Rig) -> None:
        for contact, verdict in (("P1", GONE), ("P2", WRITTEN), ("P3", REFUSAL), ("P4", GONE)):
            await rig.bring(verdict, contact)
        await rig.admit(broken(), candidate("P5"))
        listed = partial(rig.journal.archive.first_rows, RUN)
        assert listed(REFUSED, 9) == rig.rows(statuses=REFUSED)
        assert [row.contact for row in listed(REFUSED, 2)] == ["P1", "P3"]
        assert [row.contact for row in listed({Status.PENDING, Status.APPLIED}, 2)] == ["P2", "P5"]
        assert listed((), 9) == []
        assert rig.journal.archive.standings(RUN) == {
            Status.MISSING: 2,
            Status.APPLIED: 1,
            Status.REJECTED: 1,
            Status.INVALID: 1,
            Status.PENDING: 1,
        }

    async def test_the_newest_runs_are_listed_without_the_others(self, rig: Rig) -> None:
        for number in range(5):
            await rig.source(f"run-{number}")
        archive = rig.journal.archive
        assert archive.count_runs() == 5
        assert [one.run for one in archive.runs(most=2)] == ["run-4", "run-3"]

    async def test_at_one_instant_nothing_changes(self, rig: Rig) -> None:
        await rig.admit(candidate("P1"))
        archive = rig.journal.archive
        with archive.one_instant():
            before = archive.runs(RUN)
            await rig.admit(candidate("P2"))
            assert archive.runs(RUN) == before
            assert archive.standings(RUN) == {Status.PENDING: 1}
        assert archive.standings(RUN) == {Status.PENDING: 2}

    async def test_entries_are_found_by_run_campaign_contact_and_time(self, rig: Rig) -> None:
        await rig.bring(WRITTEN, "P1", at_ms=NOW)
        await rig.bring(GONE, "P2", at_ms=NOW + 10)
        await rig.admit(candidate("P1", campaign="C2"), run="run-2", at_ms=NOW + 20)
        await rig.settle(await rig.claim("C2", at_ms=NOW + 20), REFUSAL, NOW + 20)
        assert listed(rig) == [("P1", "applied"), ("P2", "missing"), ("P1", "rejected")]
        assert listed(rig, run=RUN) == [("P1", "applied"), ("P2", "missing")]
        assert listed(rig, contact="P1") == [("P1", "applied"), ("P1", "rejected")]
        assert listed(rig, campaign="C2") == [("P1", "rejected")]
        assert listed(rig, from_ms=NOW + 10) == [("P2", "missing"), ("P1", "rejected")]
        assert listed(rig, until_ms=NOW + 10) == [("P1", "applied")]
        assert listed(rig, from_ms=NOW + 1, until_ms=NOW + 20) == [("P2", "missing")]
        assert listed(rig, run="run-2", campaign="C1") == []
        assert listed(rig, run=RUN, contact="P2", until_ms=NOW + 11) == [("P2", "missing")]
        assert listed(rig, contact="P1", campaign="C1") == [("P1", "applied")]

    async def test_what_is_asked_of_an_unknown_run_is_refused(self, rig: Rig) -> None:
        archive = rig.journal.archive
        with pytest.raises(JournalError, match="There is no run run-9") as refusal:
            archive.tallies("run-9")
        assert refusal.value.next_command == "aftercall runs"
        with pytest.raises(JournalError):
            list(archive.rows("run-9", OPEN))
        with pytest.raises(JournalError):
            list(archive.entries(AuditFilter(run="run-9")))

    async def test_a_reader_sees_one_instant_while_rows_come_in(self, rig: Rig) -> None:
        await rig.admit(*(candidate(f"P{each}") for each in range(10)))
        reading = rig.journal.archive.rows(RUN, OPEN)
        seen = [next(reading).contact]
        await rig.admit(*(candidate(f"Q{each}") for each in range(10)))
        seen += [row.contact for row in reading]
        assert seen == [f"P{each}" for each in range(10)]
