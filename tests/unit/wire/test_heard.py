import json

from aftercall.wire.heard import CHARACTERS_KEPT, beginning

SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="
NOTES = "asked about the mortgage and the cat"


def event(**data: object) -> str:
    return json.dumps({"type": "disposition.updated", "data": {"contact_id": "P1", **data}})


def test_an_answer_is_kept_on_one_line_without_control_characters() -> None:
    kept = beginning(b"line one\r\n\x1b[31mline two\x00\xff", event(), ())
    assert kept.startswith("line one [31mline two")
    assert kept.isprintable()


def test_a_long_answer_is_cut() -> None:
    kept = beginning(b"x" * 100_000, event(), ())
    assert (len(kept), kept[-1]) == (CHARACTERS_KEPT, "…")


def test_our_secret_is_not_kept_however_it_is_written() -> None:
    for quoted in (SECRET, SECRET.removeprefix("whsec_"), "secret-secret-secret"):
        kept = beginning(f"your key {quoted} is wrong".encode(), event(), (SECRET,))
        assert "secret-secret" not in kept
        assert SECRET.removeprefix("whsec_") not in kept


def test_personal_data_of_the_event_is_not_kept() -> None:
    told = event(notes=NOTES, custom_fields={"policy": "4711-0815-99"})
    kept = beginning(f"cannot store: {NOTES}, policy 4711-0815-99".encode(), told, ())
    assert "mortgage" not in kept
    assert "0815" not in kept


def test_personal_data_at_the_cut_is_not_kept_in_part() -> None:
    answer = "y" * (CHARACTERS_KEPT - 15) + NOTES
    kept = beginning(answer.encode(), event(notes=NOTES), ())
    assert "asked" not in kept


def test_words_that_quote_nothing_are_kept() -> None:
    assert beginning(b"database is down", event(notes=NOTES), (SECRET,)) == "database is down"
