"""Inputs of a run: what the journal keeps of them, and how they are opened again."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Literal, cast

from aftercall.adapters.sources import Source, SourceOptions, open_source
from aftercall.domain.columns import CUSTOM_PREFIX, REQUIRED, ColumnMap
from aftercall.errors import SourceUnreadable
from aftercall.ports import SourceRecord

STDIN = "-"
NAME_CHARACTERS_MAX = 40

Kind = Literal["auto", "csv", "jsonl", "json"]


def check_columns(source: Source, columns: ColumnMap) -> None:
    """Check that an input with a header has what every row needs.

    Raises:
        SourceUnreadable: it lacks a column; says how to name another one.
    """
    header = source.format.columns
    missing = columns.missing(header) if header else ()
    if not missing:
        return
    source.close()
    first = missing[0]
    if _looks_like_data(header, columns):
        message = f"{source.name}: the first line looks like data; is the header line missing?"
        fix = (
            f"Put the names of the columns in the first line: {','.join(REQUIRED)}. "
            f"If it has names, say which is which: --map {first}=COLUMN."
        )
        raise SourceUnreadable(message, fix=fix)
    told = ", ".join(_cut(name) for name in header[:12] if name)
    more = ", ..." if len(header) > 12 else ""
    message = f"{source.name} has no column {_lacking(missing, columns)}."
    message += f" Its columns are: {told}{more}."
    fix = f"Name the column, --map {first}=COLUMN, or one value for all rows, --set {first}=VALUE."
    raise SourceUnreadable(message, fix=fix)


def unused_columns(source: Source, columns: ColumnMap) -> str:
    """Say which columns of an input are no field; empty if there are none.

    A misspelled column would otherwise be missed only when its values are.
    """
    header = source.format.columns
    used = columns.places(header)
    unused = [name for name in header if name and name not in used]
    unused = [name for name in unused if not name.startswith(CUSTOM_PREFIX)]
    if not unused or _looks_like_data(header, columns):
        return ""
    told = ", ".join(_cut(name) for name in unused[:12])
    more = f" and {len(unused) - 12} more" if len(unused) > 12 else ""
    return f"{source.name}: not used: {told}{more}."


def _lacking(missing: Sequence[str], columns: ColumnMap) -> str:
    """Return what is missing: columns that were named, and fields that no column was found for."""
    named = columns.columns
    parts = [f'"{_cut(named[one])}" (for {one})' for one in missing if one in named]
    others = [one for one in missing if one not in named]
    words = [", ".join(parts)] if parts else []
    words += [f"for: {', '.join(others)}"] if others else []
    return " and no column ".join(words)


def _cut(name: str) -> str:
    return name if len(name) <= NAME_CHARACTERS_MAX else f"{name[:NAME_CHARACTERS_MAX]}..."


def _looks_like_data(header: Sequence[str], columns: ColumnMap) -> bool:
    """Tell whether a header without any known name is a row, whose cells must not be shown."""
    if ColumnMap().places(header) or set(header) & set(columns.columns.values()):
        return False
    return any(
        " " in cell or cell.isdecimal() or len(cell) > NAME_CHARACTERS_MAX or _is_timestamp(cell)
        for cell in header
    )


def _is_timestamp(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True


def record_of(run: str, source: Source, path: str, options: SourceOptions) -> SourceRecord:
    """Return what the journal keeps of an input."""
    place = None if path == STDIN else Path(path).absolute()
    return SourceRecord(
        number=0,
        run=run,
        name=source.name,
        path=None if place is None else str(place),
        sha256=None if place is None else digest_of(place),
        options=asdict(options),
        columns=source.format.columns,
    )


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file in hex; None if it is no plain file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def reopen(source: SourceRecord) -> Source:
    """Open an input again that an interrupted run was reading.

    Raises:
        SourceUnreadable: it cannot be read again, or is not the same any more.
    """
    fix = "Feed the input again with aftercall sync: rows that came in are recognised."
    if source.path is None:
        message = f"{source.name} broke off after {source.rows_read} rows."
        raise SourceUnreadable(message, fix=fix)
    opened = open_source(source.path, options_from(source))
    if digest_of(Path(source.path)) != source.sha256:
        opened.close()
        message = f"{source.name} has changed since {source.rows_read} rows of it were read."
        raise SourceUnreadable(message, fix=fix)
    return opened


def options_from(source: SourceRecord) -> SourceOptions:
    """Return how an input was read before."""
    given = {name: str(value) for name, value in source.options.items()}
    return SourceOptions(cast("Kind", given["kind"]), given["encoding"], given["delimiter"])
