"""The journal in a SQLite file."""

from aftercall.adapters.journal.sqlite.journal import (
    SqliteJournal,
    copy_journal,
    open_archive,
    outbox_beside,
)

__all__ = ["SqliteJournal", "copy_journal", "open_archive", "outbox_beside"]
