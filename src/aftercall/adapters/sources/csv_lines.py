"""Physical lines of a CSV, fed to `csv.reader` so that an open quote costs one row only."""

import io
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from aftercall.adapters.sources.rows import CELL_LIMIT, KIB, MIB, ROW_LIMIT
from aftercall.adapters.sources.text import has_bad_bytes, whole_lines

# A file with open quotes everywhere must not cost `CELL_LIMIT` for each of them: when this much
# has been fed again, a row over several lines gets no more room than notes and fields need.
_FED_AGAIN_MAX: Final = 16 * MIB
_ROOM_CHARACTERS: Final = 16 * KIB
_ROOM_LINES: Final = 64


class CsvLines:
    """Feeds lines to `csv.reader`, watches the row that it is building and can take it back.

    All checks are made once per group of lines of about 256 KiB, so that a row costs next to
    nothing. Iterate again after `drop_line`.

    Attributes:
        row_line: the line where the next row starts; the consumer sets it after each row.
        watch: whether a row that is completed now could have anything wrong with its text.
        ended: no line is fed any more, so a row that is completed now is an incomplete one.
        overflow: the input was left because one line is longer than `ROW_LIMIT`.
    """

    def __init__(self, chunks: Iterable[str]) -> None:
        self.row_line = 1
        self.watch = False
        self.ended = False
        self.overflow = False
        self._pieces = whole_lines(chunks, ROW_LIMIT)
        self._held: list[str] = []  # what was fed since the start of line `_held_line`
        self._held_line = 1
        self._again: deque[str] = deque()
        self._fed_again = 0

    def __iter__(self) -> Iterator[str]:
        self.ended = False
        return chain.from_iterable(self._groups())

    @property
    def is_open(self) -> bool:
        """Whether the lines ended within a row."""
        return self.ended and bool(self._held)

    def lines_to(self, line: int) -> list[str]:
        """Return the lines of the row that is being built, up to the one before `line`."""
        return self._held[self.row_line - self._held_line : line - self._held_line]

    def drop_line(self) -> str:
        """Give the row that is being built up; what follows its first line is fed again.

        Returns:
            That first line.
        """
        first, *again = self._held[self.row_line - self._held_line :]
        self._again.extendleft(reversed(again))
        self._fed_again += sum(map(len, again))
        self._held = []
        self.row_line += 1
        self._held_line = self.row_line
        return first

    def _groups(self) -> Iterator[list[str]]:
        while (stalled := self._still_open()) is not None:
            group = self._lines_again() or self._lines_of_input(stalled=stalled)
            if not group:
                break
            self._held += group
            yield group
        self.ended = self.watch = True

    def _room(self) -> tuple[int, int]:
        """Return how many characters and lines a row over several lines may have."""
        if self._fed_again < _FED_AGAIN_MAX:
            return CELL_LIMIT, CELL_LIMIT
        return _ROOM_CHARACTERS, _ROOM_LINES

    def _still_open(self) -> bool | None:
        """Tell whether a row is being built; None if it has used all of its room."""
        del self._held[: self.row_line - self._held_line]
        self._held_line = self.row_line
        size, lines = self._room()
        if len(self._held) > 1 and (len(self._held) > lines or sum(map(len, self._held)) > size):
            return None
        return bool(self._held)

    def _lines_again(self) -> list[str]:
        size, lines = self._room()
        group: list[str] = []
        while self._again and size > 0 and len(group) < lines:
            group.append(self._again.popleft())
            size -= len(group[-1])
        self.watch = True
        return group

    def _lines_of_input(self, *, stalled: bool) -> list[str]:
        piece = None if self.overflow else next(self._pieces, "")
        if piece is None:
            self.overflow = True
            return []
        self.watch = stalled or len(piece) > CELL_LIMIT or "\0" in piece or has_bad_bytes(piece)
        # StringIO splits at LF, CR and CR LF only; str.splitlines would split inside cells.
        return io.StringIO(piece, newline="").readlines()
