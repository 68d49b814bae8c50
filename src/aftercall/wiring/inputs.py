"""Inputs of a run: what the journal keeps of them, and how they are opened again."""

from dataclasses import asdict
from hashlib import file_digest
from pathlib import Path
from typing import Literal, cast

from aftercall.adapters.sources import Source, SourceOptions, open_source
from aftercall.domain.columns import ColumnMap
from aftercall.errors import SourceUnreadable
from aftercall.ports import SourceRecord

STDIN = "-"

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
    named = ", ".join(missing)
    told = ", ".join(name for name in header[:12] if name) + (", ..." if len(header) > 12 else "")
    message = f"{source.name} has no column for: {named}. Its columns are: {told}."
    first = missing[0]
    fix = f"Name the column, --map {first}=COLUMN, or one value for all rows, --set {first}=VALUE."
    raise SourceUnreadable(message, fix=fix)


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
