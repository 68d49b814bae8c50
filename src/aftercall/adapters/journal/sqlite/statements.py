"""The named statements of the ``.sql`` files.

A part that several statements share stands once, below ``-- part: NAME``, and is put wherever a
line of a statement of the same file is ``:NAME:``.
"""

import re
import sqlite3
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources

_HEAD = re.compile(r"^-- (name|part): (\w+)$", re.MULTILINE)
_REMARK = re.compile(r"^--.*\n", re.MULTILINE)
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
            found |= _statements_in(file.read_text(encoding="utf-8"))
    return found


def _statements_in(text: str) -> dict[str, str]:
    pieces = _HEAD.split(text)[1:]
    told = list(zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True))
    parts = {name: _REMARK.sub("", body).strip() for kind, name, body in told if kind == "part"}

    def filled(body: str) -> str:
        return re.sub(r"^:(\w+):$", lambda found: parts[found[1]], body.strip(), flags=re.MULTILINE)

    return {name: filled(body) for kind, name, body in told if kind == "name"}


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
