"""The journal in a SQLite file."""

from aftercall.adapters.journal.sqlite.journal import (
    SqliteJournal,
    copy_journal,
    note_results,
    open_archive,
    open_audit,
    opt_outs_beside,
    outbox_beside,
)

__all__ = [
    "SqliteJournal",
    "copy_journal",
    "note_results",
    "open_archive",
    "open_audit",
    "opt_outs_beside",
    "outbox_beside",
]
