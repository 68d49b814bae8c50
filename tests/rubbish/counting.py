"""How many rows a file holds, counted from its bytes and from what is documented of each format.

Nothing here is shared with the product, which says only how it took the file to be written.
"""

import gzip
import json
import zlib
from dataclasses import dataclass, field

GZIP = b"\x1f\x8b"


def text_in(content: bytes, encoding: str) -> str | None:
    """Return the text of a file, its line ends plain; None if it is packed and does not unpack."""
    if content.startswith(GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return None
    text = content.decode(encoding, "replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def rows_in(content: bytes, kind: str, encoding: str, delimiter: str | None) -> int | None:
    """Return how many rows are fed; None where a file is broken as a whole."""
    text = text_in(content, encoding)
    if text is None:
        return None
    lines = text.split("\n")
    if kind == "csv":
        return _rows_of_table(lines, delimiter or ",")
    if kind == "jsonl":
        return sum(bool(line.strip()) for line in lines)
    if not text.lstrip(" \t\n").startswith("["):
        return 1
    try:
        return len(json.loads(text))
    except (ValueError, RecursionError):
        return None


@dataclass
class _Record:
    """A record of a table.

    Attributes:
        lines: how many it stretches over.
        sound: its quotes are those of RFC 4180, and closed.
        cells: what its cells hold.
        quoted: one of them is quoted.
    """

    lines: int = 1
    sound: bool = True
    cells: list[str] = field(default_factory=lambda: [""])
    quoted: bool = False

    @property
    def blank(self) -> bool:
        """Whether it is no row: nothing, or one cell of blanks."""
        (first, *more) = self.cells
        return not more and not first.strip() and not (self.quoted and not first)


def _rows_of_table(lines: list[str], delimiter: str) -> int:
    """Count the records behind the header.

    One that is not sound is as long as its first line: with the next one another begins.
    """
    at, count = 0, -1
    while at < len(lines):
        record = _record(lines, at, delimiter)
        count += not record.blank
        at += record.lines if record.sound or not count else 1
    return count


def _record(lines: list[str], first: int, delimiter: str) -> _Record:
    record, state = _Record(), "start"
    for line in lines[first:]:
        for letter in line:
            if state == "quoted":
                state = "closed" if letter == '"' else "quoted"
                record.cells[-1] += letter if letter != '"' else ""
            elif letter == delimiter:
                record.cells.append("")
                state = "start"
            elif letter == '"' and state != "plain":
                record.quoted, state = True, "quoted"
            else:
                record.sound = record.sound and state != "closed"
                record.cells[-1] += letter
                state = "plain"
        if state != "quoted":
            return record
        record.lines += 1
    return _Record(sound=False, quoted=True)
