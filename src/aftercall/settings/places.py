"""The places of the configuration, looked up in its tables: which keys exist where."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aftercall.domain.disposition import CANONICAL
from aftercall.settings.tables import Settings

KeyPath = tuple[str, ...]
"""The names that lead to a key, from the outermost table on."""


@dataclass(frozen=True, slots=True)
class Place:
    """A key that exists.

    Attributes:
        path: the names that lead to it.
        takes_number: whether a number is (or may be) wanted there.
    """

    path: KeyPath
    takes_number: bool


@dataclass(frozen=True, slots=True)
class Nowhere:
    """A key that does not exist, within the last table that does."""

    parents: KeyPath
    name: str


def find(parts: Sequence[str], separator: str) -> Place | Nowhere:
    """Look up the key at which `parts` lead, whatever their case.

    Below a table whose keys are the user's own (outcome codes, campaign ids) the rest is one
    key, put together with `separator` and kept as it is; where the keys are tables in turn
    (endpoints), the next part is the name of one.
    """
    model: type[BaseModel] = Settings
    path: KeyPath = ()
    rest = list(parts)
    while True:
        name = rest.pop(0)
        field = model.model_fields.get(name.lower())
        if field is None:
            return Nowhere(path, name)
        path = (*path, name.lower())
        inner = _table(field)
        named = _named_table(field)
        if named is not None and len(rest) > 1:
            path, inner = (*path, rest.pop(0).lower()), named
        if inner is None or not rest:
            break
        model = inner
    if rest and get_origin(field.annotation) is dict:
        return Place((*path, separator.join(rest)), _takes_number(field))
    return Nowhere(path, rest[0]) if rest else Place(path, _takes_number(field))


def names_at(path: Sequence[str]) -> KeyPath:
    """Return the keys that exist in the table at `path`; none if its keys are the user's own."""
    model: type[BaseModel] = Settings
    rest = list(path)
    while rest:
        field = model.model_fields.get(rest.pop(0))
        inner = None if field is None else _table(field)
        if inner is None and field is not None and rest:
            inner = _named_table(field)
            rest = rest[1:]
        if inner is None:
            return CANONICAL if path[0] == "rows" else ()
        model = inner
    return tuple(model.model_fields)


def nearest(name: str, parents: KeyPath) -> KeyPath | None:
    """Return the path of the key that `name` within `parents` was probably meant to be."""
    close = difflib.get_close_matches(name.lower(), names_at(parents), n=1)
    if close:
        return (*parents, close[0])
    # A key of another table: in TOML it is easily written below the wrong header.
    for table, field in Settings.model_fields.items():
        inner = _table(field)
        if inner is not None and name.lower() in inner.model_fields:
            return (table, name.lower())
    return None


def _table(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _named_table(field: FieldInfo) -> type[BaseModel] | None:
    """Return what each value of a table is whose keys are the user's own, if that is a table."""
    if get_origin(field.annotation) is not dict:
        return None
    value = get_args(field.annotation)[1]
    return value if isinstance(value, type) and issubclass(value, BaseModel) else None


def _takes_number(field: FieldInfo) -> bool:
    return not {int, float}.isdisjoint(_kinds(field.annotation))


def _kinds(annotation: object) -> Iterator[object]:
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)
