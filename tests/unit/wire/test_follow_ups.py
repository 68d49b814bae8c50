"""Follow-ups on the wire: what a profile may declare, what is sent, what an answer means."""

import json
from typing import Any

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain import answer
from aftercall.domain.answer import WriteAnswer
from aftercall.domain.audit import Origin, Subject
from aftercall.domain.call_record import CallRecord
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.status import Status
from aftercall.wire.follow_ups import (
    Hearing,
    Sender,
    failed_follow_ups,
    flaw_of,
    follow_up_request,
    read_follow_ups,
    rules_for,
)
from aftercall.wire.http import MaybeSent, NotSent
from aftercall.wire.language.follow_up import FollowUpWrite
from aftercall.wire.profile import ProfileInvalid, profile_from
from aftercall.wire.target import Target

from .make import MINIMAL, NOON_MS, answered, row

ACD = load_profile("acd")
TARGET = Target(ACD, "https://api-na1.niceincontact.com")
GROUP = Action(FollowUpKind.DNC_GROUP, "3/1")
TAG = Action(FollowUpKind.TAGS, "17")
CALLBACK = Action(FollowUpKind.CALLBACK)
SECRET = "bearer-secret-9911"
BASE = "https://api-na1.niceincontact.com/incontactapi/services/v33.0"


def one(action: Action, number: int = 1, **given: Any) -> FollowUp:
    return FollowUp(
        number=number,
        serial=0,
        action=action,
        row=row(**given),
        status=Status.APPLIED,
        subject=Subject(row=1, origin=Origin("run-1", "a.csv", 2)),
        told={"skill": "9001"},
    )


def numbered(*numbers: str) -> list[FollowUp]:
    return [
        one(GROUP, place, contact=f"P{place}", custom_fields={"phone_number": number})
        for place, number in enumerate(numbers)
    ]


def rules(action: Action) -> FollowUpWrite:
    found = rules_for(ACD, action.kind)
    assert found is not None
    return found


def sent(*several: FollowUp) -> tuple[str, str, Any]:
    action = several[0].action
    request = follow_up_request(TARGET, rules(action), several, Sender("t", "r-1"))
    assert request.headers["Authorization"] == "Bearer t"
    assert request.headers["Correlationid"] == "r-1"
    return request.method, request.url, json.loads(request.body or b"")


def heard(several: list[FollowUp], status: int, body: object = b"") -> list[WriteAnswer]:
    action = several[0].action
    hearing = Hearing(ACD, action.kind, (SECRET,), NOON_MS)
    return read_follow_ups(hearing, rules(action), several, answered(status, body))


def test_records_of_one_group_share_a_request() -> None:
    called = CallRecord(called_number="+12025550102")
    method, url, body = sent(*numbered("+12025550101"), one(GROUP, call_record=called))
    assert (method, url) == ("POST", f"{BASE}/dnc-groups/3%2F1/records")
    numbers = [{"phoneNumber": "+12025550101"}, {"phoneNumber": "+12025550102"}]
    assert body == {"dncGroupRecords": numbers}


def test_a_tag_and_a_callback_have_the_documented_form() -> None:
    assert sent(one(TAG, contact="4711")) == (
        "POST",
        f"{BASE}/contacts/4711/tags",
        {"tags": [{"tagId": 17}]},
    )
    custom = {
        "callback_number": "+12025550101",
        "callback_time": "2026-12-01T10:00:00Z",
        "first_name": "Kim",
    }
    assert sent(one(CALLBACK, custom_fields=custom, notes="ask for Kim")) == (
        "POST",
        f"{BASE}/scheduled-callbacks",
        {
            "phoneNumber": "+12025550101",
            "scheduleDate": "2026-12-01T10:00:00Z",
            "skillId": 9001,
            "firstName": "Kim",
            "notes": "ask for Kim",
        },
    )


def test_a_row_that_lacks_something_is_told_what() -> None:
    flaw = flaw_of(ACD, GROUP, row(), {})
    assert flaw is not None
    assert flaw.code == "missing_value"
    assert "custom_fields.phone_number or call_record.called_number" in flaw.words
    number = {"phone_number": "+12025550101"}
    assert flaw_of(ACD, GROUP, row(custom_fields=number), {}) is None
    no_time = flaw_of(ACD, CALLBACK, row(custom_fields=number), {"skill": "1"})
    assert no_time is not None
    assert "callback_time" in no_time.words
    wrong = flaw_of(ACD, Action(FollowUpKind.TAGS, "gold"), row(), {})
    assert wrong is not None
    assert wrong.code == "wrong_type"
    other = flaw_of(load_profile("outbound-v1"), TAG, row(), {})
    assert other is not None
    assert other.code == "no_such_follow_up"


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (200, b"", answer.Accepted()),
        (200, {"errorCount": 0, "recordResults": [{"success": True}]}, answer.Accepted()),
        (206, {"errorCount": 1, "recordResults": [{"success": False, "error": "no number"}]},
         answer.Refused("item_refused", "no number")),
        (200, {"recordResults": [{"success": False, "error": "Already in group"}]},
         answer.Accepted()),
        (200, {"errorCount": 1}, answer.Refused("item_refused", "")),
        (400, {"error_description": "duplicate record"}, answer.Accepted()),
        (404, {"message": "Invalid groupId"}, answer.Absent("Invalid groupId")),
        (403, {"message": "no"}, answer.Forbidden("no")),
        (429, b"", answer.Throttled(2.0)),
        (302, b"", answer.Unavailable(
            "redirected", "The answer is a redirect (302); is tenant.base_url right?")),
        (503, b"", answer.Uncertain("status_503", "The tenant answered 503.")),
        (200, b"<html>", answer.Uncertain("garbage", "The answer is 6 bytes, and no JSON.")),
        (409, {"message": "DNC group is inactive"}, answer.Refused(
            "dnc_group_inactive", "DNC group is inactive."
            " Activate the group in CXone, then aftercall followups retry.")),
    ],
)  # fmt: skip
def test_an_answer_about_one(status: int, body: object, meant: WriteAnswer) -> None:
    assert heard(numbered("+12025550101"), status, body) == [meant]


def test_each_of_several_has_its_own_result() -> None:
    several = numbered("+12025550101", "nothing at all", "+12025550103")
    results = [
        {"success": True, "error": ""},
        {"success": False, "error": "nothing at all is no number"},
        {"success": True, "error": ""},
    ]
    got = heard(several, 206, {"errorCount": 1, "recordResults": results})
    assert [type(each) for each in got] == [answer.Accepted, answer.Refused, answer.Accepted]
    assert got[1] == answer.Refused("item_refused", "[custom field] is no number")


def test_results_that_cannot_be_told_apart_settle_nothing() -> None:
    several = numbered("+12025550101", "+12025550102")
    for body in (
        {"errorCount": 0, "recordResults": [{"success": True}]},
        {"errorCount": 1, "recordResults": []},
    ):
        assert all(isinstance(each, answer.Uncertain) for each in heard(several, 200, body))
    # That one of them is there already says nothing of the other.
    refused = heard(several, 400, {"message": "already there"})
    assert refused == [answer.Refused("refused_400", "already there")] * 2


def test_words_about_several_quote_none_of_them() -> None:
    several = numbered("+12025550101", "+12025550102")
    words = f"+12025550101 and +12025550102 by {SECRET}"
    (got, _) = heard(several, 400, {"message": words})
    assert isinstance(got, answer.Refused)
    assert not {"5550101", "5550102", SECRET} & set(got.words.split())
    assert "555" not in got.words
    (got,) = heard(numbered("+1 (202) 555-0101"), 400, {"message": "2025550101 or 12025550101?"})
    assert got == answer.Refused("refused_400", "[custom field] or [custom field]?")
    assert SECRET not in got.words


def test_no_answer_is_doubt_only_if_the_request_may_have_arrived() -> None:
    several = numbered("+12025550101")
    assert failed_follow_ups(several, MaybeSent("timeout", "late")) == [
        answer.Uncertain("timeout", "late")
    ]
    assert failed_follow_ups(several, NotSent("refused", "down")) == [
        answer.Unavailable("refused", "down", sent=False)
    ]


@pytest.mark.parametrize(
    ("kind", "rules", "words"),
    [
        ("tags", {"url": "/t", "fields": {"a": "outcome"}}, "the target goes nowhere"),
        ("callback", {"url": "/t/{target}", "fields": {"a": "outcome"}}, "has no target"),
        ("tags", {"url": "/t", "fields": {"a": "told.skill"}}, 'no "skill" in [read.told]'),
        ("tags", {"url": "/{version}", "fields": {"a": "target"}}, "tags.version: missing"),
        ("tags", {"url": "/t", "fields": {"a": {"type": "text"}}}, "give one of from and value"),
        ("tags", {"url": "/t", "fields": {"a": "call_record.name"}}, "no field of a call record"),
        ("tags", {"url": "/t", "fields": {"a": "targte"}}, "is nothing that can be sent"),
        ("tags", {"url": "/t", "fields": {"a": "target"}, "items": "x", "items_max": 2,
                  "repeatable": True}, "several need items and failure.items"),
        ("tags", {"url": "/t", "fields": {"a": "target"}, "items": "x", "items_max": 2,
                  "failure": {"items": "r"}}, "only what is repeatable can be tried again"),
        ("tags", {"url": "/t/{tag}", "fields": {"a": "target"}}, "holds {tag}"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_work_does_not_load(
    kind: str, rules: dict[str, Any], words: str
) -> None:
    assert profile_from(MINIMAL).follow_ups.tags is None
    with pytest.raises(ProfileInvalid) as caught:
        profile_from(MINIMAL | {"follow_ups": {kind: rules}})
    assert words in "; ".join(caught.value.problems)
