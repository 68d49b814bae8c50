import hashlib
from datetime import timedelta, timezone

from aftercall.domain.key import KEY_BYTES, key_of

from .make import NOON, disposition


def test_the_key_is_the_same_on_every_machine_and_in_every_version() -> None:
    # Spelled out, because journals written today have to recognise rows for years.
    given = "row\x1fC1\x1fP1\x1fINTERESTED\x1fA1\x1f2026-11-23T12:00:00.000Z"
    assert key_of(disposition()) == hashlib.sha256(given.encode()).digest()[:KEY_BYTES]


def test_the_key_with_an_event_id_is_of_the_contact_and_that_id_alone() -> None:
    given = "event\x1fC1\x1fP1\x1fE9"
    wanted = hashlib.sha256(given.encode()).digest()[:KEY_BYTES]
    assert key_of(disposition(event_id="E9")) == wanted
    assert key_of(disposition(event_id="E9", outcome="CALL_BACK", timestamp=None)) == wanted


def test_a_missing_timestamp_is_not_the_time_of_reading() -> None:
    assert key_of(disposition(timestamp=None)) == key_of(disposition(timestamp=None))
    assert key_of(disposition(timestamp=None)) != key_of(disposition())


def test_notes_custom_fields_and_the_notation_of_the_zone_do_not_matter() -> None:
    plain = key_of(disposition())
    assert key_of(disposition(notes="changed my mind")) == plain
    assert key_of(disposition(custom_fields={"score": 7})) == plain
    assert key_of(disposition(timestamp=NOON.astimezone(timezone(timedelta(hours=1))))) == plain


def test_fields_do_not_run_into_each_other() -> None:
    assert key_of(disposition(campaign="C1P", contact="1")) != key_of(
        disposition(campaign="C1", contact="P1")
    )
    assert key_of(disposition(campaign='C","x', contact="y")) != key_of(
        disposition(campaign="C", contact='x","y')
    )


def test_an_event_id_is_told_from_a_row_that_looks_like_it() -> None:
    assert key_of(disposition(event_id="A1")) != key_of(disposition(outcome="A1"))
