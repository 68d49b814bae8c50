"""A tenant's dispositions become outcome codes with a category each."""

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain.outcomes import CODE
from aftercall.wire.catalogue import outcomes_of
from aftercall.wire.codes import Item

RULES = load_profile("acd").codes.categories
GROUPS = {
    "1": "Positive with amount",
    "3": "Negative - DNC (Skill)",
    "5": "Negative",
    "8": "Retry - Rescheduled Date",
    "20": "No Answer",
    "77": "Ours",
    "4": "House rule",
}


@pytest.mark.parametrize(
    ("group", "category"),
    [
        ("1", "positive"),
        ("3", "opt_out"),
        ("5", "negative"),
        ("8", "callback"),
        ("20", "unreachable"),
        ("4", "opt_out"),
        ("77", None),
        (None, None),
    ],
)
def test_the_classification_says_what_a_disposition_means(
    group: str | None, category: str | None
) -> None:
    (outcome,) = outcomes_of([Item("9", "Some name", group)], GROUPS, RULES, {})
    assert outcome.category == category
    assert outcome.code == ("SOME_NAME" if category else "")


def test_codes_are_well_formed_and_no_two_are_the_same() -> None:
    names = ["Positive w/ amount", "Positive w/o amount (EUR)", "Positive w/o amount", "42", "Ja"]
    found = outcomes_of(
        [Item(str(n), name, "1") for n, name in enumerate(names)], GROUPS, RULES, {}
    )
    assert [one.code for one in found] == [
        "POSITIVE_W_AMOUNT",
        "POSITIVE_W_O_AMOUNT",
        "POSITIVE_W_O_AMOUN_B",
        "",
        "JA_B",
    ]
    assert all(CODE.fullmatch(one.code) for one in found if one.code)


def test_an_id_is_not_mistaken_for_one_that_differs_by_its_sign() -> None:
    items = [Item("-1", "In play", "5"), Item("1", "Sold", "1")]
    found = outcomes_of(items, GROUPS, RULES, {"SALE": "1"})
    assert [(one.code, one.id, one.known) for one in found] == [
        ("IN_PLAY", "-1", False),
        ("SALE", "1", True),
    ]


def test_without_groups_the_names_say_what_dispositions_mean() -> None:
    names = ("Do not call", "Positive", "Something")
    items = [Item(str(number), name) for number, name in enumerate(names)]
    found = outcomes_of(items, None, RULES, {})
    assert [(one.code, one.category) for one in found] == [
        ("DO_NOT_CALL", "opt_out"),
        ("POSITIVE", "positive"),
        ("", None),
    ]


def test_a_code_that_is_configured_by_id_or_name_keeps_its_name() -> None:
    items = [Item("5", "Sold!", "1"), Item("6", "Never again", "3"), Item("7", "Other", "5")]
    found = outcomes_of(items, GROUPS, RULES, {"SALE": "5", "STOP": "never again"})
    assert [(one.code, one.known) for one in found] == [
        ("SALE", True),
        ("STOP", True),
        ("OTHER", False),
    ]
