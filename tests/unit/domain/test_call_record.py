import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from aftercall.domain.call_record import ITEMS, NAMES, PERSONAL, CallRecord, missing_of, record_from
from aftercall.domain.cells import Problem
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import read_disposition

from .make import CELLS, NOON, RULES, disposition

FULL: dict[str, Any] = {
    "telemarketer": "Acme Calls LLC",
    "seller": "Sunny Solar Inc.",
    "good_or_service": "rooftop panels",
    "consumer_type": "individual",
    "call_direction": "outbound",
    "prerecorded_message": False,
    "calling_number": "+12025550100",
    "called_number": "+13125550123",
    "call_started_at": datetime(2026, 11, 23, 11, 58, 2, tzinfo=UTC),
    "call_duration_seconds": 125,
    "script_used": "solar-v7",
    "caller_id_number": "+12025550100",
    "caller_id_authorization": "contract 12",
    "call_disposition": "answered",
}


def read(**given: object) -> CallRecord | None:
    row, problems = read_disposition({**CELLS, **given}, RULES)
    assert problems == ()
    assert row is not None
    return row.call_record


def refused(**given: object) -> Problem:
    row, problems = read_disposition({**CELLS, **given}, RULES)
    assert row is None
    (problem,) = problems
    return problem


def test_without_any_of_its_fields_there_is_none() -> None:
    assert read() is None
    assert read(seller="", called_number=None, call_record=" ") is None


def test_each_field_is_read_into_its_type() -> None:
    texts = {name: str(value) for name, value in FULL.items()}
    assert read(**texts) == CallRecord(**FULL)
    assert read(**FULL) == CallRecord(**FULL)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+12025550123", "+12025550123"),
        (" +1 (202) 555-0123 ", "+12025550123"),
        ("+44.20.7946.0000", "+442079460000"),
        ("+290 2222", "+2902222"),
    ],
)
def test_numbers_are_e164(written: str, number: str) -> None:
    record = read(called_number=written)
    assert record == CallRecord(called_number=number)


@pytest.mark.parametrize(
    "cell",
    ["2025550777", "0012025550777", "+1 202 555 0777 x9", "+0123456789", "+1234567890123456",
     "+12345", "unknown", 12025550777, True, "+\u0661\u0662\u0660\u0662\u0665\u0665\u0665"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["called_number", "calling_number", "caller_id_number"])
def test_other_numbers_are_refused_and_not_shown(name: str, cell: object) -> None:
    problem = refused(**{name: cell})
    assert (problem.field, problem.code) == (name, "bad_number")
    assert str(cell) not in problem.message + problem.hint
    assert "+12025550123" in problem.hint


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        (125, 125), ("125", 125), (0, 0), ("0", 0), (1.5, 2), ("2.4", 2), ("2:05", 125),
        ("0:02:05", 125), ("00:02:05.6", 126), ("61:00", 3660), ("PT2M5S", 125), ("pt1h", 3600),
        ("PT0.5S", 1), (timedelta(minutes=2, seconds=5), 125), (604_800, 604_800),
    ],
)  # fmt: skip
def test_durations_are_whole_seconds_to_the_nearest(cell: object, seconds: int) -> None:
    assert read(call_duration_seconds=cell) == CallRecord(call_duration_seconds=seconds)


@pytest.mark.parametrize(
    "cell",
    ["-1", -1, "2 min", "1:2:3:4", "PT", "P1D", "nan", "inf", float("nan"), float("inf"), True,
     604_801, "1e3", 10**400, "9" * 30, [125], "\u0661\u0662"],
)  # fmt: skip
def test_other_durations_are_refused(cell: object) -> None:
    problem = refused(call_duration_seconds=cell)
    assert (problem.field, problem.code) == ("call_duration_seconds", "bad_duration")
    assert "PT2M5S" in problem.hint


def test_the_start_of_a_call_is_an_instant_in_the_past() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert read(call_started_at=local.isoformat()) == CallRecord(call_started_at=NOON)
    assert refused(call_started_at="2026-11-23T10:00:00").code == "naive_timestamp"
    assert refused(call_started_at="yesterday").code == "bad_timestamp"
    assert refused(call_started_at=NOON + timedelta(days=1)).code == "future_timestamp"


@pytest.mark.parametrize("name", ["prerecorded_message", "dialed_manually"])
def test_flags_are_yes_or_no(name: str) -> None:
    for cell, value in (("Yes", True), ("TRUE", True), (1, True), (False, False), ("no", False)):
        record = read(**{name: cell})
        assert record is not None
        assert record.public == {name: value}
    assert refused(**{name: "maybe"}).code == "bad_flag"
    assert refused(**{name: 2}).code == "bad_flag"
    assert refused(**{name: 10**5000}).code == "bad_flag"


def test_choices_are_named() -> None:
    assert read(consumer_type="Business") == CallRecord(consumer_type="business")
    problem = refused(call_direction="out")
    assert (problem.code, problem.hint) == ("bad_choice", "Write outbound or inbound.")


@pytest.mark.parametrize(
    ("cell", "place"),
    [("+1 202 555 0199", "+12025550199"), ("192.0.2.7", "192.0.2.7"),
     ("2001:DB8::1", "2001:db8::1")],
)  # fmt: skip
def test_a_call_is_transferred_to_a_number_or_an_address(cell: str, place: str) -> None:
    assert read(transferred_to=cell) == CallRecord(transferred_to=place)
    assert refused(transferred_to="the manager").code == "bad_number"


@pytest.mark.parametrize(
    ("cell", "code"),
    [("x" * 501, "too_long"), ("two\nlines", "control_characters"),
     ("\ud800", "control_characters"), (1.5, "wrong_type"), (True, "wrong_type"),
     (["a"], "wrong_type")],
)  # fmt: skip
def test_texts_are_one_line(cell: object, code: str) -> None:
    assert refused(seller=cell).code == code
    assert read(script_used=7) == CallRecord(script_used="7")


class TestWithin:
    def test_it_can_be_given_as_a_whole(self) -> None:
        whole = CallRecord(seller="Sunny Solar Inc.", called_number="+13125550123")
        given = {"seller": "Sunny Solar Inc.", "called_number": "+1 312 555 0123"}
        assert read(call_record=whole) == whole
        assert read(call_record=given) == whole
        assert read(call_record=json.dumps(given)) == whole

    def test_a_column_of_its_own_wins(self) -> None:
        whole = CallRecord(seller="A", script_used="s1")
        assert read(call_record=whole, seller="B") == CallRecord(seller="B", script_used="s1")

    @pytest.mark.parametrize("cell", ["no json", "[1]", 7, "[" * 100_000])
    def test_something_else_is_refused(self, cell: object) -> None:
        assert refused(call_record=cell).code == "wrong_type"

    def test_an_unknown_name_is_refused_and_not_shown(self) -> None:
        problem = refused(call_record={"sellr": "A", "her 0555": 1})
        assert problem.code == "unknown_name"
        assert "0555" not in problem.message + problem.hint

    def test_all_problems_are_told_at_once(self) -> None:
        cells = {**CELLS, "called_number": "1", "seller": "\0", "call_record": {"x": 1}}
        _, problems = read_disposition(cells, RULES)
        assert [one.field for one in problems] == ["call_record", "seller", "called_number"]


def test_an_opt_out_does_not_wait_for_its_call_record() -> None:
    opt_out = {**CELLS, "outcome": "DO_NOT_CALL", "seller": "Sunny", "called_number": "555"}
    row, problems = read_disposition({**opt_out, "call_record": "{"}, RULES)
    assert row is not None
    assert row.call_record == CallRecord(seller="Sunny")
    assert [one.field for one in problems] == ["call_record", "called_number"]
    row, problems = read_disposition({**opt_out, "agent": ""}, RULES)
    assert row is None
    assert [one.field for one in problems] == ["agent", "called_number"]


def test_what_is_personal_is_kept_apart() -> None:
    record = CallRecord(**FULL, customer_name="Jo Doe")
    called = {"calling_number": "+12025550100", "called_number": "+13125550123"}
    assert record.personal == {**called, "customer_name": "Jo Doe"}
    assert record.public.keys() == FULL.keys() - PERSONAL
    assert record.public["call_started_at"] == "2026-11-23T11:58:02.000Z"
    assert json.loads(json.dumps(record.public)) == record.public
    assert record_from(record.public | record.personal) == record
    assert "555" not in repr(CallRecord(called_number="+13125550123", customer_name="555"))


def test_a_disposition_has_it_among_its_personal_data() -> None:
    record = CallRecord(**FULL)
    row = disposition(notes="n", call_record=record)
    assert row.personal == {"notes": "n", **record.personal}


def test_every_field_is_a_column_and_a_field_of_the_map() -> None:
    names = [*CELLS, *NAMES, "call_record", "opt_out_received_at"]
    assert ColumnMap().places(names) == {name: name for name in names}


class TestMissing:
    def test_a_full_record_lacks_nothing(self) -> None:
        record = CallRecord(**FULL)
        assert missing_of(record.public, FULL.keys()) == []

    def test_without_a_record_all_is_lacking_that_depends_on_nothing_else(self) -> None:
        conditional = {"recording_used", "transferred_to"}
        assert missing_of({}, ()) == [name for name in ITEMS if name not in conditional]

    @pytest.mark.parametrize("name", sorted(FULL))
    def test_each_field_is_missed(self, name: str) -> None:
        given = {key: value for key, value in FULL.items() if key != name}
        assert missing_of(CallRecord(**given).public, given.keys()) == [name]

    @pytest.mark.parametrize(
        ("changes", "missing"),
        [
            ({"prerecorded_message": True}, ["recording_used"]),
            ({"prerecorded_message": True, "script_used": None, "recording_used": "r1"}, []),
            ({"call_disposition": "Transferred"}, ["transferred_to"]),
            ({"call_disposition": "transferred", "transferred_to": "+12025550199"}, []),
            ({"call_direction": "inbound", "caller_id_number": None}, []),
            ({"caller_id_number": None}, ["caller_id_number"]),
            ({"dialed_manually": True, "call_disposition": None, "called_number": None}, []),
            ({"dialed_manually": False, "called_number": None}, ["called_number"]),
            ({"dialed_manually": True, "seller": None}, ["seller"]),
        ],
    )
    def test_what_depends_on_another_field(
        self, changes: dict[str, Any], missing: list[str]
    ) -> None:
        given = {name: value for name, value in (FULL | changes).items() if value is not None}
        assert missing_of(CallRecord(**given).public, given.keys()) == missing
