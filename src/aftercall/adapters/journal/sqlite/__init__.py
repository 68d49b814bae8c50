"""The journal in a SQLite file."""

from aftercall.adapters.journal.sqlite.journal import SqliteJournal, open_archive

__all__ = ["SqliteJournal", "open_archive"]
