"""Rows of one JSON array of any size, even on a single line, with one element in memory."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from aftercall.adapters.sources.json_values import (
    DECODER,
    Nesting,
    broken,
    json_row,
    may_be_too_deep,
    may_have_half_pairs,
    value_row,
)
from aftercall.adapters.sources.rows import (
    CHUNK_BYTES,
    ROW_LIMIT,
    RawRow,
    RowProblem,
    row_too_large,
    unreadable_row,
)
from aftercall.adapters.sources.text import has_bad_bytes, with_plain_newlines

_NOT_BLANK: Final = re.compile(r"[^ \t\n]")
_SEPARATOR: Final = re.compile(r"[ \t\n]*([,\]])")


class JsonArray:
    """Reads the elements of an array one by one.

    An element that lies whole in the window is decoded where it is. Any other (cut by the end of
    the window, or broken) is first delimited by its brackets, which costs linear time even if it
    stretches over many chunks, and keeps a broken element from affecting the next one.

    Attributes:
        line: the 1-based line of the position reached.
    """

    def __init__(self, chunks: Iterable[str]) -> None:
        self.line = 1
        self._chunks = iter(with_plain_newlines(chunks))
        self._text = ""
        self._at = 0
        self._doubtful = False

    def rows(self, start_after_line: int) -> Iterator[RawRow]:
        """Give the elements that start after a line.

        An array that breaks off, or is followed by something, ends with a row that says so.
        """
        for row in self._rows():
            if row.line > start_after_line:
                yield row

    def _rows(self) -> Iterator[RawRow]:
        self._skip_blanks()
        self._move(self._at + 1)  # the opening bracket, which decided the kind of the file
        mark = "]" if self._skip_blanks() and self._text[self._at] == "]" else ","
        if mark == "]":
            self._move(self._at + 1)
        while mark == ",":
            if not self._skip_blanks():
                yield unreadable_row(self.line, self._broken_off(self.line))
                return
            row, mark = self._row_in_window() or self._row_delimited()
            yield row
        if mark == "]" and self._skip_blanks():
            message = f"there is something after the end of the array on line {self.line}"
            yield unreadable_row(self.line, broken(message, "put all rows into one array"))

    def _row_in_window(self) -> tuple[RawRow, str] | None:
        """Read an element that lies whole in the window and has nothing doubtful about it."""
        text, start = self._text, self._at
        if self._doubtful:
            return None
        try:
            value, end = DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return None
        after = _SEPARATOR.match(text, end)
        if (
            after is None
            or end - start > ROW_LIMIT
            or may_be_too_deep(text, start, end)
            or may_have_half_pairs(text, start, end)
        ):
            return None
        row = value_row(self.line, value)
        self._move(after.end())
        return row, after.group(1)

    def _row_delimited(self) -> tuple[RawRow, str]:
        """Find where an element ends, over as many chunks as it takes, then read it.

        Returns:
            The row and the character after it; no character if the file breaks off.
        """
        line, nesting = self.line, Nesting()
        parts: list[str] = []
        held = 0
        while True:
            start = self._at
            end = nesting.feed(self._text, start)
            part = self._text[start : None if end < 0 else end]
            held += len(part)
            if held <= ROW_LIMIT + CHUNK_BYTES:
                parts.append(part)
            else:
                parts.clear()
            if end >= 0:
                break
            self._move(len(self._text))
            if not self._load():
                return unreadable_row(line, self._broken_off(line)), ""
        mark = self._text[end]
        self._move(end + 1)
        if not parts:
            return unreadable_row(line, row_too_large(line)), mark
        return json_row(line, "".join(parts)), mark

    def _broken_off(self, line: int) -> RowProblem:
        return broken(
            f"the file breaks off on line {self.line}, in or before the element that starts on "
            f"line {line}; the rows before it were read",
            "get the file again, or close its brackets",
        )

    def _skip_blanks(self) -> bool:
        """Go to the next character that is not blank; False if there is none."""
        while not (found := _NOT_BLANK.search(self._text, self._at)):
            self._move(len(self._text))
            if not self._load():
                return False
        self._move(found.start())
        return True

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _load(self) -> bool:
        """Put the next chunk in place of a window that has been gone through."""
        self._text = next(self._chunks, "")
        self._at = 0
        self._doubtful = has_bad_bytes(self._text)
        return bool(self._text)
