"""What every source gives: raw rows, and what may be wrong with one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

KIB: Final = 1024
MIB: Final = 1024 * KIB

CHUNK_BYTES: Final = 256 * KIB
"""How much is read, unpacked and decoded at a time, in bytes."""

CELL_LIMIT: Final = MIB
"""The longest CSV cell that is accepted, in characters."""

ROW_LIMIT: Final = 16 * MIB
"""The longest row that is held in memory, in characters (enforced to within one chunk)."""

DEPTH_LIMIT: Final = 32
"""How many JSON objects and arrays may be nested in one row, the row itself included."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why one row cannot be read while the others can.

    Attributes:
        code: a stable word for programs, such as `too_few_cells`.
        message: what is wrong, without any content of a cell.
        hint: what to do about it.
    """

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as the input gave it.

    Attributes:
        line: 1-based line where the row starts (for Python objects: its 1-based index).
        cells: column to text (CSV) or to JSON value; empty if the row could not be taken apart.
        values: the original cells in order, to be written back unchanged. CSV: the texts, as many
            as there were; JSON and objects: the one value, or the start of the text of a broken
            one. Empty if nothing could be kept.
        problem: set when this row itself cannot be read.
    """

    line: int
    cells: Mapping[str, object]
    values: tuple[object, ...]
    problem: RowProblem | None


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """How a source turned out to be written.

    Attributes:
        kind: `csv`, `jsonl` (one object per line) or `json` (one array, or one object).
        encoding: the name of the character encoding.
        delimiter: the one character between two CSV cells; None for JSON.
        columns: the header of a CSV, stripped; empty for JSON.
    """

    kind: Literal["csv", "jsonl", "json"]
    encoding: str
    delimiter: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the user said about a source; `auto` means: find out.

    Attributes:
        kind: `auto`, `csv`, `jsonl` or `json`.
        encoding: `auto` or a name that Python knows.
        delimiter: `auto`, `tab` or one character. Used for CSV only.
    """

    kind: Literal["auto", "csv", "jsonl", "json"] = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"


TEXT_KEPT: Final = 64 * KIB
"""How much is kept of the text of a row that cannot be taken apart, in characters."""


def sentence(words: str) -> str:
    """Write `words` of a problem as a sentence of an error."""
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith((".", "?", "!")) else ".")


def unreadable_row(line: int, problem: RowProblem, text: str = "") -> RawRow:
    """Stand in for a row that cannot be taken apart, of which at most its text can be kept."""
    return RawRow(line, {}, (text[:TEXT_KEPT],) if text else (), problem)


def row_too_large(line: int) -> RowProblem:
    """Describe a row that starts on `line` and is longer than `ROW_LIMIT`."""
    return RowProblem(
        "row_too_large",
        f"the row that starts on line {line} is longer than {ROW_LIMIT // MIB} MiB",
        "split the row, or leave out the large text",
    )


def bad_encoding() -> RowProblem:
    """Describe a row with bytes that do not belong to the encoding of the file."""
    return RowProblem(
        "bad_encoding",
        "the row has bytes that are not text in the encoding of the file",
        "say --encoding latin-1 (or utf-16, cp1252) if that is what the file is",
    )


def nul_byte() -> RowProblem:
    """Describe a row with a NUL character in it."""
    return RowProblem(
        "nul_byte",
        "the row contains a NUL character",
        "export the file again, or remove the character: tr -d '\\000' < old > new",
    )
