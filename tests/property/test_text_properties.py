from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain import instant
from aftercall.domain.answer import one_line
from aftercall.domain.disposition import Disposition
from aftercall.domain.masking import LEFT_OUT, without_personal_data
from aftercall.wire.masking import Mask
from aftercall.wire.refusals import WORDS_CHARACTERS_MAX, clean

from .strategies import any_text, instants, notes

all_ms = st.integers(instant.to_ms(datetime.fromisoformat("0001-01-01T00:00:00Z")), 253402300799999)


@given(all_ms)
def test_an_instant_survives_being_written_and_read(ms: int) -> None:
    words = instant.text(ms)
    assert len(words) == len("2026-11-23T10:00:00.000Z")
    moment = instant.parse(words)
    assert moment is not None
    assert instant.to_ms(moment) == ms
    assert instant.from_ms(ms) == moment


@given(all_ms, all_ms)
def test_texts_of_instants_sort_as_the_instants_do(one: int, other: int) -> None:
    assert (instant.text(one) < instant.text(other)) == (one < other)


@given(instants)
def test_what_python_writes_is_read_as_the_same_instant(moment: datetime) -> None:
    assert instant.parse(moment.isoformat()) == moment


@given(any_text | st.text("0123456789-:TZ+. W", max_size=30))
def test_any_text_is_an_instant_or_none(words: str) -> None:
    moment = instant.parse(words)
    assert moment is None or instant.parse(instant.text(instant.to_ms(moment))) is not None


@given(any_text)
def test_clean_words_are_one_printable_line_of_bounded_length(words: str) -> None:
    told = clean(words, Mask())
    assert told.isprintable()
    assert len(told) <= WORDS_CHARACTERS_MAX
    assert told == told.strip()
    assert "  " not in told
    assert clean(told, Mask()) == told
    told.encode()


@given(st.text(max_size=40).map(one_line), notes.filter(lambda each: len(one_line(each)) > 3))
def test_notes_never_come_back_in_the_tenants_words_however_they_were_cut(
    around: str, words: str
) -> None:
    row = Disposition(campaign="C", contact="P", outcome="SALE", agent="A", notes=words * 8)
    told = without_personal_data(clean(f"{around} '{words * 8}' {around}", Mask()), row)
    assert one_line(words * 8) not in told
    assert "[notes]" in told or told == LEFT_OUT
