"""Opens a file or standard input as a source of rows."""

import sys
from collections.abc import Iterator
from itertools import chain
from types import TracebackType
from typing import BinaryIO, Final, Protocol, Self

from aftercall.adapters.sources.byte_stream import BrokenOffError, ByteStream
from aftercall.adapters.sources.csv_rows import CsvRows, sniff_delimiter
from aftercall.adapters.sources.json_array import JsonArray
from aftercall.adapters.sources.json_rows import JsonLines, JsonObject
from aftercall.adapters.sources.kinds import (
    delimiter_by_name,
    kind_by_name,
    kind_by_start,
    refuse_binary,
)
from aftercall.adapters.sources.paths import open_file
from aftercall.adapters.sources.rows import (
    MIB,
    RawRow,
    SourceFormat,
    SourceOptions,
    sentence,
    unreadable_row,
)
from aftercall.adapters.sources.text import choose_encoding, decoded, read_head
from aftercall.errors import SourceUnreadable

STDIN: Final = "-"
_DEFAULTS: Final = SourceOptions()


class _Reader(Protocol):
    @property
    def line(self) -> int: ...

    def rows(self, start_after_line: int) -> Iterator[RawRow]: ...


class Source:
    """An input that is open and known in form; its rows are read once, as a stream.

    Use it as a context manager, or read all rows, or call `close`.

    Attributes:
        name: as the user gave it; `<stdin>` for standard input.
        format: how it is written.
        sha256: hex digest of the stored bytes, once all rows have been read; None before.
    """

    def __init__(self, stream: ByteStream, source_format: SourceFormat, reader: _Reader) -> None:
        self.name = stream.name
        self.format = source_format
        self.sha256: str | None = None
        self._stream = stream
        self._reader = reader
        self._started = False

    @property
    def bytes_total(self) -> int | None:
        """The size of the file in bytes as stored; None if it is not known (a pipe)."""
        return self._stream.bytes_total

    @property
    def bytes_read(self) -> int:
        """How many of those bytes have been read so far."""
        return self._stream.bytes_read

    def rows(self, start_after_line: int = 0) -> Iterator[RawRow]:
        """Give the rows that start after a line, in order.

        Raises:
            RuntimeError: if the rows were asked for before; open the source again instead.
            SourceUnreadable: while iterating, if the system cannot read on.
        """
        if self._started:
            message = "the rows of a source can be read once; open it again"
            raise RuntimeError(message)
        self._started = True
        return self._rows(start_after_line)

    def _rows(self, start_after_line: int) -> Iterator[RawRow]:
        with self:
            try:
                yield from self._reader.rows(start_after_line)
            except BrokenOffError as error:
                yield unreadable_row(self._reader.line, error.problem)
            self.sha256 = self._stream.hash_all()

    def close(self) -> None:
        """Close the file. Standard input stays open."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_source(
    path: str, options: SourceOptions = _DEFAULTS, stdin: BinaryIO | None = None
) -> Source:
    """Open a file and find out how it is written, from its first bytes only.

    Args:
        path: a file, or `-` for standard input.
        options: what the user said about the file.
        stdin: what to read for `-`; the process's own standard input if None.

    Raises:
        SourceUnreadable: if the input as a whole cannot be used; it says what to do.
    """
    stream = _open_stdin(stdin) if path == STDIN else open_file(path)
    try:
        return _recognise(stream, options)
    except BrokenOffError as error:
        stream.close()
        raise SourceUnreadable(
            f"{stream.name} cannot be read: {error.problem.message}.",
            fix=sentence(error.problem.hint),
        ) from error
    except BaseException:
        stream.close()
        raise


def _open_stdin(stdin: BinaryIO | None) -> ByteStream:
    if stdin is None and sys.stdin is None:  # Python's word for one that was closed before
        raise SourceUnreadable(
            "Standard input is closed, so there is nothing to read.",
            fix="Pipe a file into the command (cat calls.csv | aftercall ... -), or name a file.",
        )
    raw = sys.stdin.buffer if stdin is None else stdin
    if raw.isatty():
        raise SourceUnreadable(
            "Standard input is a terminal, so there is nothing to read.",
            fix="Pipe a file into the command (cat calls.csv | aftercall ... -), or name a file.",
        )
    return ByteStream(raw, "<stdin>", None, owned=False)


def _recognise(stream: ByteStream, options: SourceOptions) -> Source:
    chunks = stream.chunks()
    head = read_head(chunks)
    encoding = choose_encoding(head, options.encoding)
    texts = decoded(chain([head], chunks), encoding)
    start = _read_start(stream.name, texts)
    refuse_binary(stream.name, head, start)
    said = kind_by_name(stream.name) if options.kind == "auto" else options.kind
    kind, single = kind_by_start(stream.name, start, said or "")
    texts = chain([start], texts)
    if kind == "csv":
        delimiter = _delimiter(stream.name, options.delimiter, start)
        table = CsvRows(texts, delimiter)
        return Source(stream, SourceFormat(kind, encoding, delimiter, table.columns), table)
    if kind == "jsonl":
        reader: _Reader = JsonLines(texts)
    else:
        reader = JsonObject(texts) if single else JsonArray(texts)
    return Source(stream, SourceFormat(kind, encoding, None, ()), reader)


def _read_start(name: str, texts: Iterator[str]) -> str:
    """Read up to the first text that is not blank."""
    start = ""
    while len(start) < MIB and not start.strip():
        more = next(texts, None)
        if more is None:
            break
        start += more
    if not start.strip():
        raise SourceUnreadable(
            f"{name} is empty." if not start else f"{name} has nothing but blanks.",
            fix="Check how the file was made: a CSV needs at least its header.",
        )
    return start


def _delimiter(name: str, wanted: str, start: str) -> str:
    if wanted == "auto":
        return sniff_delimiter(start, delimiter_by_name(name))
    delimiter = "\t" if wanted in {"tab", "\\t"} else wanted
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise SourceUnreadable(
            f"{wanted!r} cannot be a delimiter.",
            fix="Say one character, such as --delimiter ';', or --delimiter tab.",
        )
    return delimiter
