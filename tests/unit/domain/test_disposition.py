from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest

from aftercall.domain.cells import Problem
from aftercall.domain.disposition import (
    CUSTOM_BYTES_MAX,
    Disposition,
    Rules,
    identity_of,
    opt_out_of,
    read_disposition,
)
from aftercall.domain.outcomes import Category

from .make import CELLS, MATRIX, NOON, RULES

SECRET = "her number is 0555"


class Place(IntEnum):
    THIRD = 3


def read(**given: object) -> Disposition:
    disposition, problems = read_disposition(CELLS | given, RULES)
    assert problems == ()
    assert disposition is not None
    return disposition


def refused(**given: object) -> Problem:
    disposition, problems = read_disposition(CELLS | given, RULES)
    assert disposition is None
    assert len(problems) == 1
    return problems[0]


def nested(levels: int) -> Any:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def test_a_row_with_the_required_fields_is_a_disposition() -> None:
    assert read() == Disposition(campaign="C1", contact="P1", outcome="INTERESTED", agent="A1")


def test_every_field_is_read_and_ids_are_stripped() -> None:
    cells = {
        "campaign": " C 9 ",
        "contact": 42,
        "outcome": " DO_NOT_CALL ",
        "agent": "Zoë 😀",
        "notes": " said\tno\r\n",
        "custom_fields": '{"score": 7}',
        "timestamp": " 2026-11-23T11:00:00+01:00 ",
        "event_id": "E/1",
    }
    disposition = read(**cells)
    assert disposition == Disposition(
        campaign="C 9",
        contact="42",
        outcome="DO_NOT_CALL",
        agent="Zoë 😀",
        notes=" said\tno\r\n",
        custom_fields={"score": 7},
        timestamp=datetime(2026, 11, 23, 10, tzinfo=UTC),
        event_id="E/1",
    )
    assert RULES.category(disposition) is Category.OPT_OUT


@pytest.mark.parametrize("empty", [None, "", "  \t"])
def test_empty_optional_cells_are_absent(empty: object) -> None:
    assert (
        read(notes=empty, custom_fields=empty, timestamp=empty, event_id=empty, extra="x") == read()
    )


@pytest.mark.parametrize("empty", [None, "", " \t\n"])
@pytest.mark.parametrize("name", ["campaign", "contact", "agent", "outcome"])
def test_an_empty_required_cell_is_missing(name: str, empty: object) -> None:
    problem = refused(**{name: empty})
    assert (problem.field, problem.code) == (name, "missing_value")


@pytest.mark.parametrize("name", ["campaign", "contact", "agent", "event_id"])
@pytest.mark.parametrize("value", [1.5, True, ["a"], {"a": 1}, b"x"])
def test_an_id_that_is_no_text_is_of_the_wrong_type(name: str, value: object) -> None:
    problem = refused(**{name: value})
    assert (problem.field, problem.code) == (name, "wrong_type")


@pytest.mark.parametrize("name", ["campaign", "contact", "agent", "event_id"])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 129,
        pytest.param(10**200, id="200 digits"),
        pytest.param(10**5000, id="5000 digits"),
        ".",
        "..",
        "../admin",
        "a/../b",
        "a/..",
        "..\\b",
        "a\\..",
        "a\x00b",
        "a\r\nX-Evil: 1",
        "a\x7f",
        "a\u200bb",
        "a\u2028b",
        "\ud800",
    ],
)
def test_an_id_that_could_leave_its_segment_or_its_line_is_refused(
    name: str, value: object
) -> None:
    problem = refused(**{name: value})
    assert (problem.field, problem.code) == (name, "bad_identifier")


@pytest.mark.parametrize("value", ["x" * 128, "a/b", "a%2Fb", "..a", "a..b", "...", "{contact}"])
def test_an_id_is_an_opaque_text(value: str) -> None:
    assert read(contact=value).contact == value


def test_an_integer_of_any_kind_is_an_id() -> None:
    assert (read(contact=0).contact, read(contact=-7).contact) == ("0", "-7")
    assert read(contact=Place.THIRD).contact == "3"


def test_an_unknown_outcome_says_what_was_probably_meant() -> None:
    problem = refused(outcome="INTRESTED")
    assert problem.code == "unknown_outcome"
    assert "INTRESTED" in problem.message
    assert problem.hint.startswith("Did you mean INTERESTED? ")


@pytest.mark.parametrize("value", ["interested", "AB", "A" * 21, "A1B", SECRET, 7, ["SALE"]])
def test_an_outcome_that_is_no_code_is_not_repeated(value: object) -> None:
    problem = refused(outcome=value)
    assert problem.code == "bad_outcome"
    assert str(value) not in problem.message


def test_notes_of_the_longest_kind_are_taken_and_longer_ones_are_not() -> None:
    assert read(notes="n" * 8000).notes == "n" * 8000
    assert refused(notes="n" * 8001).code == "too_long"


@pytest.mark.parametrize("value", ["a\x00", "a\x1b[31m", "a\x7fb", "a\udcff"])
def test_notes_with_control_characters_or_half_letters_are_refused(value: str) -> None:
    assert refused(notes=value).code == "control_characters"


@pytest.mark.parametrize("value", [7, ["a"], b"bytes", 0.0])
def test_notes_that_are_no_text_are_of_the_wrong_type(value: object) -> None:
    assert refused(notes=value).code == "wrong_type"


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "{'a': 1}",
        '{"a": NaN}',
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("1" * 5000, id="long"),
    ],
)
def test_custom_fields_that_are_not_json(value: str) -> None:
    assert refused(custom_fields=value).code == "not_json"


@pytest.mark.parametrize("value", ["[1]", '"text"', "7", "null", [1], 7])
def test_custom_fields_that_are_no_object(value: object) -> None:
    assert refused(custom_fields=value).code == "wrong_type"


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("inf")},
        {"a": {1: 2}},
        {"a": {"b", "c"}},
        {"a": datetime(2026, 1, 1, tzinfo=UTC)},
        {"a": "\ud800"},
        {"a": [10**5000]},
        '{"a": "\\ud800"}',
        nested(17),
    ],
)
def test_custom_fields_that_hold_what_is_not_json(value: object) -> None:
    assert refused(custom_fields=value).code == "not_json"


def test_custom_fields_are_bounded_in_bytes_not_in_characters() -> None:
    room = CUSTOM_BYTES_MAX - len('{"a": ""}')
    assert read(custom_fields={"a": "x" * room}).custom_fields is not None
    assert refused(custom_fields={"a": "x" * (room + 1)}).code == "too_long"
    assert refused(custom_fields={"a": "ä" * (room // 2 + 1)}).code == "too_long"


@pytest.mark.parametrize("value", [{}, "{}"])
def test_empty_custom_fields_are_none(value: object) -> None:
    assert read(custom_fields=value).custom_fields is None


def test_custom_fields_become_plain_json_whatever_kind_of_mapping_they_were() -> None:
    given = MappingProxyType({"a": MappingProxyType({"b": (1, None, True)})})
    custom = read(custom_fields=given).custom_fields
    assert custom == {"a": {"b": [1, None, True]}}
    assert type(custom) is dict
    assert type(custom["a"]) is dict


def test_custom_fields_may_be_16_levels_deep() -> None:
    assert read(custom_fields=nested(16)).custom_fields == nested(16)


@pytest.mark.parametrize(
    "value", ["soon", "2026-13-01T00:00:00Z", 1_795_428_000, "0001-01-01T00:00:00+01:00"]
)
def test_a_timestamp_that_is_no_instant(value: object) -> None:
    assert refused(timestamp=value).code == "bad_timestamp"


@pytest.mark.parametrize("value", ["2026-11-23", "2026-11-23T10:00:00", NOON.replace(tzinfo=None)])
def test_a_timestamp_without_a_zone_is_naive(value: object) -> None:
    assert refused(timestamp=value).code == "naive_timestamp"


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(seconds=121), "2 minutes"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_timestamp_of_the_future_says_how_far(ahead: timedelta, told: str) -> None:
    problem = refused(timestamp=NOON + ahead)
    assert problem.code == "future_timestamp"
    assert told in problem.message


def test_a_strict_rule_tells_the_seconds() -> None:
    cells = CELLS | {"timestamp": NOON + timedelta(seconds=7)}
    _, problems = read_disposition(cells, Rules(MATRIX, NOON, skew_seconds=0.0))
    assert [one.message for one in problems] == ["The timestamp lies 7 seconds in the future."]


def test_a_small_skew_is_no_future() -> None:
    assert read(timestamp=NOON + timedelta(seconds=120)).timestamp == NOON + timedelta(minutes=2)


def test_a_timestamp_is_kept_in_utc_and_whole_milliseconds() -> None:
    stamp = read(timestamp=datetime(2026, 11, 23, 9, 0, 0, 1_999, tzinfo=UTC)).timestamp
    assert stamp == datetime(2026, 11, 23, 9, 0, 0, 1_000, tzinfo=UTC)


def test_all_errors_of_a_row_are_told_at_once() -> None:
    cells = {
        "campaign": "../x",
        "contact": "",
        "outcome": "YES!",
        "agent": 1.5,
        "notes": "n" * 9000,
        "custom_fields": "[",
        "timestamp": "2026-11-23T10:00:00",
        "event_id": "\x00",
    }
    disposition, problems = read_disposition(cells, RULES)
    assert disposition is None
    assert [(one.field, one.code) for one in problems] == [
        ("campaign", "bad_identifier"),
        ("contact", "missing_value"),
        ("agent", "wrong_type"),
        ("outcome", "bad_outcome"),
        ("notes", "too_long"),
        ("custom_fields", "not_json"),
        ("timestamp", "naive_timestamp"),
        ("event_id", "bad_identifier"),
    ]
    assert all(one.message and one.hint for one in problems)


@pytest.mark.parametrize(
    "given",
    [
        {"notes": SECRET + "\x00"},
        {"notes": [SECRET]},
        {"custom_fields": SECRET},
        {"custom_fields": {"a": {SECRET}}},
        {"contact": SECRET + "\x00"},
        {"timestamp": SECRET},
        {"outcome": SECRET},
    ],
)
def test_no_problem_repeats_what_a_cell_held(given: Mapping[str, object]) -> None:
    problem = refused(**given)
    assert SECRET not in problem.message + problem.hint


def test_what_is_shown_of_a_disposition_leaves_out_notes_and_custom_fields() -> None:
    shown = repr(read(notes=SECRET, custom_fields={"a": SECRET}))
    assert SECRET not in shown
    assert "P1" in shown


def test_an_invalid_row_is_listed_under_what_it_did_say() -> None:
    cells = {"campaign": " C1 ", "contact": 7, "outcome": "\x1b[31m", "agent": "../x", "notes": "n"}
    assert identity_of(cells) == {"campaign": "C1", "contact": "7", "outcome": "", "agent": ""}


def test_a_row_that_says_nothing_is_listed_under_nothing() -> None:
    nothing = {"campaign": "", "contact": "", "outcome": "", "agent": ""}
    assert identity_of({}) == nothing
    strange = {"campaign": None, "contact": 10**5000, "outcome": {"a": 1}, "agent": "\ud800"}
    assert identity_of(strange) == nothing


@pytest.mark.parametrize(
    ("written", "received"),
    [
        ("2026-11-20T10:00:00", datetime(2026, 11, 19, 20, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 19, 10, tzinfo=UTC)),
        ("2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
        ("20 November", NOON),
    ],
)
def test_the_clock_of_an_invalid_opt_out_starts_at_the_earliest_time_that_it_can_mean(
    written: str, received: datetime
) -> None:
    cells = CELLS | {"outcome": "DO_NOT_CALL", "timestamp": written, "agent": ""}
    assert opt_out_of(cells, RULES) == received
