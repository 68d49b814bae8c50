"""Answers that are odd in a way that must not be taken for success, or for nothing."""

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain import answer
from aftercall.domain.answer import Found, WriteAnswer
from aftercall.domain.audit import Origin, Subject
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.status import Status
from aftercall.wire.codes import Item, Part, fetched_book, gather
from aftercall.wire.follow_ups import Hearing, read_follow_ups, rules_for
from aftercall.wire.json_paths import text_of
from aftercall.wire.language.write import WriteField
from aftercall.wire.masking import Mask
from aftercall.wire.requests import Basis, Unwritable, filled
from aftercall.wire.responses import read_contact, read_held, read_written
from aftercall.wire.results import in_order

from .make import NOON_MS, PROFILE, answered, row

ACD = load_profile("acd")
DEEP = b'{"a":' * 100_000


@pytest.mark.parametrize("told", [True, False, 1.5, 1e300, ["INTERESTED"], {"code": "SALE"}, {}])
def test_an_outcome_that_cannot_be_read_is_not_taken_for_none(told: object) -> None:
    for got in (
        read_contact(PROFILE, answered(200, {"state": "READY", "outcomeCode": told}), 0, Mask()),
        read_held(ACD, answered(200, {"dispositionId": told}), 0, Mask()),
    ):
        assert isinstance(got, answer.Unavailable)
        assert got.code == "unreadable_outcome"


def test_a_list_that_gives_the_same_part_again_has_no_more() -> None:
    items: dict[str, Item] = {}
    part = Part((Item("1", "A"), Item("2", "B")), 2, more=True)
    assert gather(items, part)
    assert not gather(items, part)
    assert list(items.values()) == list(part.items)
    # A part of things that are not in use says nothing of the next one.
    assert gather(items, Part((), 4, more=True))
    assert not gather(items, Part((Item("3", "C"),), 5, more=False))


def test_of_several_names_that_are_alike_none_is_guessed() -> None:
    items = [Item("1", "Sold"), Item("2", "Sold!"), Item("3", "\N{THUMBS UP SIGN}"),
             Item("4", "\N{THUMBS DOWN SIGN}"), Item("5", "Twice"), Item("6", "Twice"),
             Item("7", "Sold")]  # fmt: skip
    told = {
        "A": "Sold!",
        "B": "sold",
        "C": "\N{THUMBS DOWN SIGN}",
        "D": "!!",
        "E": "7",
        "F": "Sold",
    }
    book = fetched_book(told, items)
    assert {code: book.id_of(code) for code in (*told, "TWICE", "SOLD")} == {
        "A": "2",
        "B": None,
        "C": "4",
        "D": None,
        "E": "7",
        "F": None,
        "TWICE": None,
        "SOLD": None,
    }


@pytest.mark.parametrize(
    "number", ["1_000", "\N{ARABIC-INDIC DIGIT ONE}", "0x10", "", "1e3", "9" * 41]
)
def test_what_is_no_plain_number_is_not_sent_as_one(number: str) -> None:
    fields = {"n": WriteField.model_validate({"from": "custom_fields.n", "type": "integer"})}
    with pytest.raises(Unwritable) as caught:
        filled(fields, row(custom_fields={"n": number}), Basis())
    assert caught.value.code == "wrong_type"
    assert filled(fields, row(custom_fields={"n": " 017"}), Basis()) == {"n": 17}


@pytest.mark.parametrize(("told", "read"), [(17, "17"), (17.0, "17"), (-1.0, "-1"), ("17", "17")])
def test_a_whole_number_is_read_with_a_point_or_without(told: object, read: str) -> None:
    got = read_contact(PROFILE, answered(200, {"state": "READY", "outcomeCode": told}), 0, Mask())
    assert isinstance(got, Found)
    assert got.contact.outcome == read


def test_a_number_too_large_to_be_exact_is_no_id() -> None:
    assert text_of(2**53) == "9007199254740992"
    assert text_of(float(2**53)) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"success": fal',
        b"[1,",
        DEEP,
        {"success": "false"},
        {"success": " No "},
        {"success": 0},
        {"success": 0.0},
        {"errorCount": "3"},
        [{"success": True}, {"success": False}],
    ],
)
def test_a_success_that_may_be_none_is_in_doubt(body: object) -> None:
    got = read_written(PROFILE, answered(200, body), NOON_MS, Mask())
    assert isinstance(got, answer.Uncertain)


@pytest.mark.parametrize(
    "body", [b"", {}, [], {"success": True}, {"success": "true"}, {"success": 1}, {"success": None},
             {"errorCount": "0"}, {"errorCount": "none"}, [{"success": True}]]
)  # fmt: skip
def test_a_success_is_one(body: object) -> None:
    got = read_written(PROFILE, answered(200, body), NOON_MS, Mask())
    assert got == answer.Accepted()


def heard(action: Action, numbers: int, status: int, body: object) -> list[WriteAnswer]:
    rules = rules_for(ACD, action.kind)
    assert rules is not None
    several = [
        FollowUp(
            number=number,
            serial=0,
            action=action,
            row=row(contact=f"P{number}", custom_fields={"phone_number": f"+1202555010{number}"}),
            status=Status.APPLIED,
            subject=Subject(row=1, origin=Origin("run-1", "a.csv", 2)),
            told={},
        )
        for number in range(numbers)
    ]
    hearing = Hearing(ACD, action.kind, (), NOON_MS)
    return read_follow_ups(hearing, rules, several, answered(status, body))


GROUP = Action(FollowUpKind.DNC_GROUP, "301")
TAG = Action(FollowUpKind.TAGS, "17")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (206, b""),
        (206, {}),
        (206, {"recordResults": None}),
        (206, {"recordResults": []}),
        (200, {"recordResults": []}),
        (200, {"recordResults": {"0": {"success": False}}}),
        (200, {"recordResults": "failed"}),
        (200, {"recordResults": [None, None]}),
        (200, {"recordResults": [{"success": True}, "failed"]}),
    ],
)
def test_a_part_of_which_nobody_says_which_is_not_done(status: int, body: object) -> None:
    got = heard(GROUP, 2, status, body)
    assert [type(each) for each in got] == [answer.Uncertain] * 2


def record(number: object, success: object) -> dict[str, object]:
    return {"success": success, "error": "", "formattedPhone": number}


@pytest.mark.parametrize(
    ("results", "done"),
    [
        # In order, in any spelling, and where nothing is told.
        ([record("(202) 555-0100", False), record("+1 202 555 0101", True)], [False, True]),
        ([record("", False), record(None, True)], [False, True]),
        ([record("9999999999", False), record("8888888888", True)], [False, True]),
        # In another order.
        ([record("+12025550101", False), record("+12025550100", True)], [True, False]),
        ([record("0012025550101", True), record("2025550100", False)], [False, True]),
    ],
)
def test_results_count_for_the_number_that_they_name(
    results: list[dict[str, object]], done: list[bool]
) -> None:
    got = heard(GROUP, 2, 206, {"recordResults": results})
    assert [isinstance(each, answer.Accepted) for each in got] == done


@pytest.mark.parametrize(
    "results",
    [
        [record("+12025550101", False), record("+12025550101", True)],
        [record("+12025550101", False), record("", True)],
    ],
)
def test_results_out_of_order_that_cannot_be_ordered_settle_nothing(
    results: list[dict[str, object]],
) -> None:
    got = heard(GROUP, 2, 206, {"recordResults": results})
    assert [type(each) for each in got] == [answer.Uncertain] * 2


def test_the_same_number_twice_has_a_result_each() -> None:
    sent = [{"n": "+12025550101"}, {"n": "+12025550102"}]
    sent.append(sent[0])
    results = [{"p": "2025550102"}, {"p": "2025550101"}, {"p": "12025550101"}]
    assert in_order(results, "p", sent) == [results[1], results[0], results[2]]


@pytest.mark.parametrize("action", [GROUP, TAG])
@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "It is there already", answer.Accepted),
        (422, "Already in group", answer.Accepted),
        (400, "The group holds its maximum already", answer.Refused),
        (400, "Limit of records already exceeded", answer.Refused),
        (400, "It was already removed", answer.Refused),
        (403, "You were already told: not allowed", answer.Forbidden),
        (404, "The group was already deleted", answer.Absent),
        (429, "There are already too many requests", answer.Throttled),
        (503, "Already overloaded", answer.Uncertain),
    ],
)
def test_only_what_is_there_already_is_done(
    action: Action, status: int, words: str, kind: type
) -> None:
    (got,) = heard(action, 1, status, {"message": words})
    assert isinstance(got, kind)


def test_a_result_that_says_no_in_words_is_a_refusal() -> None:
    results = [{"success": "true"}, {"success": "false"}]
    got = heard(GROUP, 2, 206, {"recordResults": results})
    assert got == [answer.Accepted(), answer.Refused("item_refused", "")]


def test_an_item_that_two_results_are_about_has_none() -> None:
    sent = [{"n": "+12025550101", "m": "+12025550102"}, {"n": "+12025550103"}]
    assert in_order([{"p": "2025550103"}, {"p": "2025550102"}], "p", sent) is not None
    assert in_order([{"p": "2025550102"}, {"p": "2025550101"}], "p", sent) is None
