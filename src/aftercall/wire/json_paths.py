"""Values within JSON documents, by the paths that a profile gives."""

import json
from collections.abc import Mapping, Sequence

from aftercall.domain.disposition import Json

WHOLE_END = 2**53
"""From here on a number with a point can no longer tell neighbouring whole numbers apart."""

NO = frozenset({"false", "no", "0"})


def json_value(body: bytes) -> Json:
    """Return the JSON value that `body` is, or None if it is none."""
    try:
        document: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document


def json_object(body: bytes) -> Mapping[str, Json] | None:
    """Return the JSON object that `body` is, or None if it is none."""
    document = json_value(body)
    return document if isinstance(document, dict) else None


def value_at(document: Json, path: str) -> Json:
    """Return what stands at `path` in `document`; None if there is nothing.

    A path is names with dots between them; a number is a place in a list; the empty path is the
    document itself.
    """
    value = document
    for name in path.split(".") if path else ():
        # Not the abstract types: to look those up takes longer than all else here.
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal():
            place = int(name[:9])
            value = value[place] if place < len(value) else None
        else:
            return None
    return value


def first_at(document: Json, paths: Sequence[str]) -> Json:
    """Return what stands at the first of `paths` at which there is something."""
    return next((value for path in paths if (value := value_at(document, path)) is not None), None)


def put_at(document: dict[str, Json], path: str, value: Json) -> None:
    """Put `value` at `path` into `document`, with the objects on the way to it."""
    *way, last = path.split(".")
    inner = document
    for name in way:
        below = inner.setdefault(name, {})
        if not isinstance(below, dict):
            return
        inner = below
    inner[last] = value


def text_of(value: Json) -> str | None:
    """Return a text, or a whole number as text; None for anything else."""
    if isinstance(value, str):
        # JSON can spell half of a surrogate pair ("\\ud800"), which no database takes.
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_END:
        # JSON has one kind of number: 17.0 is 17.
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def says_no(value: Json) -> bool:
    """Say whether a flag is down, in the spellings that APIs have of that."""
    if isinstance(value, str):
        return value.strip().lower() in NO
    return value is False or (isinstance(value, int | float) and value == 0)


def number_of(value: Json) -> float:
    """Return a number, or a text that is one; 0 for anything else."""
    try:
        return float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
