"""A time in a custom field is sent in the form that the gateway wants, or not at all."""

import json

import pytest

from aftercall.wire.requests import Unwritable

from .make import NOON, NOON_MS, row
from .test_language import written

DROPPED = ["agent", "notes", "timestamp"]


def sent(form: str | None, value: object) -> object:
    spec = {"from": "custom_fields.due"} | ({} if form is None else {"format": form})
    given = row(custom_fields={"due": value})
    request = written({"o": "outcome", "at": spec}, given, dropped=DROPPED)
    return json.loads(request.body or b"")["at"]


@pytest.mark.parametrize(
    "value", ["2026-11-23T12:00:00Z", "2026-11-23T17:00:00+05:00", NOON_MS // 1000, NOON_MS]
)
@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("iso", "2026-11-23T12:00:00.000Z"),
        ("iso_seconds", "2026-11-23T12:00:00Z"),
        ("epoch_seconds", NOON_MS // 1000),
        ("epoch_milliseconds", NOON_MS),
    ],
)
def test_a_time_is_written_in_the_form_that_is_asked_for(
    form: str, told: object, value: object
) -> None:
    assert sent(form, value) == told


@pytest.mark.parametrize("value", ["tomorrow", "2026-11-23T12:00:00", "", "10:00", True, [1], -1])
def test_what_names_no_instant_is_not_sent_as_one(value: object) -> None:
    with pytest.raises(Unwritable) as flaw:
        sent("epoch_seconds", value)
    assert flaw.value.code == "wrong_type"
    assert "custom_fields.due as a time with a zone" in flaw.value.words


def test_what_is_not_said_to_be_a_time_is_sent_as_it_is() -> None:
    assert sent(None, "tomorrow") == "tomorrow"


def test_the_time_of_the_row_is_iso_unless_another_form_is_asked_for() -> None:
    fields = {"o": "outcome", "at": "timestamp"}
    dropped = ["agent", "notes", "custom_fields"]
    request = written(fields, row(timestamp=NOON), dropped=dropped)
    assert json.loads(request.body or b"")["at"] == "2026-11-23T12:00:00.000Z"
