"""What all that reads a journal through a connection of its own has in common."""

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self


class Reading:
    """A connection for reading only, closed at the end of a `with`."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def __enter__(self) -> Self:
        """Return the reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()
