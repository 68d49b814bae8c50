"""A tenant's dispositions become outcome codes with a category each."""

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain.outcomes import CODE, Category
from aftercall.wire.catalogue import Configured, outcomes_of
from aftercall.wire.codes import Item
from aftercall.wire.language.codes import CategoryRule

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
    (outcome,) = outcomes_of([Item("9", "Some name", group)], GROUPS, RULES, Configured())
    assert outcome.category == category
    assert outcome.code == ("SOME_NAME" if category else "")


def test_codes_are_well_formed_and_no_two_are_the_same() -> None:
    names = ["Positive w/ amount", "Positive w/o amount (EUR)", "Positive w/o amount", "42", "Ja"]
    found = outcomes_of(
        [Item(str(n), name, "1") for n, name in enumerate(names)], GROUPS, RULES, Configured()
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
    found = outcomes_of(items, GROUPS, RULES, Configured(ids={"SALE": "1"}))
    assert [(one.code, one.id) for one in found] == [("IN_PLAY", "-1"), ("SALE", "1")]


def test_without_groups_the_names_say_what_dispositions_mean() -> None:
    names = ("Do not call", "Positive", "Something")
    items = [Item(str(number), name) for number, name in enumerate(names)]
    found = outcomes_of(items, None, RULES, Configured())
    assert [(one.code, one.category) for one in found] == [
        ("DO_NOT_CALL", "opt_out"),
        ("POSITIVE", "positive"),
        ("", None),
    ]


def test_a_code_that_is_configured_by_id_or_name_keeps_its_name() -> None:
    items = [Item("5", "Sold!", "1"), Item("6", "Never again", "3"), Item("7", "Other", "5")]
    configured = Configured(ids={"SALE": "5", "STOP": "never again"})
    found = outcomes_of(items, GROUPS, RULES, configured)
    assert [one.code for one in found] == ["SALE", "STOP", "OTHER"]


def test_a_code_that_is_configured_is_the_disposition_of_the_same_name() -> None:
    items = [Item("11", "Call again", None), Item("12", "Interested", "1")]
    configured = Configured({"CALL_AGAIN": Category.CALLBACK, "INTERESTED": Category.CALLBACK})
    found = outcomes_of(items, GROUPS, RULES, configured)
    assert [(one.code, one.category, one.id) for one in found] == [
        ("CALL_AGAIN", "callback", "11"),
        ("INTERESTED", "positive", "12"),
    ]


@pytest.mark.parametrize("group", [None, "5"])
@pytest.mark.parametrize(
    ("name", "category"),
    [("Take me off", "opt_out"), ("Call again", "callback"), ("Sold", "positive")],
)
def test_where_no_groups_are_named_the_disposition_s_own_name_tells(
    name: str, category: str, group: str | None
) -> None:
    rules = (
        CategoryRule(category="opt_out", text="take me off"),
        CategoryRule(category="callback", text="again"),
        CategoryRule(category="positive", text="."),
    )
    (outcome,) = outcomes_of([Item("9", name, group)], None, rules, Configured())
    assert outcome.category == category
    assert outcome.code


def test_a_group_without_a_name_still_counts_by_its_id() -> None:
    rules = (CategoryRule(category="negative", groups=("5",)),)
    (outcome,) = outcomes_of([Item("9", "Whatever", "5")], None, rules, Configured())
    assert outcome.category == "negative"


def test_a_name_that_several_have_is_no_configured_code() -> None:
    items = [Item("5", "Sold", "1"), Item("6", "sold", "1")]
    found = outcomes_of(items, GROUPS, RULES, Configured({"SOLD": Category.POSITIVE}))
    assert [one.code for one in found] == ["SOLD_B", "SOLD_C"]
