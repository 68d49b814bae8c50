"""The two streams of a command line: data on standard output, everything else on the other."""

import os
import re
import sys
from collections.abc import Iterable
from typing import IO, cast

from rich.console import Console, RenderableType
from rich.text import Text

from aftercall.interfaces.cli.failures import hush

UNBOUNDED = 100_000
"""The width of what is not a terminal: nothing is cut off from what is piped on."""

REPLACED = "�"

UNSAFE = "\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""What a terminal may act on, and what turns text around so that it reads as something else."""

_ESCAPED = re.compile(f"[{UNSAFE}\ud800-\udfff]")


class _Out(Console):
    """Standard output: whoever reads it may leave early."""

    def on_broken_pipe(self) -> None:
        """Let the command end instead of the process."""
        raise BrokenPipeError


class _Lossy:
    """Standard error, which may vanish with its terminal or its reader: that stops no work."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, unless nobody is there any more."""
        try:
            return self._stream.write(text)
        except OSError:
            hush(self._stream)
            return len(text)

    def flush(self) -> None:
        """Flush, unless nobody is there any more."""
        try:
            self._stream.flush()
        except OSError:
            hush(self._stream)


def out() -> Console:
    """Return standard output."""
    return _Out(highlight=False, markup=False, emoji=False, soft_wrap=False)


def wide_out() -> Console:
    """Return standard output for listings: as wide as they need to be when they are piped."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return out()
    return _Out(highlight=False, markup=False, emoji=False, width=UNBOUNDED)


def err() -> Console:
    """Return standard error."""
    return Console(
        file=cast("IO[str]", _Lossy(sys.stderr)), highlight=False, markup=False, emoji=False
    )


def plain(text: str) -> str:
    """Return `text` on one line without anything that a terminal would act on."""
    return "".join(letter if letter.isprintable() else REPLACED for letter in text)


def escaped(document: str) -> str:
    """Return a JSON document with the characters escaped that are not safe to show or encode."""
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def say(*lines: str | Text) -> None:
    """Print lines on standard error that the terminal wraps, so that they can be copied."""
    console = err()
    for line in lines:
        console.print(line, soft_wrap=True)


def print_pieces(pieces: Iterable[RenderableType]) -> None:
    """Print what data is shown as: tables fit the terminal, lines are wrapped by it.

    Lines that the terminal wraps can be copied whole, such as commands and paths.
    """
    console = wide_out()
    for piece in pieces:
        if isinstance(piece, Text):
            console.print(piece, soft_wrap=True)
        elif console.is_terminal:
            console.print(piece)
        else:
            with console.capture() as captured:
                console.print(piece)
            lines = (line.rstrip() for line in captured.get().splitlines())
            console.print(*lines, sep="\n", soft_wrap=True)


def write_bytes(data: bytes) -> None:
    """Write data to standard output as it is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
