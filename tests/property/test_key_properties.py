from dataclasses import replace
from datetime import timedelta, timezone

from hypothesis import assume, given
from hypothesis import strategies as st

from aftercall.domain import instant
from aftercall.domain.disposition import Disposition
from aftercall.domain.key import KEY_BYTES, key_of

from .strategies import dispositions, ids, instants, json_values, notes, offsets


@given(dispositions)
def test_the_key_is_stable(disposition: Disposition) -> None:
    key = key_of(disposition)
    assert len(key) == KEY_BYTES
    assert key == key_of(replace(disposition))


@given(dispositions, notes, st.dictionaries(st.text(), json_values))
def test_the_key_does_not_depend_on_notes_or_custom_fields(
    disposition: Disposition, words: str, custom: dict[str, object]
) -> None:
    changed = replace(disposition, notes=words, custom_fields=custom)  # type: ignore[arg-type]
    assert key_of(changed) == key_of(disposition)


@given(dispositions, instants, offsets)
def test_the_key_does_not_depend_on_how_the_zone_is_written(
    disposition: Disposition, stamp: object, zone: timezone
) -> None:
    here = replace(disposition, timestamp=stamp)  # type: ignore[arg-type]
    assert here.timestamp is not None
    there = replace(disposition, timestamp=here.timestamp.astimezone(zone))
    assert key_of(here) == key_of(there)


@given(dispositions, st.sampled_from(["campaign", "contact", "agent"]), ids)
def test_the_key_of_a_row_depends_on_each_id(
    disposition: Disposition, name: str, other: str
) -> None:
    row = replace(disposition, event_id=None)
    assume(getattr(row, name) != other)
    assert key_of(replace(row, **{name: other})) != key_of(row)  # type: ignore[arg-type]


@given(dispositions)
def test_the_key_of_a_row_depends_on_the_outcome(disposition: Disposition) -> None:
    row = replace(disposition, event_id=None)
    assert key_of(replace(row, outcome="OTHER_CODE")) != key_of(row)


@given(dispositions, instants, st.integers(1, 10**9))
def test_the_key_of_a_row_depends_on_the_timestamp_to_the_millisecond(
    disposition: Disposition, stamp: object, ms: int
) -> None:
    row = replace(disposition, event_id=None, timestamp=stamp)  # type: ignore[arg-type]
    assert row.timestamp is not None
    assume(instant.to_ms(row.timestamp) + ms < 253_402_300_000_000)
    later = instant.from_ms(instant.to_ms(row.timestamp) + ms)
    assert key_of(replace(row, timestamp=later)) != key_of(row)
    assert key_of(replace(row, timestamp=None)) != key_of(row)
    same = instant.from_ms(instant.to_ms(row.timestamp)) + timedelta(microseconds=1)
    assert key_of(replace(row, timestamp=same)) == key_of(row)


@given(dispositions, ids, ids)
def test_with_an_event_id_the_key_depends_on_it_and_on_the_contact(
    disposition: Disposition, event: str, other: str
) -> None:
    assume(event != other)
    row = replace(disposition, event_id=event)
    assert key_of(replace(row, event_id=other)) != key_of(row)
    assert key_of(replace(row, contact=row.contact + "x")) != key_of(row)
    assert key_of(replace(row, outcome="OTHER_CODE", agent="x", timestamp=None)) == key_of(row)
    assert key_of(replace(row, event_id=None)) != key_of(row)


@given(ids, ids, ids, ids)
def test_ids_do_not_run_into_each_other(first: str, second: str, third: str, fourth: str) -> None:
    assume((first, second) != (third, fourth))
    one = Disposition(campaign=first, contact=second, outcome="SALE", agent="A")
    other = Disposition(campaign=third, contact=fourth, outcome="SALE", agent="A")
    assert key_of(one) != key_of(other)
