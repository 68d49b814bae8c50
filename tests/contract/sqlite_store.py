"""The place of a SQLite journal, and a way into its file past the journal itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aftercall.adapters.journal.sqlite import SqliteJournal


@dataclass(frozen=True)
class SqliteStore:
    """A journal in a file of its own."""

    path: Path

    def open(self) -> SqliteJournal:
        return SqliteJournal(self.path)

    def refuse(self, table: str) -> None:
        with self.beside() as db:
            db.execute(
                f"CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table} "
                "BEGIN SELECT raise(ABORT, 'refused on purpose'); END"
            )

    @contextmanager
    def beside(self) -> Iterator[sqlite3.Connection]:
        """Open a second connection to the file."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            yield db
