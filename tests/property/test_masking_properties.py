"""Whatever the tenant quotes, and however: nothing of any length comes back."""

import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.answer import one_line
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.masking import LEFT_OUT as ROW_LEFT_OUT
from aftercall.wire.masking import Mask
from aftercall.wire.refusals import clean

from .strategies import notes

RUN = 12

Spelling = Callable[[str], str]

spellings: st.SearchStrategy[Spelling] = st.sampled_from(
    [
        str,
        str.upper,
        str.lower,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: json.dumps(json.dumps(text)),
        lambda text: text.replace(" ", "  \r\n "),
        quote,
        quote_plus,
    ]
)
around = st.text("xyz :'\"", max_size=250)
texts = notes | st.text('abcde "\\\n1234', min_size=1, max_size=300)
values: st.SearchStrategy[Json] = texts | st.integers(10**RUN) | st.lists(texts, max_size=3)


def runs_of(text: str) -> set[str]:
    line = one_line(text).upper().casefold()
    return {line[start : start + RUN] for start in range(len(line) - RUN + 1)}


def row(noted: str | None, custom: Json) -> Disposition:
    fields = {"field": custom}
    return Disposition(
        campaign="C", contact="P", outcome="SALE", agent="A", notes=noted, custom_fields=fields
    )


@given(texts, spellings, around, around, st.integers(0, 40), st.integers(RUN, 300), st.booleans())
def test_no_run_of_the_notes_or_of_a_custom_value_survives(  # noqa: PLR0917 - drawn
    text: str,
    spelled: Spelling,
    before: str,
    after: str,
    start: int,
    size: int,
    as_notes: bool,  # noqa: FBT001 - drawn
) -> None:
    mask = Mask((), row(text, None) if as_notes else row(None, [text]))
    quoted = spelled(text)[start:][:size]
    told = clean(f"{before}{quoted}{after}", mask)
    own = {run for part in (before, after, ROW_LEFT_OUT) for run in runs_of(part)}
    assert told == ROW_LEFT_OUT or not (runs_of(told) - own) & runs_of(text)


@given(values, around, around)
def test_no_value_comes_back_as_it_is(value: Json, before: str, after: str) -> None:
    quoted = value if isinstance(value, str) else json.dumps(value)
    told = clean(f"{before}{quoted}{after}", Mask((), row(None, value)))
    parts = value if isinstance(value, list) else [value]
    for part in parts:
        assert told == ROW_LEFT_OUT or not runs_of(told) & runs_of(str(part))


@given(
    st.text("abcDEF019+/=&% -_", min_size=RUN, max_size=120),
    st.sampled_from(
        [
            str,
            str.upper,
            quote,
            quote_plus,
            lambda text: quote(text, safe=""),
            lambda text: b64encode(text.encode()).decode(),
            lambda text: b64encode(f"client:{text}".encode()).decode(),
        ]
    ),
    around,
    st.integers(0, 60),
)
def test_no_run_of_a_secret_survives(
    secret: str, spelled: Spelling, before: str, start: int
) -> None:
    told = clean(before + spelled(secret)[start:], Mask((secret,)))
    assert "quote a secret" in told or not runs_of(told) & runs_of(secret)
