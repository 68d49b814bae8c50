"""What gateways say under status 200: results of their own, lists of nothing, a no in words."""

from typing import Any

import pytest

from aftercall.domain import answer
from aftercall.domain.answer import Found, Observed
from aftercall.domain.audit import Origin, Subject
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.status import Status
from aftercall.wire.follow_ups import Hearing, read_follow_ups, rules_for
from aftercall.wire.masking import Mask
from aftercall.wire.responses import read_contact, read_held, read_written

from .make import NOON_MS, answered, row
from .test_language import profile

SIGNS = {"items": "results", "flag": "accepted", "error": "problem"}
GROUP: dict[str, Any] = {
    "url": "/groups/{target}/numbers",
    "items": "numbers",
    "items_max": 10,
    "fields": {"n": "custom_fields.phone"},
    "repeatable": True,
    "failure": SIGNS,
}


def written(body: object, status: int = 200, **tables: Any) -> answer.WriteAnswer:
    made = profile(write__failure=SIGNS, errors__words=["faults.0.text"], **tables)
    return read_written(made, answered(status, body), NOON_MS, Mask())


def results(*problems: object) -> dict[str, object]:
    return {"results": [{"accepted": one is None, "problem": one} for one in problems]}


def test_the_text_of_a_result_is_the_words_of_the_failure() -> None:
    got = written(results(None, "the record is locked"))
    assert got == answer.Uncertain(
        "answer_says_failure", "The answer says failure: the record is locked"
    )


def test_it_is_the_words_of_a_plain_refusal_too() -> None:
    assert written(results("no such code"), 400) == answer.Refused("refused_400", "no such code")


def test_the_places_that_the_profile_names_for_words_come_first() -> None:
    body = results("the record is locked") | {"faults": [{"text": "try the other door"}]}
    assert written(body, 400) == answer.Refused("refused_400", "try the other door")


def test_a_rule_is_held_against_the_text_of_a_result() -> None:
    rules = [{"status": [200], "text": "locked", "means": "permanent", "reason": "record_locked"}]
    assert written(results("It is LOCKED"), errors__rules=rules) == answer.Refused(
        "record_locked", "It is LOCKED"
    )
    assert written(results("full"), errors__rules=rules) == answer.Uncertain(
        "answer_says_failure", "The answer says failure: full"
    )


def test_an_error_that_is_no_text_is_a_failure_without_words() -> None:
    got = written(results({"code": 7}))
    assert got == answer.Uncertain("answer_says_failure", "The answer says failure.")


def test_each_follow_up_of_a_request_has_the_words_of_its_own_result() -> None:
    made = profile(follow_ups__dnc_group=GROUP | {"done_words": "already"})
    rules = rules_for(made, FollowUpKind.DNC_GROUP)
    assert rules is not None
    several = [
        FollowUp(
            number=place,
            serial=0,
            action=Action(FollowUpKind.DNC_GROUP, "3"),
            row=row(contact=f"P{place}"),
            status=Status.APPLIED,
            subject=Subject(row=place, origin=Origin("run-1", "a.csv", place)),
            told={},
        )
        for place in (1, 2, 3)
    ]
    hearing = Hearing(made, FollowUpKind.DNC_GROUP, (), NOON_MS)
    body = results(None, "not E.164", "is there already")
    assert read_follow_ups(hearing, rules, several, answered(200, body)) == [
        answer.Accepted(),
        answer.Refused("item_refused", "not E.164"),
        answer.Accepted(),
    ]


LISTED = {"read__envelope": ["payload.items.0"], "read__none_if_empty": ["payload.items"]}


def read(body: object, **tables: Any) -> answer.ReadAnswer:
    return read_contact(profile(**LISTED, **tables), answered(200, body), NOON_MS, Mask())


@pytest.mark.parametrize("nothing", [[], {}, None])
def test_an_empty_list_can_say_that_there_is_no_such_contact(nothing: object) -> None:
    assert read({"payload": {"items": nothing}}) == answer.Absent()


@pytest.mark.parametrize(
    "body", [{}, {"payload": {}}, {"payload": {"items": [{"odd": 1}]}}, {"items": []}, b"[]", b""]
)
def test_only_what_stands_empty_at_that_place_does(body: object) -> None:
    got = read(body)
    assert isinstance(got, answer.Unavailable)
    assert got.code == "garbage"


def test_a_list_that_holds_the_contact_is_read() -> None:
    got = read({"payload": {"items": [{"state": "READY", "outcomeCode": None}]}})
    assert isinstance(got, Found)
    assert got.contact.state == "READY"


def test_without_such_places_an_empty_list_is_no_answer() -> None:
    made = profile(read__envelope=["items.0"])
    got = read_contact(made, answered(200, {"items": []}), NOON_MS, Mask())
    assert isinstance(got, answer.Unavailable)


def test_a_disposition_that_is_read_back_can_be_an_empty_list_too() -> None:
    back = {"url": "/last", "fields": {"outcome": "code"}, "envelope": ["d.0"]}
    made = profile(readback=back | {"none_if_empty": ["d"]})
    assert read_held(made, answered(200, {"d": []}), NOON_MS, Mask()) == Found(Observed(None))
    got = read_held(made, answered(200, {"e": []}), NOON_MS, Mask())
    assert isinstance(got, answer.Unavailable)


@pytest.mark.parametrize(
    ("means", "kind"),
    [("absent", answer.Absent), ("permanent", answer.Refused), ("unsure", answer.Unavailable)],
)
def test_a_no_under_status_200_means_what_a_rule_says(means: str, kind: type) -> None:
    rules = [{"on": "read", "status": [200], "text": "not found", "means": means}]
    tables = {"errors__words": ["message"], "errors__rules": rules}
    got = read({"ok": False, "message": "Record not found"}, **tables)
    assert isinstance(got, kind)
    other = read({"ok": False, "message": "Come back later"}, **tables)
    assert isinstance(other, answer.Unavailable)
    assert other.code == "garbage"


def test_a_web_page_is_nothing_that_a_rule_speaks_of() -> None:
    rules = [{"on": "read", "status": [200], "means": "absent"}]
    got = read(b"<html>please log in</html>", errors__rules=rules, errors__plain_text=True)
    assert isinstance(got, answer.Unavailable)
