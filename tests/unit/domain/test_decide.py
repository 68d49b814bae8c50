"""Whether to write after a read: each branch, and which goes before which."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aftercall.domain.answer import Observed
from aftercall.domain.settlement import decide, landed, same
from aftercall.domain.status import Event

from .make import NOON, NOON_MS, POLICY, claim, disposition, observed

MINE = {"outcome": "INTERESTED", "agent": "A1", "timestamp_ms": NOON_MS}
LATER_MS = NOON_MS + 60_000


def outcome_of(contact: Observed, **given: object) -> tuple[Event, str] | None:
    verdict = decide(claim(**given), contact, POLICY)
    return None if verdict is None else (verdict.event, verdict.reason)


def test_a_contact_that_nothing_speaks_against_is_written() -> None:
    assert outcome_of(observed()) is None
    assert outcome_of(observed(outcome="CALL_BACK", agent="A2", timestamp_ms=NOON_MS - 1)) is None


@pytest.mark.parametrize("state", ["DIALING", "RINGING", "CONNECTED", "WRAP_UP"])
def test_a_contact_on_a_call_is_never_written(state: str) -> None:
    verdict = decide(claim(), observed(state=state), POLICY)
    assert verdict is not None
    assert (verdict.event, verdict.reason, verdict.counts) == (Event.DEFER, "on_call", False)
    assert state in verdict.words


@pytest.mark.parametrize("state", [None, "TALKING", "IN_CALL", "7"])
def test_a_state_that_is_not_known_may_be_a_call(state: str | None) -> None:
    verdict = decide(claim(), observed(state=state, idle=False), POLICY)
    assert verdict is not None
    assert (verdict.event, verdict.reason, verdict.counts) == (Event.DEFER, "unknown_state", False)
    assert (state or "none is told") in verdict.words


def test_a_time_that_cannot_be_read_is_never_written_over() -> None:
    unread = observed(outcome="CALL_BACK", stamp_unknown=True)
    verdict = decide(claim(), unread, POLICY)
    assert verdict is not None
    assert (verdict.event, verdict.reason) == (Event.REJECT, "unreadable_timestamp")
    assert verdict.words == (
        "The tenant holds an outcome whose time cannot be read, so it is unknown which is newer."
    )
    same_one = observed(outcome="INTERESTED", stamp_unknown=True)
    assert outcome_of(same_one) == (Event.HOLD, "same_in_tenant")


def test_a_time_that_cannot_be_read_does_not_matter_where_there_is_no_outcome() -> None:
    assert decide(claim(), observed(outcome=None, stamp_unknown=True), POLICY) is None


def test_a_time_that_cannot_be_read_contradicts_no_write_in_doubt() -> None:
    held = observed(outcome="INTERESTED", agent="A1", stamp_unknown=True)
    assert outcome_of(held, doubt=True) == (Event.APPLY, "read_back")


def test_the_active_states_are_the_policys() -> None:
    policy = replace(POLICY, active_states=frozenset({"BUSY"}))
    assert decide(claim(), observed(state="CONNECTED"), policy) is None
    verdict = decide(claim(), observed(state="BUSY"), policy)
    assert verdict is not None
    assert verdict.event is Event.DEFER


def test_the_same_outcome_is_unchanged_also_on_a_call_and_also_if_it_is_newer() -> None:
    held = (Event.HOLD, "same_in_tenant")
    assert outcome_of(observed(outcome="INTERESTED")) == held
    assert outcome_of(observed(state="CONNECTED", outcome="INTERESTED")) == held
    assert outcome_of(observed(outcome="INTERESTED", timestamp_ms=LATER_MS)) == held


def test_a_newer_outcome_at_the_tenant_is_not_written_over_and_not_waited_for() -> None:
    superseded = (Event.SUPERSEDE, "newer_in_tenant")
    newer = observed(outcome="CALL_BACK", timestamp_ms=NOON_MS + 1)
    assert outcome_of(newer) == superseded
    assert outcome_of(replace(newer, state="CONNECTED")) == superseded
    assert outcome_of(replace(newer, timestamp_ms=NOON_MS)) is None


def test_a_newer_row_in_the_journal_supersedes_whatever_the_tenant_holds() -> None:
    superseded = (Event.SUPERSEDE, "newer_in_journal")
    assert outcome_of(observed(), newer=True) == superseded
    assert outcome_of(observed(state="CONNECTED"), newer=True) == superseded
    assert outcome_of(observed(**MINE), newer=True) == superseded


def test_a_doubtful_write_that_reached_the_tenant_is_applied_before_all_else() -> None:
    applied = (Event.APPLY, "read_back")
    assert outcome_of(observed(**MINE), doubt=True) == applied
    assert outcome_of(observed(**MINE), doubt=True, newer=True) == applied
    assert outcome_of(observed(state="CONNECTED", **MINE), doubt=True) == applied


def test_a_doubtful_write_that_did_not_reach_the_tenant_is_decided_as_any_other() -> None:
    assert outcome_of(observed(), doubt=True) is None
    assert outcome_of(observed(state="RINGING"), doubt=True) == (Event.DEFER, "on_call")


def test_a_doubtful_write_that_gives_way_to_a_newer_outcome_says_that_it_may_have_landed() -> None:
    # The read that does not show it may be behind the tenant, or the newer one has covered it.
    newer = observed(outcome="CALL_BACK", timestamp_ms=NOON_MS + 1)
    in_journal, in_tenant = "newer_in_journal_in_doubt", "newer_in_tenant_in_doubt"
    assert outcome_of(observed(), doubt=True, newer=True) == (Event.SUPERSEDE, in_journal)
    assert outcome_of(newer, doubt=True) == (Event.SUPERSEDE, in_tenant)


def test_without_doubt_the_same_disposition_was_somebody_elses() -> None:
    assert outcome_of(observed(**MINE)) == (Event.HOLD, "same_in_tenant")


@pytest.mark.parametrize(
    ("told", "reached"),
    [
        (MINE, True),
        ({"outcome": "INTERESTED"}, True),
        (MINE | {"agent": None}, True),
        (MINE | {"timestamp_ms": None}, True),
        (MINE | {"timestamp_ms": NOON_MS - 999}, True),
        (MINE | {"timestamp_ms": NOON_MS + 999}, True),
        (MINE | {"timestamp_ms": NOON_MS - 1000}, False),
        (MINE | {"timestamp_ms": NOON_MS + 1000}, False),
        (MINE | {"agent": "A2"}, False),
        (MINE | {"outcome": "CALL_BACK"}, False),
        (MINE | {"outcome": None}, False),
    ],
)
def test_a_write_has_landed_if_nothing_told_contradicts_it(
    told: dict[str, object], *, reached: bool
) -> None:
    assert landed(observed(**told), disposition()) is reached


def test_a_disposition_without_a_time_lands_at_any_time() -> None:
    assert landed(observed(**MINE), disposition(timestamp=None))


def test_the_same_outcome_is_the_same_unless_everything_is_asked_for() -> None:
    contact = observed(outcome="INTERESTED", agent="A2")
    assert same(contact, disposition(), everything=False)
    assert not same(contact, disposition(), everything=True)
    assert not same(observed(outcome="CALL_BACK"), disposition(), everything=False)
    assert not same(observed(outcome=None), disposition(), everything=False)


@pytest.mark.parametrize(
    ("held", "given", "alike"),
    [
        ({}, {}, True),
        ({"notes": "a"}, {"notes": None}, True),
        ({"notes": "a"}, {"notes": "a"}, True),
        ({"notes": "a"}, {"notes": "b"}, False),
        ({"notes": None}, {"notes": "b"}, False),
        ({"custom_fields": {"x": 1, "y": 2}}, {"custom_fields": {"x": 1}}, True),
        ({"custom_fields": {"x": 1}}, {"custom_fields": {"x": 2}}, False),
        ({"custom_fields": {"x": 1}}, {"custom_fields": {"y": None}}, False),
        ({"custom_fields": None}, {"custom_fields": {"x": 1}}, False),
        ({"custom_fields": {"x": 1}}, {"custom_fields": None}, True),
    ],
)
def test_everything_is_the_same_if_all_that_would_be_sent_is_held(
    held: dict[str, object], given: dict[str, object], *, alike: bool
) -> None:
    contact = observed(outcome="INTERESTED", agent="A1", **held)
    assert same(contact, disposition(**given), everything=True) is alike


@pytest.mark.parametrize("name", ["agent", "notes", "custom_fields"])
def test_what_is_never_written_makes_no_difference(name: str) -> None:
    held: dict[str, object] = {"agent": "A1", "notes": "a", "custom_fields": {"x": 1}}
    contact = observed(outcome="INTERESTED", **held)
    told = observed(outcome="INTERESTED", **(held | {name: None}))
    given = disposition(notes="a", custom_fields={"x": 1})
    assert same(contact, given, everything=True)
    assert not same(told, given, everything=True)
    assert same(told, given, everything=True, dropped={name})
    policy = replace(POLICY, same_everything=True, dropped=frozenset({name}))
    verdict = decide(claim(notes="a", custom_fields={"x": 1}), told, policy)
    assert verdict is not None
    assert verdict.event is Event.HOLD


def test_the_policy_says_whether_everything_is_compared() -> None:
    contact = observed(outcome="INTERESTED", agent="A1", notes="old")
    noted = claim(notes="new")
    verdict = decide(noted, contact, POLICY)
    assert verdict is not None
    assert verdict.event is Event.HOLD
    assert decide(noted, contact, replace(POLICY, same_everything=True)) is None


def test_the_time_of_a_claim_is_its_dispositions() -> None:
    assert claim().timestamp_ms == NOON_MS
    assert claim(timestamp=NOON + timedelta(seconds=1)).timestamp_ms == NOON_MS + 1000
    assert claim(timestamp=None).timestamp_ms == 0


def test_a_row_whose_attempts_are_used_up_repeats_what_was_said_last() -> None:
    words = "The answer says failure: the record is locked"
    used_up = claim(attempt=7, doubt=True, words=words)
    verdict = decide(used_up, observed(), POLICY)
    assert verdict is not None
    assert (verdict.event, verdict.reason) == (Event.EXHAUST, "attempts_used_up")
    assert verdict.words == f"All attempts are used up; the tenant holds none. Last: {words}"
    silent = decide(claim(attempt=7), observed(), POLICY)
    assert silent is not None
    assert silent.words == "All attempts are used up; the tenant holds none."
