"""How the tests of sources read bytes and look at problems."""

import io
from collections.abc import Sequence

from aftercall.adapters.sources import RawRow, RowProblem, Source, SourceOptions, open_source

MIB = 1024 * 1024


def opened(data: str | bytes, options: SourceOptions) -> Source:
    return open_source("-", options, io.BytesIO(data.encode() if isinstance(data, str) else data))


def codes(rows: Sequence[RawRow]) -> list[str | None]:
    return [row.problem.code if row.problem else None for row in rows]


def problem_of(row: RawRow) -> RowProblem:
    assert row.problem is not None
    return row.problem
