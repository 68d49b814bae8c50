"""Which rows are followed up, and what becomes of an attempt."""

from typing import Any

import pytest

from aftercall.domain import answer
from aftercall.domain.answer import WriteAnswer
from aftercall.domain.audit import Exchange
from aftercall.domain.call_record import CallRecord
from aftercall.domain.follow_ups import (
    Action,
    EntryKind,
    FollowUp,
    FollowUpKind,
    FollowUpRules,
    FollowUpSettlement,
    FollowUpState,
    Terms,
    concluded,
)
from aftercall.domain.outcomes import Category
from aftercall.domain.retry import RetryPolicy
from aftercall.domain.settlement import Verdict, conclude
from aftercall.domain.status import Event, Status

from .make import NOON_MS, POLICY, claim, disposition, moment

GROUP = Action(FollowUpKind.DNC_GROUP, "301")
TAG = Action(FollowUpKind.TAGS, "17")
CALLBACK = Action(FollowUpKind.CALLBACK)
RULES = FollowUpRules(
    {"opt_out": (GROUP, CALLBACK), "DO_NOT_CALL": (TAG, GROUP)}, frozenset({"contact_closed"})
)


def after(verdict: Verdict, rules: FollowUpRules = RULES, **given: Any) -> tuple[Action, ...]:
    one = claim(**{"outcome": "DO_NOT_CALL", "category": Category.OPT_OUT} | given)
    return rules.after(one, conclude(one, verdict, Exchange(), POLICY, moment()))


def test_category_and_code_both_count_and_each_thing_is_done_once() -> None:
    assert after(Verdict(Event.APPLY, "written")) == (GROUP, CALLBACK, TAG)
    assert after(Verdict(Event.APPLY, "written"), outcome="STOP") == (GROUP, CALLBACK)
    assert after(Verdict(Event.APPLY, "written"), category=Category.POSITIVE) == (TAG, GROUP)
    assert after(Verdict(Event.APPLY, "written"), FollowUpRules()) == ()


@pytest.mark.parametrize(
    ("verdict", "actions"),
    [
        (Verdict(Event.HOLD, "same_in_tenant"), (GROUP, TAG)),
        (Verdict(Event.REJECT, "contact_closed"), (GROUP, CALLBACK, TAG)),
        (Verdict(Event.REJECT, "refused_400"), ()),
        (Verdict(Event.MISS, "no_such_contact"), ()),
        (Verdict(Event.SUPERSEDE, "newer_in_tenant"), ()),
        (Verdict(Event.POSTPONE, "status_503"), ()),
        (Verdict(Event.DOUBT, "timeout"), ()),
        (Verdict(Event.DEFER, "on_call"), ()),
        (Verdict(Event.EXHAUST, "attempts_used_up"), ()),
    ],
)
def test_what_became_of_the_row_decides(verdict: Verdict, actions: tuple[Action, ...]) -> None:
    assert after(verdict) == actions


def ended(
    got: WriteAnswer, *, repeatable: bool = True, attempt: int = 1, **given: Any
) -> FollowUpSettlement:
    one = claim(**given)
    task = FollowUp(
        number=5,
        serial=0,
        action=GROUP,
        row=one.disposition,
        status=Status.APPLIED,
        subject=one.subject,
        told={},
        attempt=attempt,
        first_tried_ms=one.first_tried_ms,
    )
    terms = Terms(repeatable, RetryPolicy(attempts_max=2, wait_seconds_initial=4.0))
    exchange = Exchange(write_ms=12.0, http_status=200, request_id="r-9")
    return concluded(task, got, exchange, terms, moment())


def test_a_lost_answer_is_sent_again_only_if_twice_is_the_same_as_once() -> None:
    lost = answer.Uncertain("timeout", "no answer in time")
    again = ended(lost)
    assert (again.state, again.due_ms) == (FollowUpState.WAITING, NOON_MS + 2000)
    assert again.entry is not None
    assert again.entry["kind"] == EntryKind.IN_DOUBT
    assert ended(lost, attempt=2).state is FollowUpState.UNKNOWN
    once = ended(lost, repeatable=False)
    assert (once.state, once.due_ms) == (FollowUpState.UNKNOWN, None)


def test_what_changed_nothing_is_tried_by_the_schedule_then_failed() -> None:
    down = answer.Unavailable("status_503", "down")
    first = ended(down, repeatable=False)
    assert (first.state, first.due_ms, first.refund) == (
        FollowUpState.WAITING,
        NOON_MS + 2000,
        False,
    )
    assert first.entry is None
    assert ended(down, attempt=2).state is FollowUpState.FAILED
    held_back = ended(answer.Throttled(60.0), attempt=2)
    assert (held_back.state, held_back.refund) == (FollowUpState.WAITING, True)
    assert held_back.due_ms == NOON_MS + 60_000


def test_an_entry_tells_what_was_done_and_no_number() -> None:
    call = CallRecord(called_number="+12025550123")
    settled = ended(
        answer.Refused("refused_400", "bad number +12025550123"), call_record=call, salt=b"s" * 32
    )
    entry = settled.entry
    assert entry is not None
    assert entry["kind"] == EntryKind.SETTLED
    assert entry["follow_up"] == {"action": "dnc_group", "target": "301"}
    assert (entry["status"], entry["reason"], entry["attempt"]) == ("refused", "refused_400", 1)
    assert (entry["write_ms"], entry["http_status"], entry["request_id"]) == (12.0, 200, "r-9")
    assert "2025550123" not in f"{entry} {settled.words}"
    commitments = entry["commitments"]
    assert isinstance(commitments, dict)
    assert set(commitments) == {"called_number"}


def test_its_row_is_the_one_that_was_given() -> None:
    assert ended(answer.Accepted()).serial == 1
    assert claim().disposition == disposition()


def test_a_wait_without_a_time_is_ever_longer_and_uses_nothing_up() -> None:
    busy = answer.Busy("group_locked", "Somebody has it open.", None)
    for waited_ms, wait_ms in ((0, 3000), (10_000, 7500), (500_000, 45_000)):
        got = ended(busy, attempt=1, first_tried_ms=NOON_MS - waited_ms)
        assert (got.state, got.refund) == (FollowUpState.WAITING, True)
        assert got.due_ms == NOON_MS + wait_ms
