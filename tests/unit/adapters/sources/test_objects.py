from collections import namedtuple
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType

import pytest

from aftercall.adapters.sources import rows_of

from .reading import codes, problem_of


@dataclass(slots=True)
class Call:
    contact_id: str
    tags: list[str]


Pair = namedtuple("Pair", ["a", "b"])  # noqa: PYI024  the untyped kind is what users have


@pytest.mark.parametrize(
    ("item", "cells"),
    [
        ({"a": 1}, {"a": 1}),
        ({}, {}),
        (MappingProxyType({"a": None}), {"a": None}),
        (Call("c-1", ["x"]), {"contact_id": "c-1", "tags": ["x"]}),
        (Pair(1, "2"), {"a": 1, "b": "2"}),
    ],
)
def test_mappings_dataclasses_and_named_tuples_are_rows(
    item: object, cells: dict[str, object]
) -> None:
    (row,) = rows_of([item])
    assert (row.line, row.cells, row.values, row.problem) == (1, cells, (item,), None)


@pytest.mark.parametrize("item", [None, 1, "text", b"x", ["a"], ("a", 1), Call, {1: 2}, {"a", "b"}])
def test_anything_else_is_a_problem_of_its_own(item: object) -> None:
    rows = list(rows_of([{"a": 1}, item, {"a": 3}]))
    assert codes(rows) == [None, "not_an_object", None]
    assert (rows[1].line, rows[1].cells, rows[1].values) == (2, {}, (item,))
    assert "item 2" in problem_of(rows[1]).message


def test_nothing_is_taken_before_it_is_asked_for() -> None:
    rows = rows_of({"n": i} for i in count())
    assert [next(rows).cells["n"] for _ in range(3)] == [0, 1, 2]


def test_a_row_does_not_change_with_its_mapping() -> None:
    item = {"a": 1}
    (row,) = rows_of([item])
    item["a"] = 2
    assert row.cells == {"a": 1}
