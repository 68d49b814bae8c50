"""What a read or a write means for a row, and what the schedules make of it."""

import pytest

from aftercall.domain import answer
from aftercall.domain.audit import Exchange
from aftercall.domain.masking import without_personal_data
from aftercall.domain.retry import DeferPolicy, RetryPolicy
from aftercall.domain.settlement import (
    DOUBT_GRACE_MS,
    Settlement,
    Verdict,
    WritePolicy,
    conclude,
    verdict_of_read,
    verdict_of_write,
)
from aftercall.domain.status import SETTLED, Event, Status

from .make import NOON_MS, POLICY, claim, disposition, moment, observed

RETRY = RetryPolicy(attempts_max=3, elapsed_seconds_max=600.0)
SCHEDULE = WritePolicy(POLICY.active_states, retry=RETRY, defer=DeferPolicy())
LATER = Verdict(Event.POSTPONE, "status_503", "The tenant answered 503.")
DOUBT = Verdict(Event.DOUBT, "timeout", "no answer in time")
BUSY = Verdict(Event.DEFER, "on_call", "The contact is CONNECTED.", counts=False)
SLOW_DOWN = Verdict(Event.POSTPONE, "throttled", "", wait_seconds=7.5, counts=False)


def concluded(verdict: Verdict, *, after_ms: int = 0, **given: object) -> Settlement:
    return conclude(claim(**given), verdict, Exchange(), SCHEDULE, moment(after_ms))


@pytest.mark.parametrize(
    ("got", "event", "reason"),
    [
        (answer.Absent("gone"), Event.MISS, "no_such_contact"),
        (answer.Refused("refused_409", "no"), Event.REJECT, "refused_409"),
        (answer.Forbidden("not yours"), Event.REJECT, "forbidden"),
        (answer.Throttled(3.0), Event.POSTPONE, "throttled"),
        (answer.Unavailable("status_500", "oops"), Event.POSTPONE, "status_500"),
    ],
)
def test_reads_and_writes_agree_on_answers_that_changed_nothing(
    got: answer.ReadAnswer, event: Event, reason: str
) -> None:
    for verdict in (verdict_of_read(got), verdict_of_write(got)):  # type: ignore[arg-type]
        assert verdict is not None
        assert (verdict.event, verdict.reason) == (event, reason)


def test_answers_that_are_handled_elsewhere_have_no_verdict() -> None:
    assert verdict_of_read(answer.Found(observed())) is None


def test_a_request_that_no_token_is_good_for_is_a_failure_of_its_row() -> None:
    for verdict in (
        verdict_of_read(answer.Unauthorized()),
        verdict_of_write(answer.Unauthorized()),
    ):
        assert verdict is not None
        assert (verdict.event, verdict.reason) == (Event.POSTPONE, "unauthorized")
        assert verdict.counts


def test_being_asked_to_slow_down_is_no_failure_and_waits_as_long_as_asked() -> None:
    verdict = verdict_of_read(answer.Throttled(3.0))
    assert verdict is not None
    assert (verdict.wait_seconds, verdict.counts) == (3.0, False)


@pytest.mark.parametrize(
    ("told", "after_ms", "wait_ms"),
    [(None, 0, 750), (None, 40_000, 30_000), (None, 500_000, 45_000), (7.5, 40_000, 7_500)],
)
def test_what_is_to_be_waited_for_is_looked_at_ever_more_seldom(
    told: float | None, after_ms: int, wait_ms: int
) -> None:
    busy = answer.Busy("record_locked", "Somebody has it open.", told)
    for verdict in (verdict_of_read(busy), verdict_of_write(busy)):
        assert verdict is not None
        settled = concluded(verdict, after_ms=after_ms, attempt=1)
        assert (settled.event, settled.refund) == (Event.POSTPONE, True)
        assert settled.due_ms == NOON_MS + after_ms + wait_ms


def test_a_request_that_never_left_is_no_failure_of_the_row() -> None:
    unsent = answer.Unavailable("connect_failed", "no connection", sent=False)
    for verdict in (verdict_of_read(unsent), verdict_of_write(unsent)):
        assert verdict == Verdict(Event.POSTPONE, "connect_failed", "no connection", counts=False)


def test_a_write_that_was_taken_is_applied() -> None:
    assert verdict_of_write(answer.Accepted()) == Verdict(Event.APPLY, "written")


def test_a_contact_that_changed_meanwhile_is_read_again_at_once() -> None:
    verdict = verdict_of_write(answer.Stale())
    assert verdict is not None
    assert (verdict.event, verdict.reason) == (Event.POSTPONE, "changed_meanwhile")
    assert (verdict.wait_seconds, verdict.counts) == (0.0, True)


def test_a_write_whose_answer_was_lost_is_in_doubt() -> None:
    verdict = verdict_of_write(answer.Uncertain("timeout", "no answer"))
    assert verdict == Verdict(Event.DOUBT, "timeout", "no answer")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (Event.APPLY, Status.APPLIED),
        (Event.HOLD, Status.UNCHANGED),
        (Event.SUPERSEDE, Status.SUPERSEDED),
        (Event.MISS, Status.MISSING),
        (Event.REJECT, Status.REJECTED),
    ],
)
def test_what_is_settled_has_an_entry_and_is_never_due_again(event: Event, status: Status) -> None:
    settlement = concluded(Verdict(event, "why", "words"))
    assert (settlement.row, settlement.serial) == (7, 1)
    assert (settlement.status, settlement.due_ms, settlement.refund) == (status, None, False)
    assert settlement.entry is not None
    assert (settlement.entry["status"], settlement.entry["message"]) == (status, "words")


def test_the_crm_hears_of_applied_rows_only() -> None:
    heard = {
        settlement.status
        for event in (Event.APPLY, Event.HOLD, Event.SUPERSEDE, Event.MISS, Event.REJECT)
        if (settlement := concluded(Verdict(event, "why"))).announce
    }
    assert heard == {Status.APPLIED}


def test_a_failure_is_tried_again_after_a_jittered_wait() -> None:
    first, second = concluded(LATER), concluded(LATER, attempt=2)
    assert (first.status, first.due_ms) == (Status.PENDING, NOON_MS + 500)
    assert (second.status, second.due_ms) == (Status.PENDING, NOON_MS + 1000)
    assert (first.entry, first.announce, first.refund, first.doubt) == (None, False, False, False)


def test_the_last_attempt_fails_the_row_and_keeps_the_reason() -> None:
    settlement = concluded(LATER, attempt=3)
    assert (settlement.event, settlement.status) == (Event.EXHAUST, Status.FAILED)
    assert (settlement.reason, settlement.due_ms) == ("status_503", None)
    assert settlement.entry is not None
    assert settlement.entry["kind"] == "settled"


def test_a_row_is_not_tried_for_longer_than_the_elapsed_limit() -> None:
    assert concluded(LATER, after_ms=599_999).status is Status.PENDING
    assert concluded(LATER, after_ms=600_000).status is Status.FAILED


def test_a_named_wait_replaces_the_jittered_one() -> None:
    again = Verdict(Event.POSTPONE, "changed_meanwhile", wait_seconds=0.0)
    assert concluded(again).due_ms == NOON_MS


def test_waiting_that_is_no_failure_is_refunded_and_never_uses_the_row_up() -> None:
    settlement = concluded(SLOW_DOWN, attempt=99)
    assert (settlement.status, settlement.due_ms) == (Status.PENDING, NOON_MS + 7500)
    assert settlement.refund is True
    assert settlement.entry is None


def test_waiting_that_is_no_failure_is_parked_after_the_elapsed_limit() -> None:
    settlement = concluded(SLOW_DOWN, after_ms=600_000)
    assert (settlement.status, settlement.due_ms) == (Status.PENDING, None)


def test_a_contact_on_a_call_is_looked_at_after_doubling_waits() -> None:
    waits = [
        (concluded(BUSY, deferral=deferral, first_deferred_ms=NOON_MS).due_ms or 0) - NOON_MS
        for deferral in range(6)
    ]
    assert waits == [2000, 4000, 8000, 16_000, 30_000, 30_000]


def test_a_deferral_is_refunded_and_has_no_entry() -> None:
    settlement = concluded(BUSY)
    assert (settlement.event, settlement.status) == (Event.DEFER, Status.DEFERRED)
    assert (settlement.refund, settlement.entry, settlement.announce) == (True, None, False)


def test_a_contact_that_stays_on_a_call_is_parked_not_failed() -> None:
    since = {"first_deferred_ms": NOON_MS, "deferral": 40, "attempt": 99}
    assert concluded(BUSY, after_ms=899_999, **since).due_ms is not None
    parked = concluded(BUSY, after_ms=900_000, **since)
    assert (parked.status, parked.due_ms) == (Status.DEFERRED, None)


def test_a_lost_answer_is_recorded_and_read_back_after_a_grace() -> None:
    settlement = conclude(claim(), DOUBT, Exchange(write_ms=9.0), SCHEDULE, moment(chance=0.0))
    assert (settlement.status, settlement.doubt) == (Status.DOUBTFUL, True)
    assert settlement.due_ms == NOON_MS + DOUBT_GRACE_MS
    assert settlement.entry is not None
    assert (settlement.entry["kind"], settlement.entry["after"]) == ("in_doubt", None)
    assert settlement.announce is False


def test_a_doubtful_row_stays_in_doubt_until_it_was_read_back() -> None:
    settlement = concluded(LATER, doubt=True)
    assert (settlement.event, settlement.status) == (Event.DOUBT, Status.DOUBTFUL)
    assert (settlement.doubt, settlement.entry) == (True, None)
    deferred = concluded(BUSY, doubt=True)
    assert (deferred.status, deferred.doubt) == (Status.DEFERRED, True)


@pytest.mark.parametrize("doubt", [False, True])
def test_a_write_in_doubt_is_read_back_however_many_attempts_there_were(doubt: bool) -> None:  # noqa: FBT001 - a parameter
    settlement = concluded(DOUBT, doubt=doubt, attempt=3)
    assert (settlement.status, settlement.doubt) == (Status.DOUBTFUL, True)
    assert settlement.due_ms is not None


def test_a_read_back_that_fails_is_tried_again_and_never_fails_the_row() -> None:
    settlement = concluded(LATER, doubt=True, attempt=30)
    assert (settlement.status, settlement.doubt) == (Status.DOUBTFUL, True)


def test_an_applied_row_is_in_doubt_no_more() -> None:
    assert concluded(Verdict(Event.APPLY, "read_back"), doubt=True).doubt is False


def test_what_waits_for_something_is_not_settled_in_doubt_or_not() -> None:
    for verdict in (LATER, DOUBT, BUSY, SLOW_DOWN):
        for doubt in (False, True):
            settlement = concluded(verdict, doubt=doubt)
            assert settlement.status not in SETTLED


@pytest.mark.parametrize(
    ("notes", "words", "shown"),
    [
        ("call her", "bad notes: call her!", "bad notes: [notes]!"),
        ("two\r\n lines", "bad: two lines", "bad: [notes]"),
        ("zero\u200bwidth", "bad: zero width", "bad: [notes]"),
        (None, "bad notes", "bad notes"),
        ("", "bad notes", "bad notes"),
        ("other", "bad notes", "bad notes"),
    ],
)
def test_notes_that_the_tenant_quotes_back_are_taken_out(
    notes: str | None, words: str, shown: str
) -> None:
    assert without_personal_data(words, disposition(notes=notes)) == shown


def test_notes_that_were_cut_with_the_words_are_taken_out_too() -> None:
    notes = "her number is 0555 " * 30
    words = ("too long: " + notes)[:199] + "…"
    assert without_personal_data(words, disposition(notes=notes)) == "too long: [notes]…"
    assert without_personal_data("unrelated words that were cut…", disposition(notes=notes)) == (
        "unrelated words that were cut…"
    )


def test_neither_the_settlement_nor_its_entry_holds_the_notes() -> None:
    verdict = Verdict(Event.REJECT, "refused_422", "notes 'her secret' are too long")
    settlement = concluded(verdict, notes="her  secret", custom_fields={"phone": "0555"})
    assert settlement.words == "notes '[notes]' are too long"
    assert settlement.entry is not None
    assert "secret" not in repr(settlement.entry)
    assert "0555" not in repr(settlement.entry)


def test_custom_values_that_the_tenant_quotes_are_taken_out() -> None:
    row = disposition(custom_fields={"street": "4 Elm Road", "more": [{"mail": "a@example.org"}]})
    words = "bad value 4 Elm Road; and a@example.org; score 7"
    assert without_personal_data(words, row) == (
        "bad value [custom field]; and [custom field]; score 7"
    )
