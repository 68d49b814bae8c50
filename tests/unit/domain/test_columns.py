import pytest

from aftercall.domain.columns import ALIASES, ColumnMap
from aftercall.domain.disposition import CANONICAL

ALIAS_PAIRS = [(alias, one) for one, aliases in ALIASES.items() for alias in aliases]


@pytest.mark.parametrize(("alias", "one"), ALIAS_PAIRS)
def test_every_alias_is_understood_however_it_is_written(alias: str, one: str) -> None:
    for name in (alias, alias.upper(), alias.replace("_", "-"), alias.replace("_", " ") + " "):
        assert ColumnMap().places([name]) == {name: one}


def test_the_aliases_are_of_fields_that_exist() -> None:
    assert set(ALIASES) == set(CANONICAL)


def test_the_best_alias_wins_and_other_columns_are_left_alone() -> None:
    names = ["Disposition Code", "OUTCOME", "Campaign_ID", "colour"]
    assert ColumnMap().places(names) == {"OUTCOME": "outcome", "Campaign_ID": "campaign"}


def test_of_two_spellings_of_one_name_the_first_counts() -> None:
    assert ColumnMap().places(["Agent-ID", "agent_id"]) == {"Agent-ID": "agent"}


def test_a_configured_column_is_taken_by_its_exact_name() -> None:
    columns = ColumnMap(columns={"contact": "Kunde"})
    assert columns.places(["Kunde", "contact_id"]) == {"Kunde": "contact"}
    assert columns.places(["kunde", "contact_id"]) == {}


def test_a_column_is_only_one_field() -> None:
    columns = ColumnMap(columns={"campaign": "agent"})
    assert columns.places(["agent"]) == {"agent": "campaign"}


def test_required_fields_that_nothing_provides_are_missing() -> None:
    assert ColumnMap().missing(["campaign", "notes"]) == ("contact", "outcome", "agent")
    given = ColumnMap(constants={"contact": "P"}, defaults={"outcome": "SALE"})
    assert given.missing(["campaign", "agent_id"]) == ()


def test_a_configured_column_that_the_input_lacks_is_missing_though_optional() -> None:
    names = ["campaign", "contact", "outcome", "agent"]
    assert ColumnMap(columns={"notes": "Remark"}).missing(names) == ("notes",)
    with_default = ColumnMap(columns={"notes": "Remark"}, defaults={"notes": "-"})
    assert with_default.missing(names) == ()


def test_constants_beat_cells_and_defaults_fill_empty_ones() -> None:
    columns = ColumnMap(constants={"campaign": "C9"}, defaults={"agent": "A9", "outcome": "SALE"})
    cells = {"campaign": "C1", "agent": "", "outcome": "LOST"}
    fields = columns.canonical(cells, columns.places(cells))
    assert fields == {"campaign": "C9", "agent": "A9", "outcome": "LOST"}


@pytest.mark.parametrize("empty", [None, "", "  \t"])
def test_a_blank_cell_is_empty_for_a_default_as_it_is_for_the_rules(empty: object) -> None:
    columns = ColumnMap(defaults={"agent": "A9"})
    assert columns.canonical({"agent": empty}, {"agent": "agent"}) == {"agent": "A9"}


def test_a_default_of_a_cell_that_is_a_json_value_leaves_it_alone() -> None:
    columns = ColumnMap(defaults={"agent": "A9"})
    assert columns.canonical({"agent": ["x"]}, {"agent": "agent"}) == {"agent": ["x"]}


def test_custom_columns_become_custom_fields() -> None:
    cells: dict[str, object] = {
        "custom.score": "7",
        "custom.empty": "",
        "custom.none": None,
        "custom.tags": ["a", "b"],
        "customer": "x",
    }
    fields = ColumnMap().canonical(cells, {})
    assert fields == {"custom_fields": {"score": "7", "tags": ["a", "b"]}}


def test_a_cell_with_custom_fields_beats_custom_columns() -> None:
    cells = {"custom_fields": '{"a": 1}', "custom.b": "2"}
    columns = ColumnMap()
    assert columns.canonical(cells, columns.places(cells)) == {"custom_fields": '{"a": 1}'}
    blank = cells | {"custom_fields": " "}
    assert columns.canonical(blank, columns.places(blank)) == {"custom_fields": {"b": "2"}}


def test_cells_that_a_short_row_lacks_are_absent() -> None:
    assert ColumnMap().canonical({"agent": "A1"}, {"agent": "agent", "note": "notes"}) == {
        "agent": "A1"
    }
