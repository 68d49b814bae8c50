"""How rows enter a journal."""

import json

import pytest

from aftercall.domain.audit import Settled
from aftercall.domain.status import Status
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter, SourceRecord

from .rig import (
    BUSY,
    GONE,
    HELD,
    LOST,
    NOON,
    NOW,
    REFUSED,
    RUN,
    WRITTEN,
    Contract,
    Rig,
    broken,
    candidate,
    contacts,
)


class IntakeContract(Contract):
    async def test_a_row_enters_as_pending_and_all_of_it_comes_out_again(self, rig: Rig) -> None:
        given = {"notes": "two\r\nlines 😀", "custom_fields": {"a": [1, None]}, "event_id": "E1"}
        row = candidate("Pé", line=5, **given)
        assert await rig.admit(row) == []
        (stored,) = rig.rows()
        assert (stored.line, stored.cells, stored.status) == (5, row.cells, Status.PENDING)
        assert (stored.campaign, stored.contact, stored.outcome) == ("C1", "Pé", "SALE")
        assert (stored.attempts, stored.problems, stored.settled_ms) == (0, None, None)
        claim = await rig.claim()
        assert claim.disposition == row.disposition
        assert (claim.category, claim.origin.run, claim.origin.source) == (
            row.category,
            RUN,
            "run-1.csv",
        )
        assert (claim.origin.line, claim.origin.sha256) == (5, "ab" * 32)

    async def test_an_invalid_row_is_settled_at_once_with_all_its_problems(self, rig: Rig) -> None:
        (settled,) = await rig.admit(broken(3, contact="P9", campaign="C1"))
        assert settled == Settled(
            run=RUN,
            source="run-1.csv",
            line=3,
            campaign="C1",
            contact="P9",
            outcome="",
            status=Status.INVALID,
            reason="missing_value",
            message="The agent is empty. The outcome is no code.",
        )
        (stored,) = rig.rows()
        assert (stored.status, stored.reason, stored.settled_ms) == (
            Status.INVALID,
            "missing_value",
            NOW,
        )
        problems = json.loads(stored.problems or "")
        assert [(one["field"], one["code"], one["hint"]) for one in problems] == [
            ("agent", "missing_value", "Fill it in."),
            ("outcome", "bad_outcome", "Write SALE."),
        ]
        assert await rig.journal.claims.due() == {}

    async def test_the_same_row_twice_in_a_batch_is_a_duplicate(self, rig: Rig) -> None:
        settled = await rig.admit(candidate(line=2), broken(3), candidate(line=4))
        assert [(one.line, one.status) for one in settled] == [
            (3, Status.INVALID),
            (4, Status.DUPLICATE),
        ]
        assert rig.statuses() == [Status.PENDING, Status.INVALID, Status.DUPLICATE]
        assert settled[1].reason == "same_disposition"

    async def test_the_same_row_in_a_later_batch_is_a_duplicate(self, rig: Rig) -> None:
        await rig.admit(candidate(line=2))
        (settled,) = await rig.admit(candidate(line=3))
        assert settled.status is Status.DUPLICATE
        assert rig.statuses() == [Status.PENDING, Status.DUPLICATE]

    async def test_the_same_row_in_a_later_run_is_a_duplicate(self, rig: Rig) -> None:
        await rig.bring(WRITTEN)
        (settled,) = await rig.admit(candidate(), run="run-2")
        assert (settled.run, settled.status) == ("run-2", Status.DUPLICATE)
        assert rig.statuses() == [Status.APPLIED]
        assert rig.statuses("run-2") == [Status.DUPLICATE]

    async def test_rows_that_differ_in_a_keyed_field_are_no_duplicates(self, rig: Rig) -> None:
        rows = [
            candidate("P1"),
            candidate("P2"),
            candidate("P1", agent="A2"),
            candidate("P1", outcome="CALL_BACK"),
            candidate("P1", campaign="C2"),
            candidate("P1", timestamp=NOON),
            candidate("P1", event_id="E1"),
        ]
        assert await rig.admit(*rows) == []
        assert rig.statuses() == [Status.PENDING] * len(rows)

    async def test_a_row_that_is_on_its_way_or_held_back_is_a_duplicate_too(self, rig: Rig) -> None:
        await rig.bring(BUSY)
        assert (await rig.admit(candidate()))[0].status is Status.DUPLICATE
        await rig.bring(LOST, "P2")
        assert (await rig.admit(candidate("P2")))[0].status is Status.DUPLICATE
        await rig.bring(HELD, "P3")
        assert (await rig.admit(candidate("P3")))[0].status is Status.DUPLICATE

    async def test_a_row_that_was_refused_may_be_fed_again(self, rig: Rig) -> None:
        await rig.bring(REFUSED)
        await rig.bring(GONE, "P2")
        assert await rig.admit(candidate("P1"), candidate("P2"), run="run-2") == []
        assert rig.statuses("run-2") == [Status.PENDING, Status.PENDING]
        assert contacts(await rig.turn()) == ["P1", "P2"]

    async def test_every_row_that_is_settled_on_entering_has_an_audit_entry(self, rig: Rig) -> None:
        await rig.admit(candidate(line=2), candidate(line=3), broken(4))
        entries = [json.loads(one) for one in rig.journal.archive.entries(AuditFilter())]
        assert [(one["line"], one["status"], one["kind"]) for one in entries] == [
            (3, "duplicate", "settled"),
            (4, "invalid", "settled"),
        ]
        assert [one["row_id"] for one in entries] == [row.id for row in rig.rows()[1:]]

    async def test_what_was_read_is_counted_for_the_run_and_the_source(self, rig: Rig) -> None:
        await rig.admit(candidate(line=2), candidate(line=3), broken(4))
        await rig.admit(candidate("P2", line=5))
        await rig.journal.intake.close_source(await rig.source())
        (run,) = rig.journal.archive.runs(RUN)
        assert (run.read, run.intake_complete, run.started_ms) == (4, False, NOW)
        assert [(one.rows_read, one.complete) for one in run.sources] == [(4, True)]
        await rig.journal.intake.finish(RUN, NOW)
        assert rig.journal.archive.runs(RUN)[0].intake_complete is True

    async def test_a_source_keeps_how_it_was_read(self, rig: Rig) -> None:
        given = SourceRecord(
            0, "run-9", "ä.csv", "/in/ä.csv", None, {"delimiter": ";"}, ("Kündigung", "b")
        )
        (stored,) = await rig.journal.intake.begin("run-9", "newest", [given], NOW)
        assert stored.number > 0
        assert rig.journal.archive.runs("run-9")[0].sources == (stored,)

    async def test_a_batch_enters_as_a_whole_or_not_at_all(self, rig: Rig) -> None:
        await rig.source()
        unknown = SourceRecord(999, RUN, "x.csv", None, None, {}, ())
        with pytest.raises(JournalError):
            await rig.journal.intake.admit(unknown, [candidate(), candidate("P2")], NOW)
        assert rig.rows() == []
        assert rig.journal.archive.runs(RUN)[0].read == 0

    async def test_two_runs_of_one_name_are_refused(self, rig: Rig) -> None:
        await rig.source()
        given = SourceRecord(0, RUN, "x.csv", "/in/x.csv", None, {}, ())
        with pytest.raises(JournalError):
            await rig.journal.intake.begin(RUN, "newest", [given], NOW)
        assert len(rig.journal.archive.runs(RUN)[0].sources) == 1

    async def test_a_run_is_not_finished_before_all_its_files_were_read(self, rig: Rig) -> None:
        files = [
            SourceRecord(0, RUN, f"{name}.csv", f"/in/{name}.csv", None, {}, ())
            for name in ("a", "b")
        ]
        begun = await rig.journal.intake.begin(RUN, "newest", files, NOW)
        assert [one.name for one in begun] == ["a.csv", "b.csv"]
        await rig.journal.intake.close_source(begun[1])
        assert await rig.journal.intake.finish(RUN, NOW) == []
        assert rig.journal.archive.runs(RUN)[0].intake_complete is False
        await rig.journal.intake.close_source(begun[0])
        await rig.journal.intake.finish(RUN, NOW)
        assert rig.journal.archive.runs(RUN)[0].intake_complete is True

    @pytest.mark.parametrize("on_conflict", ["first", "error"])
    async def test_rows_are_held_back_until_their_conflicts_are_known(
        self, rig: Rig, on_conflict: str
    ) -> None:
        await rig.source(on_conflict=on_conflict)
        await rig.admit(candidate(), candidate("P2"))
        await rig.journal.claims.recover(NOW)
        assert await rig.journal.claims.due() == {}
        await rig.journal.intake.finish(RUN, NOW)
        assert contacts(await rig.turn()) == ["P1", "P2"]

    async def test_newest_leaves_the_choice_to_the_turn(self, rig: Rig) -> None:
        later = NOON.replace(hour=13)
        await rig.admit(candidate(timestamp=later), candidate(timestamp=NOON), candidate("P2"))
        assert await rig.journal.intake.finish(RUN, NOW) == []
        assert rig.statuses() == [Status.PENDING] * 3

    async def test_first_keeps_the_first_row_of_each_contact(self, rig: Rig) -> None:
        later = NOON.replace(hour=13)
        await rig.source(on_conflict="first")
        await rig.admit(
            candidate(line=2, timestamp=NOON),
            candidate("P2", line=3),
            candidate(line=4, timestamp=later),
            candidate(line=5, agent="A2"),
            candidate(line=6, campaign="C2"),
        )
        settled = await rig.journal.intake.finish(RUN, NOW)
        assert [(one.line, one.status, one.reason) for one in settled] == [
            (4, Status.SUPERSEDED, "not_first"),
            (5, Status.SUPERSEDED, "not_first"),
        ]
        assert contacts(await rig.turn()) == ["P1", "P2"]

    async def test_error_refuses_every_row_of_a_contact_with_several(self, rig: Rig) -> None:
        await rig.source(on_conflict="error")
        await rig.admit(candidate(line=2), candidate("P2", line=3), candidate(line=4, agent="A2"))
        settled = await rig.journal.intake.finish(RUN, NOW)
        assert [(one.line, one.status, one.reason) for one in settled] == [
            (2, Status.INVALID, "conflict"),
            (4, Status.INVALID, "conflict"),
        ]
        assert rig.statuses() == [Status.INVALID, Status.PENDING, Status.INVALID]
        assert len(list(rig.journal.archive.entries(AuditFilter(run=RUN)))) == 2

    async def test_a_duplicate_is_no_conflict_and_other_runs_are_none(self, rig: Rig) -> None:
        for run in (RUN, "run-2"):
            await rig.source(run, on_conflict="error")
        await rig.admit(candidate(timestamp=NOON), candidate(timestamp=NOON))
        await rig.admit(candidate(agent="A2"), run="run-2")
        assert await rig.journal.intake.finish("run-2", NOW) == []
        assert await rig.journal.intake.finish(RUN, NOW) == []
        assert rig.statuses() == [Status.PENDING, Status.DUPLICATE]

    async def test_an_unknown_run_is_named(self, rig: Rig) -> None:
        with pytest.raises(JournalError, match="There is no run nothing"):
            await rig.journal.intake.finish("nothing", NOW)
