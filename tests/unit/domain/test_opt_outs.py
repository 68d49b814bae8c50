from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from aftercall.domain import instant
from aftercall.domain.business_days import Calendar
from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.opt_outs import (
    Acknowledgement,
    Held,
    LackingRecord,
    OptOutRow,
    Standing,
    Terms,
    business_days_left,
    fate_of,
    judge,
)
from aftercall.domain.status import Status

TERMS = Terms(Calendar(ZoneInfo("America/New_York"), ()), 10, 3, {"DO_NOT_CALL", "DNC_LETTER"})


def at(day: int, hour: int = 12, month: int = 3) -> int:
    return instant.to_ms(datetime(2026, month, day, hour, tzinfo=UTC))


RECEIVED = at(2)  # a Monday; the tenth business day after it is Monday the 16th
ROW = 10


def opt_out(**given: Any) -> OptOutRow:
    values: dict[str, Any] = {
        "row": ROW, "run": "run-1", "source": "calls.csv", "line": 2, "campaign": "C1",
        "contact": "P1", "outcome": "DO_NOT_CALL", "status": Status.REJECTED,
        "reason": "refused_409", "words": "", "received_ms": RECEIVED, "timestamp_ms": RECEIVED,
    }  # fmt: skip
    return OptOutRow(**(values | given))


def held(day: int, row: int = ROW, outcome: str = "DO_NOT_CALL", *, written: int = 0) -> Held:
    """Say that the tenant got an outcome of `day` on the day `written`, on that day if it is 0."""
    return Held(at(day), row, outcome, outcome != "INTERESTED", at(written or day))


def stands(now: int, **given: Any) -> Standing:
    return judge(opt_out(**given), TERMS, now).standing


class TestClock:
    @pytest.mark.parametrize(
        ("now", "standing"),
        [
            (at(2), Standing.PENDING),
            (at(10), Standing.PENDING),  # four business days are left after the 10th
            (at(11), Standing.NEAR),
            (at(14), Standing.NEAR),  # a Saturday
            (at(16), Standing.NEAR),
            (at(17, 3), Standing.NEAR),  # 23 o'clock on the 16th in New York
            (at(17, 4), Standing.LATE),
            (at(1, month=9), Standing.LATE),
        ],
    )
    def test_of_one_that_the_tenant_does_not_hold(self, now: int, standing: Standing) -> None:
        assert stands(now) is standing
        assert stands(now, status=Status.DEFERRED) is standing
        assert stands(now, status=Status.INVALID, timestamp_ms=None, contact="") is standing

    def test_it_stops_when_the_tenant_holds_it(self) -> None:
        applied = {"status": Status.APPLIED, "held": [held(2, written=16)]}
        assert stands(at(20), **applied) is Standing.APPLIED
        assert judge(opt_out(**applied), TERMS, at(20)).in_time is True

    def test_what_was_applied_after_the_deadline_stays_late(self) -> None:
        late = Held(RECEIVED, ROW, "DO_NOT_CALL", opt_out=True, at_ms=at(17, 4))
        applied = {"status": Status.APPLIED, "held": [late]}
        assert stands(at(20), **applied) is Standing.LATE
        assert judge(opt_out(**applied), TERMS, at(20)).in_time is False

    def test_the_days_that_are_left_are_counted_below_zero_too(self) -> None:
        calendar = TERMS.calendar
        one = judge(opt_out(), TERMS, at(2))
        left = [business_days_left(one, calendar, at(day)) for day in (2, 13, 14, 16, 17, 21, 23)]
        assert left == [10, 1, 1, 0, -1, -4, -5]


class TestResolved:
    def test_a_later_opt_out_of_the_contact_applies_it(self) -> None:
        later = [held(5, 20, written=6)]
        assert stands(at(20), held=later) is Standing.APPLIED
        assert fate_of(opt_out(held=later)).applied_ms == at(6)

    def test_a_later_one_after_the_deadline_applies_it_late(self) -> None:
        assert stands(at(20), held=[held(18, 20)]) is Standing.LATE

    def test_the_contact_had_opted_out_before(self) -> None:
        assert stands(at(20), held=[held(1, 5)]) is Standing.APPLIED

    def test_an_older_opt_out_that_was_overwritten_is_no_help(self) -> None:
        before = [held(1, 5, written=1), held(2, 6, "INTERESTED", written=1)]
        assert fate_of(opt_out(held=before)).applied_ms is None
        assert stands(at(20), held=before) is Standing.LATE

    def test_the_first_of_several_counts(self) -> None:
        several = [held(9, 21), held(4, 20, written=12), held(11, 22)]
        assert fate_of(opt_out(held=several)).applied_ms == at(9)

    def test_superseded_by_a_newer_opt_out_it_lands_with_it(self) -> None:
        newer = {"status": Status.SUPERSEDED, "reason": "newer_in_journal"}
        assert stands(at(3), **newer) is Standing.PENDING
        assert stands(at(20), **newer, held=[held(3, 11)]) is Standing.APPLIED


class TestOverwritten:
    def test_superseded_by_an_outcome_that_is_none(self) -> None:
        newer = [held(3, 11, "INTERESTED")]
        fate = fate_of(opt_out(status=Status.SUPERSEDED, held=newer))
        assert (fate.applied_ms, fate.overwritten, fate.landed) == (None, newer[0], False)
        assert stands(at(3), status=Status.SUPERSEDED, held=newer) is Standing.OVERWRITTEN

    def test_applied_in_time_and_written_over_later(self) -> None:
        both = [held(2), held(30, 90, "INTERESTED")]
        one = judge(opt_out(status=Status.APPLIED, held=both), TERMS, at(31))
        assert (one.standing, one.in_time) == (Standing.OVERWRITTEN, True)

    def test_an_older_outcome_that_came_later_overwrites_nothing(self) -> None:
        older = [held(2), held(1, 90, "INTERESTED", written=9)]
        assert stands(at(20), status=Status.APPLIED, held=older) is Standing.APPLIED

    def test_a_later_opt_out_mends_it(self) -> None:
        mended = [held(3, 11, "INTERESTED"), held(5, 12)]
        assert stands(at(20), status=Status.SUPERSEDED, held=mended) is Standing.APPLIED
        once = [held(2), *mended]
        assert fate_of(opt_out(status=Status.APPLIED, held=once)).applied_ms == at(2)

    @pytest.mark.parametrize(
        ("seen", "standing"),
        [("INTERESTED", Standing.OVERWRITTEN), ("DNC_LETTER", Standing.APPLIED)],
    )
    def test_the_tenant_was_seen_to_hold_a_newer_outcome(
        self, seen: str, standing: Standing
    ) -> None:
        found = Held(at(3), 0, seen, opt_out=False, at_ms=at(4))
        row = {"status": Status.SUPERSEDED, "reason": "newer_in_tenant", "seen": found}
        assert stands(at(5), **row) is standing
        assert stands(at(5), **row, held=[held(1, 5)]) is standing

    def test_what_reached_the_tenant_after_it_was_seen_counts(self) -> None:
        found = Held(at(3), 0, "INTERESTED", opt_out=False, at_ms=at(4))
        row = {"status": Status.SUPERSEDED, "seen": found, "held": [held(6, 12)]}
        assert stands(at(7), **row) is Standing.APPLIED


class TestAcknowledged:
    SAID = Acknowledgement("Kim", "the number is disconnected", at(18))

    def test_it_is_listed_no_more(self) -> None:
        assert stands(at(20), acknowledged=self.SAID) is Standing.ACKNOWLEDGED

    def test_what_is_applied_in_time_needs_none(self) -> None:
        applied = {"status": Status.APPLIED, "held": [held(2)]}
        assert stands(at(20), **applied, acknowledged=self.SAID) is Standing.APPLIED

    def test_it_covers_what_was_applied_late(self) -> None:
        late = [held(2, written=17)]
        assert stands(at(20), held=late, acknowledged=self.SAID) is Standing.ACKNOWLEDGED

    @pytest.mark.parametrize(
        ("written", "standing"), [(17, Standing.ACKNOWLEDGED), (19, Standing.OVERWRITTEN)]
    )
    def test_it_does_not_cover_what_is_written_over_afterwards(
        self, written: int, standing: Standing
    ) -> None:
        over = [held(3, 11, "INTERESTED", written=written)]
        assert stands(at(20), held=over, acknowledged=self.SAID) is standing

    def test_its_reason_is_not_shown_by_accident(self) -> None:
        assert "disconnected" not in repr(self.SAID)


class TestDncRecords:
    """An opt-out is not applied before the records in DNC groups that follow it are made."""

    APPLIED = {"status": Status.APPLIED, "held": [held(2)]}  # noqa: RUF012 - never changed

    def record(self, state: FollowUpState, day: int = 3) -> LackingRecord:
        return LackingRecord("301", state, "refused_409", at(day))

    @pytest.mark.parametrize("state", [FollowUpState.WAITING, FollowUpState.FAILED])
    @pytest.mark.parametrize(
        ("now", "standing"),
        [(at(3), Standing.PENDING), (at(12), Standing.NEAR), (at(17), Standing.LATE)],
    )
    def test_the_clock_goes_on(self, state: FollowUpState, now: int, standing: Standing) -> None:
        assert stands(now, **self.APPLIED) is Standing.APPLIED
        assert stands(now, **self.APPLIED, lacking=[self.record(state)]) is standing

    def test_what_was_written_over_needs_somebody_first(self) -> None:
        over = {"held": [held(2), held(3, 11, "INTERESTED")]}
        assert stands(at(5), **over, lacking=[self.record(FollowUpState.FAILED)]) is (
            Standing.OVERWRITTEN
        )

    @pytest.mark.parametrize(
        ("day", "standing"), [(4, Standing.ACKNOWLEDGED), (6, Standing.PENDING)]
    )
    def test_an_acknowledgement_ends_when_one_comes_to_nothing_afterwards(
        self, day: int, standing: Standing
    ) -> None:
        said = Acknowledgement("Kim", "no such group any more", at(5))
        lacking = [self.record(FollowUpState.REFUSED, day)]
        assert stands(at(6), **self.APPLIED, lacking=lacking, acknowledged=said) is standing
