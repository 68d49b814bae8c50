"""Rows of a CSV: RFC 4180 quoting, any line end, one bad row never hides the others."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from aftercall.adapters.sources.formula import unguard_cell
from aftercall.adapters.sources.rows import (
    CELL_LIMIT,
    CHUNK_BYTES,
    KIB,
    MIB,
    ROW_LIMIT,
    RawRow,
    RowProblem,
    bad_encoding,
    nul_byte,
    row_too_large,
    unreadable_row,
)
from aftercall.adapters.sources.text import has_bad_bytes, whole_lines
from aftercall.errors import SourceUnreadable

RESULT_PREFIX: Final = "aftercall_"
"""Columns that aftercall itself adds to result files, and ignores when it reads one."""

_CANDIDATES: Final = ",;\t|"
_QUOTED_CELL: Final = re.compile(r'(?:^|(?<=[,;\t|\r\n]))"[^"]*(?:""[^"]*)*"')
_SNIFFED: Final = 64 * KIB
_FIELD_LIMIT: Final = ROW_LIMIT + 8 * MIB  # csv must not raise before `_Lines` stops it


def sniff_delimiter(head: str, preferred: str = "") -> str:
    """Find the delimiter from the header alone; data can hold any character in any number.

    Args:
        head: the start of the file.
        preferred: taken if the header has it at all (a `.tsv` says what it is).
    """
    # A quoted cell leaves something behind, so that a header of only such cells is still a line.
    start = _QUOTED_CELL.sub("x", head[:_SNIFFED])
    header = next((line for line in re.split(r"[\r\n]+", start) if line.strip()), "")
    if preferred and preferred in header:
        return preferred
    return max(_CANDIDATES, key=header.count)  # the first of equals, so a comma if there is none


class _Lines:
    """Feeds physical lines to `csv.reader` and watches the row that it is building.

    All checks are made once per piece of about 256 KiB, so that a row costs next to nothing.

    Attributes:
        row_line: the line where the next row starts; the consumer sets it after each row.
        watch: whether a row that is completed now could have anything wrong with its text.
        ended: there are no more lines, so a row that is completed now is an incomplete one.
        overflow: `ended`, because a row got longer than `ROW_LIMIT`.
    """

    def __init__(self, chunks: Iterable[str]) -> None:
        self.row_line = 1
        self.watch = False
        self.ended = False
        self.overflow = False
        self._chunks = chunks

    def __iter__(self) -> Iterator[str]:
        # StringIO splits at LF, CR and CR LF only; str.splitlines would split inside cells.
        return chain.from_iterable(io.StringIO(piece, newline="") for piece in self._pieces())

    def _pieces(self) -> Iterator[str]:
        row_line = held = 0
        doubtful = False
        for piece in whole_lines(self._chunks, ROW_LIMIT):
            stalled = self.row_line == row_line  # a whole piece went by without completing a row
            row_line = self.row_line
            held = (held if stalled else 0) + len(piece or "")
            if piece is None or (stalled and held > ROW_LIMIT + CHUNK_BYTES):
                self.overflow = True
                break
            was_doubtful, doubtful = doubtful, "\0" in piece or has_bad_bytes(piece)
            self.watch = doubtful or was_doubtful or stalled or len(piece) > CELL_LIMIT
            yield piece
        self.ended = self.watch = True


class CsvRows:
    """Reads the header at once and the rows on request.

    Attributes:
        columns: the header, stripped, without the columns that aftercall has added.

    Raises:
        SourceUnreadable: if the header cannot be used.
    """

    def __init__(self, chunks: Iterable[str], delimiter: str) -> None:
        # This limit belongs to the process and cannot be given per reader; it is only ever raised.
        csv.field_size_limit(max(csv.field_size_limit(), _FIELD_LIMIT))
        self._lines = _Lines(chunks)
        self._reader = csv.reader(self._lines, delimiter=delimiter)
        header = self._read_header()
        self._fed_back = any(name.startswith(RESULT_PREFIX) for name in header)
        if self._fed_back:
            header = [unguard_cell(name) for name in header]
        self._width = len(header)
        self._kept = [i for i, name in enumerate(header) if not name.startswith(RESULT_PREFIX)]
        self.columns = tuple(header[i] for i in self._kept)
        _check_columns(header)
        # A nameless column at the end (a header that ends with a comma) may be absent in a row.
        self._needed = max(i for i in self._kept if header[i]) + 1
        self._plain = not self._fed_back and "" not in self.columns

    @property
    def line(self) -> int:
        """The 1-based line where the next row starts."""
        return self._lines.row_line

    def rows(self, start_after_line: int) -> Iterator[RawRow]:
        """Give the rows that start after a line; a row that cannot be read comes as a problem."""
        lines, reader, columns = self._lines, self._reader, self.columns
        width = self._width if self._plain else -1
        cut_off = False
        try:
            for cells in reader:
                if lines.ended:
                    cut_off = True
                    break
                line = lines.row_line
                lines.row_line = reader.line_num + 1
                if line <= start_after_line:
                    continue
                if len(cells) == width and not lines.watch:
                    yield RawRow(line, dict(zip(columns, cells, strict=True)), tuple(cells), None)
                elif not _is_blank(cells):
                    yield self._careful(line, cells)
        except csv.Error as error:
            # Only if somebody else lowers csv's limit meanwhile. Where csv stood is not known
            # then: going on could take a part of a cell for a row.
            message = f"the CSV cannot be read from line {lines.row_line} on: {error}"
            hint = "do not lower csv.field_size_limit while aftercall reads"
            yield unreadable_row(lines.row_line, RowProblem("csv_broken", message, hint))
        if (cut_off or lines.overflow) and lines.row_line > start_after_line:
            yield unreadable_row(lines.row_line, self._incomplete())

    def _read_header(self) -> list[str]:
        for cells in self._reader:
            if self._lines.ended:
                break
            line = self._lines.row_line
            self._lines.row_line = self._reader.line_num + 1
            text = "".join(cells)
            if "\0" in text or has_bad_bytes(text):
                problem = nul_byte() if "\0" in text else bad_encoding()
                raise SourceUnreadable(
                    f"the header on line {line} is not clean text: {problem.message}",
                    fix=problem.hint,
                )
            if not _is_blank(cells):
                return [name.strip() for name in cells]
        raise SourceUnreadable(
            f"the header cannot be read: {self._incomplete().message}",
            fix="close the quote, or say the right --delimiter",
        )

    def _incomplete(self) -> RowProblem:
        """Describe the row after which reading stopped."""
        line = self._lines.row_line
        if self._lines.overflow:
            return RowProblem(
                "row_too_large",
                f"{row_too_large(line).message}; reading stopped here",
                "most likely a quote in that row is never closed: close it, or double it",
            )
        return RowProblem(
            "quote_not_closed",
            f"a quote in the row that starts on line {line} is never closed; "
            "everything after it was taken for its text",
            'close the quote, or write it as "" inside a quoted cell',
        )

    def _careful(self, line: int, cells: list[str]) -> RawRow:
        """Build a row of which something is unusual: its text, its length or the header."""
        problem = self._problem(cells)
        kept = [cells[i] for i in self._kept if i < len(cells)]
        if self._fed_back:
            kept = [unguard_cell(cell) for cell in kept]
        named = dict(zip(self.columns, kept, strict=False))
        named.pop("", None)
        return RawRow(line, named, (*kept, *cells[self._width :]), problem)

    def _problem(self, cells: list[str]) -> RowProblem | None:
        if self._lines.watch:
            text = "".join(cells)
            if "\0" in text:
                return nul_byte()
            if has_bad_bytes(text):
                return bad_encoding()
            if max(map(len, cells)) > CELL_LIMIT:
                return RowProblem(
                    "cell_too_large",
                    f"a cell is longer than {CELL_LIMIT // MIB} MiB",
                    "shorten the text, or look for a quote that is closed too late",
                )
        counts = f"the row has {len(cells)} cells, the header has {self._width}"
        if len(cells) < self._needed:
            return RowProblem("too_few_cells", counts, "is a delimiter missing, or a line cut?")
        # Even if the surplus is empty: a text with a bare delimiter before an empty last cell would
        # move every cell after it one column on.
        if len(cells) > self._width:
            hint = "is there an unquoted delimiter in a text?"
            return RowProblem("too_many_cells", counts, hint)
        return None


def _is_blank(cells: list[str]) -> bool:
    """Tell a blank line from a row; `""` alone in a line is a row with one empty cell."""
    return not cells or (len(cells) == 1 and cells[0].isspace())


def _check_columns(header: list[str]) -> None:
    first_at: dict[str, int] = {}
    for position, name in enumerate(header, start=1):
        if not name:
            continue
        if name in first_at:
            raise SourceUnreadable(
                f"the header has the column {name!r} twice: "
                f"at position {first_at[name]} and at position {position}",
                fix="rename or remove one of the two columns",
            )
        first_at[name] = position
    if all(not name or name.startswith(RESULT_PREFIX) for name in header):
        raise SourceUnreadable(
            "the header names no column",
            fix="put the names of the columns in the first line that is not blank",
        )
