"""What of a row comes back in the tenant's words."""

import json

import pytest

from aftercall.domain.masking import LEFT_OUT, without_personal_data

from .make import disposition

NOTES = 'He said "no way"\nand hung up on Dr. Müller'


@pytest.mark.parametrize(
    "quoted",
    [
        NOTES.upper(),
        json.dumps(NOTES),
        json.dumps(json.dumps(NOTES)),
        NOTES[5:25].lower(),
        json.dumps(NOTES)[3:40] + "…",
        NOTES.replace(" ", "   "),
        NOTES.replace(" ", "+"),
    ],
)
@pytest.mark.parametrize("field", ["notes", "custom_fields"])
def test_a_quote_in_another_form_leaves_nothing_of_the_words(quoted: str, field: str) -> None:
    given = {"notes": NOTES} if field == "notes" else {"custom_fields": {"a": [NOTES]}}
    told = without_personal_data(f"bad: {quoted}", disposition(**given))
    assert "way" not in told.lower()
    assert "said" not in told.lower()


def test_what_is_quoted_in_part_is_left_out_as_a_whole() -> None:
    row = disposition(notes="her number is 0555 123456")
    assert without_personal_data("no: NUMBER IS 0555!", row) == LEFT_OUT
    assert without_personal_data("no: number is!", row) == "no: number is!"


@pytest.mark.parametrize(
    ("value", "words", "shown"),
    [
        (5550100, "bad 5550100", "bad [custom field]"),
        (5550100.0, "bad 5550100", "bad [custom field]"),
        (1234.5, "bad 1234.5", "bad [custom field]"),
        (-98765, "bad -98765", "bad [custom field]"),
        (123, "bad 123", "bad 123"),
        (True, "bad True", "bad True"),
        ("A@b.org", "bad a@B.ORG", "bad [custom field]"),
        ('a "b" c', 'bad a \\"b\\" c', "bad [custom field]"),
    ],
)
def test_custom_values_are_known_again(value: object, words: str, shown: str) -> None:
    row = disposition(custom_fields={"x": {"y": [value]}})
    assert without_personal_data(words, row) == shown
