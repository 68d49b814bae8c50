"""The named statements of the ``.sql`` files."""

import re
import sqlite3
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_EACH = re.compile(r"(?<=VALUES )\(\?(?:, \?)*\)")

TOGETHER_MAX = 64
"""Rows of values in one statement. Fewer are a power of two: not every number is prepared anew."""


@cache
def statements() -> dict[str, str]:
    """Return every statement by its name."""
    folder = resources.files("aftercall.adapters.journal") / "sql" / "sqlite"
    found: dict[str, str] = {}
    for file in folder.iterdir():
        if file.name.endswith(".sql"):
            parts = _NAME.split(file.read_text(encoding="utf-8"))
            found |= {
                name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)
            }
    return found


def statement(name: str) -> str:
    """Return one statement; a `KeyError` if there is none of that name."""
    return statements()[name]


def execute_for_all(
    db: sqlite3.Connection, name: str, rows: Sequence[Sequence[object]]
) -> list[sqlite3.Row]:
    """Execute a statement whose ``VALUES (?, ...)`` is one row of values, for many rows at once.

    Returns what it selects, if it selects anything.

    Each step of a statement lets another thread run and has to wait for it: one statement for
    many rows costs a fraction of one for each.
    """
    found: list[sqlite3.Row] = []
    start = 0
    while start < len(rows):
        many = min(TOGETHER_MAX, 1 << ((len(rows) - start).bit_length() - 1))
        some = rows[start : start + many]
        values = [value for row in some for value in row]
        found += db.execute(repeated(statement(name), many), values)
        start += many
    return found


@lru_cache(maxsize=256)
def repeated(text: str, many: int) -> str:
    """Return a statement with its one row of parameters, ``VALUES (?, ...)``, so many times."""
    return _EACH.sub(lambda row: ", ".join([row.group()] * many), text)
