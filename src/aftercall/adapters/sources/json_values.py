"""One JSON value: strict, of bounded depth, and never with a key twice."""

import json
import math
import re
from collections import Counter
from typing import Final

from aftercall.adapters.sources.rows import (
    DEPTH_LIMIT,
    RawRow,
    RowProblem,
    bad_encoding,
    nul_byte,
    unreadable_row,
)
from aftercall.adapters.sources.text import has_bad_bytes

_OUTSIDE: Final = re.compile(r'["{}\[\],]')
_INSIDE: Final = re.compile(r'["\\]')
_SURROGATE_ESCAPE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class _RepeatedKeyError(ValueError):
    """An object has a key twice; which of the two values is meant cannot be known."""


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RepeatedKeyError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        message = "number out of range"
        raise ValueError(message)
    return number


def _no_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)


DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_without_repeats, parse_float=_finite, parse_constant=_no_constant
)


class Nesting:
    """Follows the brackets and texts of JSON piece by piece, in linear time.

    Attributes:
        depth: how many brackets are open.
        deepest: the highest `depth` so far.
        in_text: whether the last piece ended inside a text.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.deepest = 0
        self.in_text = False
        self._escaped = False

    def feed(self, text: str, start: int = 0) -> int:
        """Go through `text` up to a `,` or `]` that belongs to no bracket opened so far.

        Returns:
            Where that character is, or -1 if all of `text` was gone through.
        """
        at = start
        if self._escaped and at < len(text):
            at, self._escaped = at + 1, False
        while found := (_INSIDE if self.in_text else _OUTSIDE).search(text, at):
            at, mark = found.end(), found.group()
            if mark == '"':
                self.in_text = not self.in_text
            elif mark == "\\":
                self._escaped = at == len(text)
                at += 1
            elif mark in "{[":
                self.depth += 1
                self.deepest = max(self.deepest, self.depth)
            elif self.depth == 0 and mark != "}":
                return found.start()
            elif mark != "," and self.depth:
                self.depth -= 1
        return -1


def may_be_too_deep(text: str, start: int, end: int) -> bool:
    """Tell cheaply whether the brackets in a range are enough to exceed `DEPTH_LIMIT`."""
    return text.count("{", start, end) + text.count("[", start, end) > DEPTH_LIMIT


def may_have_half_pairs(text: str, start: int, end: int) -> bool:
    """Tell cheaply whether an escape in a range could be one half of a surrogate pair."""
    return _SURROGATE_ESCAPE.search(text, start, end) is not None


def json_row(line: int, text: str) -> RawRow:
    """Make a row of the text of one value that starts on `line`."""
    if has_bad_bytes(text):
        return unreadable_row(line, bad_encoding(), text)
    if may_be_too_deep(text, 0, len(text)):
        nesting = Nesting()
        nesting.feed(text)
        if nesting.deepest > DEPTH_LIMIT:
            message = f"the row is nested deeper than {DEPTH_LIMIT} levels"
            return unreadable_row(line, RowProblem("too_deep", message, "flatten the row"), text)
    try:
        value = DECODER.decode(text)
    except ValueError as error:
        return unreadable_row(line, _problem(line, text, error), text)
    if may_have_half_pairs(text, 0, len(text)):
        # Such a text is valid JSON but cannot be written in any encoding.
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            problem = broken("an escape is one half of a surrogate pair")
            return unreadable_row(line, problem, text)
    return value_row(line, value)


def value_row(line: int, value: object) -> RawRow:
    """Make a row of a value that has been read; it must be an object."""
    if isinstance(value, dict):
        return RawRow(line, value, (value,), None)
    problem = RowProblem(
        "not_an_object",
        "the row is not a JSON object",
        'write each row as an object: {"column": value, ...}',
    )
    return RawRow(line, {}, (value,), problem)


def broken(message: str, hint: str = "write the row as valid JSON") -> RowProblem:
    """Describe text that is not JSON."""
    return RowProblem("json_broken", message, hint)


def _problem(line: int, text: str, error: ValueError) -> RowProblem:
    if isinstance(error, _RepeatedKeyError):
        message = f"the key {str(error)[:60]!r} stands twice in one object"
        return RowProblem("duplicate_key", message, "remove one of the two")
    if "\0" in text:
        return nul_byte()
    if isinstance(error, json.JSONDecodeError):
        where = f"line {line + error.lineno - 1}, column {error.colno}"
        return broken(f"not valid JSON at {where}: {error.msg}")
    # From `int`, `_finite` and `_no_constant`, which know no position.
    return broken("a number is too large, or is NaN or Infinity")
