"""What all that reads a journal through a connection of its own has in common."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aftercall.adapters.journal.sqlite.connection import told
from aftercall.adapters.journal.sqlite.writer import Writer

Result = TypeVar("Result")


class Reading:
    """A connection for reading only, closed at the end of a `with`."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextmanager
    def one_instant(self) -> Iterator[None]:
        """Show the journal as it is at one instant, while a run goes on."""
        with told(self._path):
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("COMMIT")

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


class ReadingBeside:
    """Writes with the writer, and reads beside it: with a connection and a thread of its own.

    On the writer's thread, looking for what is due would end the wait of settlements for company,
    and cost them a sync each.
    """

    def __init__(self, writer: Writer, db: sqlite3.Connection, path: Path, name: str) -> None:
        """Take the writer, a connection for reading that is closed with this, a thread's name."""
        self._writer = writer
        self._db = db
        self._path = path
        self._thread = ThreadPoolExecutor(1, name)

    def close(self) -> None:
        """End the thread and close the connection for reading."""
        self._thread.shutdown()
        self._db.close()

    async def _read(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        def told_read() -> Result:
            with told(self._path):
                return read(self._db)

        return await asyncio.get_running_loop().run_in_executor(self._thread, told_read)
