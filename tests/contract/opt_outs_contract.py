"""Opt-outs: which have a clock, what reached the tenant, who acknowledged them."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from aftercall.domain import instant
from aftercall.domain.answer import Accepted, Observed, Refused, WriteAnswer
from aftercall.domain.audit import Exchange
from aftercall.domain.call_record import CallRecord
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind, FollowUpState, NewFollowUp
from aftercall.domain.follow_ups import Terms as FollowUpTerms
from aftercall.domain.follow_ups import concluded as record_concluded
from aftercall.domain.opt_outs import (
    Acknowledgement,
    Held,
    LackingRecord,
    OptOutFilter,
    OptOutRow,
    fate_of,
)
from aftercall.domain.settlement import Claim, Moment, Verdict, conclude
from aftercall.domain.status import Event, Status
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter, Candidate

from .rig import (
    BROKEN,
    GONE,
    HELD,
    NOON,
    NOW,
    POLICY,
    RUN,
    WRITTEN,
    Contract,
    Rig,
    broken,
    candidate,
    concluded,
)
from .rig import (
    REFUSED as REFUSAL,
)

HOUR = timedelta(hours=1)
SAID = Acknowledgement("Kim", "the number is disconnected", NOW + 5)


def opt_out(contact: str = "P1", received: datetime = NOON, **given: Any) -> Candidate:
    values: dict[str, Any] = {"outcome": "DO_NOT_CALL", "timestamp": NOON} | given
    row = candidate(contact, **values)
    return Candidate(
        line=row.line,
        cells=row.cells,
        disposition=row.disposition,
        category=row.category,
        key=row.key,
        opt_out_received=received,
    )


def listed(rig: Rig, **asked: Any) -> list[OptOutRow]:
    return list(rig.journal.archive.opt_outs(OptOutFilter(**asked)))


async def settled(rig: Rig, row: Candidate, verdict: Verdict, *, at_ms: int = NOW) -> Claim:
    await rig.admit(row)
    claim = await rig.claim(at_ms=at_ms)
    assert await rig.settle(claim, verdict, at_ms)
    return claim


async def followed(rig: Rig, row: Candidate, *groups: str) -> list[FollowUp]:
    """Bring an opt-out to the tenant, with records that are to follow; return those of all rows."""
    await rig.admit(row)
    assert row.disposition is not None
    claim = await rig.claim(row.disposition.campaign)
    new = [
        NewFollowUp(action=Action(FollowUpKind.DNC_GROUP, group), told={}, due_ms=NOW)
        for group in groups
    ]
    assert await rig.journal.claims.settle(concluded(claim, WRITTEN), (), new)
    return await rig.journal.follow_ups.due(FollowUpKind.DNC_GROUP, 9, NOW, NOW)


async def end(rig: Rig, one: FollowUp, got: WriteAnswer) -> None:
    assert await rig.journal.follow_ups.take([one], NOW, repeatable=True)
    terms = FollowUpTerms(repeatable=True, retry=POLICY.retry)
    settled = record_concluded(one, got, Exchange(), terms, Moment(NOW + 4, 0.5))
    await rig.journal.follow_ups.store([settled])


class OptOutsContract(Contract):
    async def test_only_opt_outs_have_a_clock(self, rig: Rig) -> None:
        await rig.admit(candidate("P1"), opt_out("P2"), broken())
        (one,) = listed(rig)
        assert (one.contact, one.received_ms, one.timestamp_ms) == ("P2", NOW, NOW)
        assert (one.status, one.run, one.source, one.line) == ("pending", RUN, f"{RUN}.csv", 2)
        assert (list(one.held), one.seen, one.acknowledged) == ([], None, None)
        assert rig.journal.archive.opt_out(one.row) == one
        assert rig.journal.archive.opt_out(1) is None
        assert rig.journal.archive.opt_out(99) is None

    async def test_the_clock_starts_when_it_was_received(self, rig: Rig) -> None:
        await rig.admit(opt_out("P1", NOON - 3 * HOUR), opt_out("P2", NOON - 9 * HOUR))
        assert [one.contact for one in listed(rig)] == ["P2", "P1"]
        assert listed(rig)[0].received_ms == NOW - 9 * 3_600_000

    async def test_a_broken_row_that_seems_to_be_one_has_a_clock(self, rig: Rig) -> None:
        row = broken(outcome="DO_NOT_CALL", campaign="C1", contact="P1")
        await rig.admit(Candidate(2, row.cells, problems=row.problems, told=row.told,
                                  category=opt_out().category, opt_out_received=NOON))  # fmt: skip
        (one,) = listed(rig)
        assert (one.status, one.reason, one.contact) == (Status.INVALID, "missing_value", "P1")
        assert one.timestamp_ms is None
        assert one.place == (NOW, one.row)

    async def test_they_are_found_by_whose_they_are_and_when_they_were_received(
        self, rig: Rig
    ) -> None:
        await rig.admit(opt_out("P1"), opt_out("P2", campaign="C2"), opt_out("P3", NOON - HOUR))
        assert [one.contact for one in listed(rig, campaign="C2")] == ["P2"]
        assert [one.contact for one in listed(rig, contact="P3")] == ["P3"]
        assert [one.contact for one in listed(rig, since_ms=NOW)] == ["P1", "P2"]
        assert [one.contact for one in listed(rig, until_ms=NOW)] == ["P3"]
        assert listed(rig, since_ms=NOW, contact="P3") == []

    async def test_a_duplicate_has_the_clock_of_what_it_repeats(self, rig: Rig) -> None:
        await rig.admit(opt_out("P1"), opt_out("P1"))
        await rig.admit(opt_out("P1", NOON + HOUR), run="run-2")
        assert [one.status for one in listed(rig)] == ["pending"]

    async def test_a_duplicate_that_was_received_earlier_has_its_own(self, rig: Rig) -> None:
        await rig.admit(opt_out("P1"), opt_out("P1", NOON - HOUR))
        await rig.admit(opt_out("P1", NOON - 2 * HOUR), run="run-2")
        assert [one.status for one in listed(rig)] == ["duplicate", "duplicate", "pending"]
        claim = await rig.claim()
        await rig.settle(claim, WRITTEN, NOW + 7)
        assert [fate_of(one).applied_ms for one in listed(rig)] == [NOW + 7] * 3

    @pytest.mark.parametrize("verdict", [WRITTEN, HELD])
    async def test_what_reached_the_tenant_of_its_contact_is_told(
        self, rig: Rig, verdict: Verdict
    ) -> None:
        await settled(rig, opt_out("P1"), verdict, at_ms=NOW + 3)
        await settled(rig, opt_out("P1", campaign="C1", agent="A2"), HELD, at_ms=NOW + 9)
        await settled(rig, candidate("P1", timestamp=NOON + HOUR), WRITTEN, at_ms=NOW + 11)
        await settled(rig, candidate("P1", timestamp=NOON + 2 * HOUR), REFUSAL, at_ms=NOW + 12)
        await settled(rig, candidate("P2"), WRITTEN)
        wanted = {
            Held(NOW, 1, "DO_NOT_CALL", opt_out=True, at_ms=NOW + 3),
            Held(NOW, 2, "DO_NOT_CALL", opt_out=True, at_ms=NOW + 9),
            Held(NOW + 3_600_000, 3, "SALE", opt_out=False, at_ms=NOW + 11),
        }
        assert [set(one.held) for one in listed(rig)] == [wanted, wanted]

    async def test_what_the_tenant_held_when_it_superseded_one_is_told(self, rig: Rig) -> None:
        await rig.admit(opt_out("P1"))
        claim = await rig.claim()
        newer = Verdict(Event.SUPERSEDE, "newer_in_tenant", "newer")
        before = Observed(state="READY", idle=True, outcome="SALE", timestamp_ms=NOW + 60_000)
        exchange = Exchange(before=before)
        settlement = conclude(claim, newer, exchange, POLICY, Moment(NOW + 90_000, 0.5))
        assert await rig.journal.claims.settle(settlement, ())
        (one,) = listed(rig)
        assert one.seen == Held(NOW + 60_000, 0, "SALE", opt_out=False, at_ms=NOW + 90_000)
        assert fate_of(one).overwritten == one.seen

    async def test_those_are_left_out_that_landed_soon_and_still_stand(self, rig: Rig) -> None:
        day_ms = 24 * 3_600_000
        await settled(rig, opt_out("landed"), WRITTEN)
        await settled(rig, opt_out("held", NOON - HOUR), HELD)
        await settled(rig, opt_out("gone"), GONE)
        await settled(rig, opt_out("late", NOON - 30 * HOUR), WRITTEN)
        await settled(rig, candidate("sold", timestamp=NOON - HOUR), WRITTEN)
        await settled(rig, opt_out("sold"), WRITTEN)
        await settled(rig, opt_out("sold again"), WRITTEN)
        await settled(rig, candidate("sold again", timestamp=NOON + HOUR), WRITTEN)
        await followed(rig, opt_out("lacking"), "1")
        await rig.admit(opt_out("open"))

        archive = rig.journal.archive
        found = archive.opt_outs(OptOutFilter(), day_ms)
        assert {one.contact for one in found} == {"gone", "late", "sold again", "lacking", "open"}
        assert archive.count_opt_outs(OptOutFilter()) == 8
        assert archive.count_opt_outs(OptOutFilter(contact="sold")) == 1
        assert archive.count_opt_outs(OptOutFilter(until_ms=NOW)) == 2

    async def test_those_of_a_run_are_counted(self, rig: Rig) -> None:
        archive = rig.journal.archive
        await settled(rig, opt_out("P1"), WRITTEN)
        await settled(rig, opt_out("P2"), GONE)
        await rig.admit(opt_out("P3"), opt_out("P3"), candidate("P4"))
        await rig.admit(opt_out("P5"), run="run-2")
        total, _, rest = archive.opt_outs_of_run(RUN, slow_ms=1)
        assert (total, [one.contact for one in rest]) == (3, ["P2", "P3"])
        with pytest.raises(JournalError, match="There is no run run-9"):
            archive.opt_outs_of_run("run-9", slow_ms=1)

    async def test_those_of_a_run_that_took_long_are_among_those_to_be_judged(
        self, rig: Rig
    ) -> None:
        await settled(rig, opt_out("P1", NOON - HOUR), WRITTEN)
        await settled(rig, opt_out("P2", NOON - 2 * HOUR), HELD)
        for slow, found in ((3, []), (2, ["P2"]), (1, ["P2", "P1"])):
            _, _, rest = rig.journal.archive.opt_outs_of_run(RUN, slow_ms=slow * 3_600_000)
            assert [one.contact for one in rest] == found


RECORD = CallRecord(seller="Acme", call_duration_seconds=7, called_number="+12025550123")


class CallRecordsContract(Contract):
    async def test_a_claim_and_its_entry_have_what_the_row_had(self, rig: Rig) -> None:
        await rig.admit(opt_out("P1", NOON - HOUR, call_record=RECORD), candidate("P2"))
        claim, other = (await rig.turn()).claims
        assert claim.disposition.call_record == RECORD
        assert claim.disposition.opt_out_received_at == NOON - HOUR
        assert other.disposition.call_record is None
        assert other.disposition.opt_out_received_at is None
        await rig.settle(claim, GONE)
        await rig.settle(other, GONE)
        first, second = map(json.loads, rig.journal.archive.entries(AuditFilter()))
        assert first["call_record"] == {"seller": "Acme", "call_duration_seconds": 7}
        assert set(first["commitments"]) == {"called_number"}
        assert first["opt_out_received_at"] == instant.text(NOW - 3_600_000)
        assert (second["call_record"], second["opt_out_received_at"]) == (None, None)

    async def test_every_way_to_settle_a_row_records_its_call(self, rig: Rig) -> None:
        row = candidate("P1", timestamp=NOON, call_record=RECORD)
        await rig.admit(row, row, candidate("P1", timestamp=NOON + HOUR))
        await rig.turn()
        entries = [json.loads(one) for one in rig.journal.archive.entries(AuditFilter())]
        assert [one["status"] for one in entries] == ["duplicate", "superseded"]
        for entry in entries:
            assert entry["call_record"] == RECORD.public
            assert set(entry["commitments"]) == {"called_number"}

    async def test_what_stands_for_a_call_is_listed(self, rig: Rig) -> None:
        archive = rig.journal.archive
        row = candidate("P1", call_record=RECORD)
        await settled(rig, row, GONE)
        await rig.admit(candidate("P2", campaign="C2"), broken(), run="run-2")
        await rig.settle(await rig.claim("C2", at_ms=NOW + 5), WRITTEN, NOW + 5)
        await rig.admit(candidate("P2", campaign="C2"), run="run-2")
        asked = [
            AuditFilter(), AuditFilter(run=RUN), AuditFilter(campaign="C2"),
            AuditFilter(contact="P1"), AuditFilter(from_ms=NOW + 5),
        ]  # fmt: skip
        rows = [[row for row, _ in archive.call_entries(one)] for one in asked]
        assert rows == [[1, 2], [1], [2], [1], [2]]
        with pytest.raises(JournalError):
            list(archive.call_entries(AuditFilter(run="run-9")))

    async def test_the_same_call_fed_again_with_a_record_is_found(self, rig: Rig) -> None:
        archive = rig.journal.archive
        await settled(rig, candidate("P1"), WRITTEN)
        await rig.admit(candidate("P1"), candidate("P2", call_record=RECORD))
        assert list(archive.entries_of_repeats(1)) == []
        await rig.admit(candidate("P1", call_record=RECORD), run="run-2")
        (found,) = map(json.loads, archive.entries_of_repeats(1))
        assert (found["status"], found["call_record"]) == ("duplicate", RECORD.public)


class AcknowledgementsContract(Contract):
    async def test_the_latest_word_counts(self, rig: Rig) -> None:
        await settled(rig, opt_out("P1"), GONE)
        await settled(rig, opt_out("P2"), BROKEN)
        desk = rig.journal.opt_outs
        await desk.acknowledge([1], SAID, withdrawn=False)
        assert [one.acknowledged for one in listed(rig)] == [SAID, None]
        again = Acknowledgement("Lee", "it was the wrong row", NOW + 9)
        await desk.acknowledge([1], again, withdrawn=True)
        assert [one.acknowledged for one in listed(rig)] == [None, None]
        await desk.acknowledge([1, 2], again, withdrawn=False)
        assert [one.acknowledged for one in listed(rig)] == [again, again]

    async def test_each_is_an_audit_entry(self, rig: Rig) -> None:
        await settled(rig, opt_out("P1"), GONE)
        await rig.journal.opt_outs.acknowledge([1], SAID, withdrawn=False)
        await rig.journal.opt_outs.acknowledge([1], SAID, withdrawn=True)
        entries = [json.loads(one) for one in rig.journal.archive.entries(AuditFilter())]
        kinds = ["settled", "opt_out_acknowledged", "opt_out_acknowledgement_withdrawn"]
        assert [one["kind"] for one in entries] == kinds
        said = entries[1]
        assert (said["by"], said["message"]) == (SAID.by, SAID.reason)
        assert said["timestamp"] == instant.text(SAID.at_ms)
        assert (said["row_id"], said["contact_id"], said["status"]) == (1, "P1", "missing")
        assert (said["run_id"], said["outcome_code"], said["after"]) == (RUN, "DO_NOT_CALL", None)

    async def test_all_are_stored_or_none(self, rig: Rig, store: Any) -> None:
        await settled(rig, opt_out("P1"), GONE)
        await settled(rig, opt_out("P2"), GONE)
        store.refuse("audit")
        with pytest.raises(JournalError):
            await rig.journal.opt_outs.acknowledge([1, 2], SAID, withdrawn=False)
        assert [one.acknowledged for one in listed(rig)] == [None, None]

    async def test_records_in_dnc_groups_that_are_not_made_are_told(self, rig: Rig) -> None:
        first, second, third = await followed(rig, opt_out("P1"), "1", "2", "3")
        await end(rig, first, Accepted())
        await end(rig, second, Refused("refused_409", "The group is closed."))
        (one,) = listed(rig)
        assert one.lacking == (
            LackingRecord("2", FollowUpState.REFUSED, "refused_409", NOW + 4),
            LackingRecord("3", FollowUpState.WAITING, "", NOW),
        )
        assert rig.journal.archive.opt_out(one.row) == one
        await end(rig, third, Accepted())
        assert [one.dnc_group for one in listed(rig)[0].lacking] == ["2"]

    async def test_a_later_row_of_the_contact_makes_a_record_good(self, rig: Rig) -> None:
        (first,) = await followed(rig, opt_out("P1"), "1")
        await end(rig, first, Refused("refused_400", "That is no number."))
        (other,) = await followed(rig, opt_out("P1", campaign="C2"), "1")
        await end(rig, other, Accepted())
        assert [len(one.lacking) for one in listed(rig, contact="P1")] == [1, 0]
        (later,) = await followed(rig, opt_out("P1", timestamp=NOON + HOUR), "1")
        assert [len(one.lacking) for one in listed(rig, campaign="C1")] == [1, 1]
        await end(rig, later, Accepted())
        assert [len(one.lacking) for one in listed(rig)] == [0, 0, 0]

    async def test_tags_and_the_records_of_other_outcomes_hold_nothing_up(self, rig: Rig) -> None:
        given = ((opt_out("P1"), FollowUpKind.TAGS), (candidate("P2"), FollowUpKind.DNC_GROUP))
        for row, kind in given:
            await rig.admit(row)
            settlement = concluded(await rig.claim(), WRITTEN)
            new = [NewFollowUp(action=Action(kind, "1"), told={}, due_ms=NOW)]
            assert await rig.journal.claims.settle(settlement, (), new)
        assert [(one.contact, one.lacking) for one in listed(rig)] == [("P1", ())]
