"""Rows of a CSV: RFC 4180 quoting, any line end, one bad row never hides the others."""

import csv
import re
from collections.abc import Generator, Iterable, Iterator
from typing import Final

from aftercall.adapters.sources.check import still_broken
from aftercall.adapters.sources.csv_lines import CsvLines
from aftercall.adapters.sources.formula import unguard_cell
from aftercall.adapters.sources.rows import (
    CELL_LIMIT,
    KIB,
    MIB,
    ROW_LIMIT,
    RawRow,
    RowProblem,
    bad_encoding,
    nul_byte,
    row_too_large,
    sentence,
    unreadable_row,
)
from aftercall.adapters.sources.text import has_bad_bytes
from aftercall.errors import SourceUnreadable

RESULT_PREFIX: Final = "aftercall_"
"""Columns that aftercall itself adds to result files, and ignores when it reads one."""

_CANDIDATES: Final = ",;\t|"
_QUOTED_CELL: Final = re.compile(r'(?:^|(?<=[,;\t|\r\n]))"[^"]*(?:""[^"]*)*"')
_SNIFFED: Final = 64 * KIB
_FIELD_LIMIT: Final = ROW_LIMIT + 8 * MIB  # csv must not raise before `CsvLines` stops it


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
        self._lines = CsvLines(chunks)
        self._delimiter = delimiter
        self._reader = csv.reader(self._lines, delimiter=delimiter)
        header = self._read_header()
        self._fed_back = any(name.startswith(RESULT_PREFIX) for name in header)
        if self._fed_back:
            header = [unguard_cell(name) for name in header]
        self._width = len(header)
        self._kept = [i for i, name in enumerate(header) if not name.startswith(RESULT_PREFIX)]
        self._ours = {name: i for i, name in enumerate(header) if name.startswith(RESULT_PREFIX)}
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
        lines = self._lines
        before = 0
        try:
            while (yield from self._rows(start_after_line, before)):
                before = lines.row_line
                first = lines.drop_line()
                self._reader = csv.reader(lines, delimiter=self._delimiter)
                if before > start_after_line:
                    yield self._not_closed(before, first)
        except csv.Error as error:
            # Only if somebody else lowers csv's limit meanwhile. Where csv stood is not known
            # then: going on could take a part of a cell for a row.
            message = f"the CSV cannot be read from line {lines.row_line} on: {error}"
            hint = "do not lower csv.field_size_limit while aftercall reads"
            yield unreadable_row(lines.row_line, RowProblem("csv_broken", message, hint))
            return
        if lines.overflow and lines.row_line > start_after_line:
            yield unreadable_row(lines.row_line, self._too_large())

    def _rows(self, start_after_line: int, before: int) -> Generator[RawRow, None, bool]:
        """Give the rows up to the end, or up to one with an open quote; tell if there is one.

        Args:
            start_after_line: rows up to this line are left out.
            before: how many lines came before those that the csv reader has seen.
        """
        lines, reader, columns = self._lines, self._reader, self.columns
        width = self._width if self._plain else -1
        for cells in reader:
            if lines.ended:
                break
            line = lines.row_line
            end = before + reader.line_num + 1
            if end > line + 1 and not self._is_well_quoted(lines.lines_to(end)):
                return True
            lines.row_line = end
            if line <= start_after_line:
                continue
            if len(cells) == width and not lines.watch:
                yield RawRow(line, dict(zip(columns, cells, strict=True)), tuple(cells), None)
            elif not _is_blank(cells):
                yield self._careful(line, cells)
        return lines.is_open

    def _is_well_quoted(self, lines: list[str]) -> bool:
        """Tell whether no quote of a row over several lines is followed by more text.

        A quote that was left open is otherwise closed by the one that opens a later cell.
        """
        try:
            return bool(list(csv.reader(lines, delimiter=self._delimiter, strict=True)))
        except csv.Error:
            return False

    def _read_header(self) -> list[str]:
        lines = self._lines
        for cells in self._reader:
            if lines.ended:
                break
            line = lines.row_line
            lines.row_line = self._reader.line_num + 1
            text = "".join(cells)
            if "\0" in text or has_bad_bytes(text):
                problem = nul_byte() if "\0" in text else bad_encoding()
                raise SourceUnreadable(
                    f"The header on line {line} is not clean text: {problem.message}.",
                    fix=sentence(problem.hint),
                )
            if not _is_blank(cells):
                return [name.strip() for name in cells]
        problem = _quote_not_closed(lines.row_line) if lines.is_open else self._too_large()
        raise SourceUnreadable(
            f"The header cannot be read: {problem.message}.",
            fix="Close the quote, or say the right --delimiter.",
        )

    def _too_large(self) -> RowProblem:
        """Describe the row after which reading stopped."""
        return RowProblem(
            "row_too_large",
            f"{row_too_large(self._lines.row_line).message}; reading stopped here",
            "split the line, or leave out the large text",
        )

    def _not_closed(self, line: int, first: str) -> RawRow:
        """Build a row with an open quote: its first line, taken apart as far as that goes."""
        (cells,) = csv.reader([first.rstrip("\r\n")], delimiter=self._delimiter)
        return RawRow(line, {}, self._original(cells), _quote_not_closed(line))

    def _original(self, cells: list[str]) -> tuple[str, ...]:
        """Return the cells without those that aftercall has added, as they once were."""
        kept = self._as_in_file(cells)
        return tuple(unguard_cell(cell) for cell in kept) if self._fed_back else tuple(kept)

    def _as_in_file(self, cells: list[str]) -> list[str]:
        kept = [cells[i] for i in self._kept if i < len(cells)]
        return kept + cells[self._width :]

    def _careful(self, line: int, cells: list[str]) -> RawRow:
        """Build a row of which something is unusual: its text, its length or the header."""
        values = self._original(cells)
        named = dict(zip(self.columns, values, strict=False))
        named.pop("", None)
        return RawRow(line, named, values, self._problem(cells))

    def _problem(self, cells: list[str]) -> RowProblem | None:
        ours = {name: cells[i] for name, i in self._ours.items() if i < len(cells)}
        if known := still_broken(ours, self._as_in_file(cells)):
            return known
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


def _quote_not_closed(line: int) -> RowProblem:
    return RowProblem(
        "quote_not_closed",
        f"a quote in the row that starts on line {line} is never closed",
        'close the quote, or write it as "" inside a quoted cell',
    )


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
                f"The header has the column {name[:40]!r} twice: "
                f"at position {first_at[name]} and at position {position}.",
                fix="Rename or remove one of the two columns.",
            )
        first_at[name] = position
    if all(not name or name.startswith(RESULT_PREFIX) for name in header):
        raise SourceUnreadable(
            "The header names no column.",
            fix="Put the names of the columns in the first line that is not blank.",
        )
