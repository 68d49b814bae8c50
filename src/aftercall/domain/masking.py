"""A row's personal data in the tenant's words: replaced if exact, else all words are left out."""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote, unquote_plus

from aftercall.domain.answer import one_line
from aftercall.domain.disposition import Disposition, Json

LEFT_OUT = "The tenant's words quote the row and are left out."

QUOTE_CHARACTERS_MIN = 4
"""So short a custom value, or a cut end of one, is a coincidence and no quote."""

RUN_CHARACTERS = 12
"""So many characters in a row of something that is not to be told are a quote of it."""

_ESCAPING = frozenset("\\%+&")
"""What every escape that is undone below begins with, or is."""

_ESCAPES = re.compile(r'(?:\\(?:u[0-9A-Fa-f]{4}|["\\/bfnrt]))+')


def without_personal_data(words: str, disposition: Disposition) -> str:
    """Return a tenant's words without the row's notes and custom values, should it quote them.

    An exact quote is replaced by a mark. Where any run of characters remains however it was
    escaped, cut or changed in case, nothing is told of the words but that they quote the row.
    """
    if not words:
        return words
    notes = disposition.notes or ""
    values = list(_texts(disposition.custom_fields))
    if not notes and not values:
        return words
    words = _without(words, one_line(notes), "[notes]")
    for value in values:
        text = one_line(value)
        if len(text) >= QUOTE_CHARACTERS_MIN:
            words = _without(words, text, "[custom field]")
    heard = runs([words])
    return words if not heard or heard.isdisjoint(runs([notes, *values])) else LEFT_OUT


def runs(texts: Iterable[str]) -> frozenset[str]:
    """Return every run of `RUN_CHARACTERS` normalised characters of some texts."""
    return frozenset(
        view[start : start + RUN_CHARACTERS]
        for text in texts
        for view in _views(text)
        for start in range(len(view) - RUN_CHARACTERS + 1)
    )


def _views(text: str) -> set[str]:
    """Return `text` as it is and with its escapes undone, each normalised."""
    views = {text}
    decoders = (_json_unescaped, unquote, unquote_plus, html.unescape)
    for decode in () if _ESCAPING.isdisjoint(text) else decoders:
        once = decode(text)
        views |= {once, decode(once)}
    # By way of capitals: only then are all spellings of a letter the same (the Turkish dotless i).
    return {one_line(view).upper().casefold() for view in views}


def _json_unescaped(text: str) -> str:
    return _ESCAPES.sub(lambda found: str(json.loads(f'"{found[0]}"')), text)


def _texts(value: Json) -> Iterator[str]:
    """Yield all texts in a JSON value, and its longer numbers as texts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        forms = {str(value)}
        if isinstance(value, float) and value.is_integer():
            forms.add(str(int(value)))
        yield from (each for each in forms if sum(map(str.isdigit, each)) >= QUOTE_CHARACTERS_MIN)


def _without(words: str, text: str, mark: str) -> str:
    """Return `words` without `text`; words that were cut may end in a quote that was cut too."""
    if not text:
        return words
    if len(text) < QUOTE_CHARACTERS_MIN:
        return words.replace(text, mark)
    forms = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    spelled = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    words = re.sub(spelled, lambda _: mark, words, flags=re.IGNORECASE)
    if words.endswith("…"):
        for size in range(min(len(words), len(text)), QUOTE_CHARACTERS_MIN - 1, -1):
            if words[:-1].endswith(text[:size]):
                return f"{words[: -1 - size]}{mark}…"
    return words
