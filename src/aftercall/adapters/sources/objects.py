"""Rows from Python objects, for those who use aftercall as a library."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping

from aftercall.adapters.sources.rows import RawRow, RowProblem


def rows_of(items: Iterable[object]) -> Iterator[RawRow]:
    """Give one row per item, lazily; `line` is the 1-based index of the item.

    Args:
        items: mappings with text keys, dataclass instances or named tuples. Anything else becomes
            a row with the problem `not_an_object`.
    """
    for index, item in enumerate(items, start=1):
        cells = _cells(item)
        problem = None
        if cells is None:
            problem = _not_an_object(f"item {index} is of type {type(item).__name__}")
        elif not all(isinstance(key, str) for key in cells):
            problem = _not_an_object(f"item {index} has a key that is not text")
        yield RawRow(index, {} if cells is None or problem else cells, (item,), problem)


def _cells(item: object) -> dict[str, object] | None:
    if isinstance(item, Mapping):
        return dict(item)
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        # Not `asdict`: it would copy nested values deeply, which nobody asked for.
        return {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    names = getattr(item, "_fields", None)
    if isinstance(item, tuple) and isinstance(names, tuple):
        return dict(zip(names, item, strict=True))
    return None


def _not_an_object(what: str) -> RowProblem:
    return RowProblem(
        "not_an_object", what, "give mappings with text keys, dataclasses or named tuples"
    )
