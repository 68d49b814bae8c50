"""Rows of JSON Lines (one object per line) and of a file that is a single object."""

from collections.abc import Iterable, Iterator

from aftercall.adapters.sources.json_values import json_row
from aftercall.adapters.sources.rows import ROW_LIMIT, RawRow, row_too_large, unreadable_row
from aftercall.adapters.sources.text import whole_lines, with_plain_newlines


class JsonLines:
    """Reads one JSON object per line; a bad line does not affect the next one.

    Attributes:
        line: the 1-based line where the next row starts.
    """

    def __init__(self, chunks: Iterable[str]) -> None:
        self.line = 1
        self._pieces = whole_lines(with_plain_newlines(chunks), ROW_LIMIT)

    def rows(self, start_after_line: int) -> Iterator[RawRow]:
        """Give the rows that start after a line; blank lines are no rows."""
        for piece in self._pieces:
            for text in [None] if piece is None else piece.removesuffix("\n").split("\n"):
                line = self.line
                self.line += 1
                if line <= start_after_line:
                    continue
                if text is None:
                    yield unreadable_row(line, row_too_large(line))
                elif text and not text.isspace():
                    yield json_row(line, text)


class JsonObject:
    """Reads a file that is one object, usually over several lines: one row.

    Attributes:
        line: the 1-based line where the object starts.
    """

    def __init__(self, chunks: Iterable[str]) -> None:
        self.line = 1
        self._chunks = with_plain_newlines(chunks)

    def rows(self, start_after_line: int) -> Iterator[RawRow]:
        """Give the one row, if it starts after a line."""
        parts: list[str] = []
        held = 0
        for chunk in self._chunks:
            parts.append(chunk)
            held += len(chunk)
            if held > ROW_LIMIT:
                break
        text = "".join(parts)
        row = text.lstrip()
        self.line += text.count("\n", 0, len(text) - len(row))
        if self.line > start_after_line:
            too_large = held > ROW_LIMIT
            yield (
                unreadable_row(self.line, row_too_large(self.line))
                if too_large
                else json_row(self.line, row)
            )
