"""What was committed at the tenant, and what the CRM received: compact append-only journals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHUNK_LINES = 1000
_CHUNK_BYTES = 256 * 1024


class Journal:
    """JSON lines, in memory or appended to a file.

    A file keeps what it held before; only what this journal added is read back or cleared.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self._lines: list[bytes] = []
        self._count = 0
        self._start = 0
        # Unbuffered, so that each entry is in the file before its request is answered.
        self._file = None if path is None else Path(path).open("a+b", buffering=0)  # noqa: SIM115
        if self._file is not None:
            self._start = self._file.seek(0, 2)

    def __len__(self) -> int:
        return self._count

    def append(self, entry: Mapping[str, Any]) -> None:
        """Add one entry."""
        line = json.dumps(entry, separators=(",", ":")).encode()
        self._count += 1
        if self._file is None:
            self._lines.append(line)
        else:
            self._file.write(line + b"\n")

    def chunks(self) -> Iterator[bytes]:
        """Yield the journal as it is now, in pieces of whole or broken lines."""
        if self._file is None:
            end = len(self._lines)
            for begin in range(0, end, _CHUNK_LINES):
                lines = self._lines[begin : min(begin + _CHUNK_LINES, end)]
                yield b"".join(line + b"\n" for line in lines)
            return
        with Path(self._file.name).open("rb") as reader:
            left = reader.seek(0, 2) - self._start
            reader.seek(self._start)
            while left > 0:
                chunk = reader.read(min(left, _CHUNK_BYTES))
                left -= len(chunk)
                yield chunk

    def entries(self) -> list[dict[str, Any]]:
        """Return all entries."""
        return [json.loads(line) for line in b"".join(self.chunks()).splitlines()]

    def clear(self) -> None:
        """Forget all entries."""
        self._lines.clear()
        self._count = 0
        if self._file is not None:
            self._file.truncate(self._start)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()


class Ledger(Journal):
    """The journal of committed changes, with its sums."""

    def __init__(self, path: Path | str | None = None) -> None:
        super().__init__(path)
        self.changes = 0
        self.repeats = 0
        self.live_call_writes = 0

    def append(self, entry: Mapping[str, Any]) -> None:
        """Number an entry, add it and count it."""
        super().append({"n": len(self) + 1, **entry})
        if entry["effective"]:
            self.changes += 1
        else:
            self.repeats += 1
        if entry["live_call"]:
            self.live_call_writes += 1

    def clear(self) -> None:
        """Forget all entries and sums."""
        super().clear()
        self.changes = self.repeats = self.live_call_writes = 0
