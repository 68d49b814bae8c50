"""The audit log: its entries, the tiles of their tree, and the checkpoints."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aftercall.adapters.journal.sqlite.connection import told
from aftercall.adapters.journal.sqlite.reading import Reading
from aftercall.adapters.journal.sqlite.rows import add_act, filter_values, personal_of
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.acts import Act
from aftercall.domain.disposition import Json
from aftercall.domain.tiles import TileKey
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter
from aftercall.ports.audit import Seal, StoredCheckpoint, StoredEntry


class SqliteAuditArchive(Reading):
    """The log as it is read. An entry's leaf is its number less one: numbers have no gaps."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        super().__init__(db, path)
        # A text that was damaged is to be found out, not to stop the search.
        db.text_factory = _text

    def sealed(self) -> int:
        """Return how many entries are sealed."""
        with told(self._path):
            return sealed_in(self._db)

    def stored(self) -> int:
        """Return how many entries there are, sealed or not."""
        with told(self._path):
            return int(self._db.execute(statement("audit_last")).fetchone()[0])

    def clock_ms(self) -> int:
        """Return the latest time at which an entry was stored or sealed, or a second less."""
        with told(self._path):
            return int(self._db.execute(statement("audit_clock")).fetchone()[0])

    def times(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the earliest and the latest time of the entries from leaf `first` to `last`."""
        with told(self._path):
            asked = {"first": first, "last": last}
            early, late = self._db.execute(statement("audit_times"), asked).fetchone()
            return None if early is None else (early, late)

    def texts(self, first: int, most: int) -> Sequence[bytes]:
        """Return up to `most` entries from leaf `first` on, as they are hashed."""
        with told(self._path):
            asked = {"first": first, "most": most}
            found = self._db.execute(statement("audit_texts"), asked).fetchall()
        for leaf, row in enumerate(found, first):
            if row["number"] != leaf + 1:
                message = f"Audit entry {leaf} is not in the journal any more."
                fix = "See what else is wrong with it; restore the journal from a backup."
                raise JournalError(message, fix=fix, next_command="aftercall audit verify")
        return [bytes(row["entry"]) for row in found]

    def tile(self, level: int, place: int) -> bytes:
        """Return a tile; no bytes if there is none."""
        with told(self._path):
            asked = {"level": level, "place": place}
            found = self._db.execute(statement("audit_tile"), asked).fetchone()
        hashes = None if found is None else found["hashes"]
        # Text in the place of hashes, say, is none: SQLite stores what it is given.
        return hashes if isinstance(hashes, bytes) else b""

    def tile_keys(self) -> Iterator[TileKey]:
        """Yield which tiles there are."""
        with told(self._path):
            for row in self._db.execute(statement("audit_tile_keys")):
                yield row["level"], row["place"]

    def acts(self) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """Return the entries about the log itself, with their leaves, in order."""
        with told(self._path):
            return acts_in(self._db)

    def entries(self) -> Iterator[StoredEntry]:
        """Yield all entries in their order, with what opens their commitments."""
        with told(self._path):
            for row in self._db.execute(statement("audit_entries")):
                yield _stored(row)

    def of_row(self, row: int) -> Sequence[StoredEntry]:
        """Return the entries about a row."""
        with told(self._path):
            found = self._db.execute(statement("audit_entries_of_row"), {"row": row})
            return [_stored(one) for one in found]

    def chosen(self, asked: AuditFilter, size: int) -> Iterator[tuple[int, str]]:
        """Yield leaf and text of those of the first `size` entries that are asked for."""
        with told(self._path):
            values = filter_values(self._db, asked) | {"size": size}
            for row in self._db.execute(statement("audit_chosen"), values):
                yield row["number"] - 1, row["entry"]

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Yield all checkpoints, the oldest first."""
        with told(self._path):
            for row in self._db.execute(statement("audit_checkpoints")):
                yield _checkpoint(row)

    def latest(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint."""
        with told(self._path):
            found = self._db.execute(statement("audit_latest_checkpoint")).fetchone()
            return None if found is None else _checkpoint(found)


class SqliteAuditLog(SqliteAuditArchive):
    """The log of a journal that this process works on."""

    def __init__(self, writer: Writer, db: sqlite3.Connection, path: Path) -> None:
        super().__init__(db, path)
        self._writer = writer

    async def seal(self, seal: Seal) -> bool:
        """Store a seal; return False, and store nothing, if something else was sealed first."""
        return await self._writer.run(lambda db: _seal(db, seal))


def sealed_in(db: sqlite3.Connection) -> int:
    """Return how many entries are sealed."""
    return int(db.execute(statement("audit_sealed")).fetchone()[0])


def acts_in(db: sqlite3.Connection) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the entries about the log itself, with their leaves, in order."""
    found = db.execute(statement("audit_acts"))
    return [(row["number"] - 1, json.loads(row["entry"])) for row in found]


def _seal(db: sqlite3.Connection, seal: Seal) -> bool:
    if sealed_in(db) != seal.before:
        return False
    if seal.deed is not None and add_act(db, seal.deed, seal.at_ms, leaf=seal.size - 1) is None:
        return False
    tiles = [
        {"level": level, "place": place, "hashes": hashes}
        for (level, place), hashes in seal.tiles.items()
    ]
    db.executemany(statement("put_audit_tile"), tiles)
    step = seal.deed is not None and seal.deed.act is Act.CLOCK_SET
    db.execute(statement("set_audit_clock"), {"at_ms": seal.at_ms, "step": step})
    values = {"size": seal.size, "at_ms": seal.at_ms, "note": seal.note}
    db.execute(statement("add_audit_checkpoint"), values)
    return True


def _checkpoint(row: sqlite3.Row) -> StoredCheckpoint:
    """Return a checkpoint; what is not of its column's type is none of a checkpoint's values."""
    number, size, at_ms, note = row
    return StoredCheckpoint(
        number,
        size if isinstance(size, int) else -1,
        at_ms if isinstance(at_ms, int) else -1,
        note if isinstance(note, str) else "",
    )


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


def _personal(row: sqlite3.Row) -> Mapping[str, Json]:
    try:
        return personal_of(row)
    except ValueError:
        return {"damaged": True}


def _stored(row: sqlite3.Row) -> StoredEntry:
    return StoredEntry(
        leaf=row["number"] - 1,
        at_ms=row["at_ms"],
        run=row["run_id"],
        row=row["row"],
        campaign=row["campaign"],
        contact=row["contact"],
        text=row["entry"],
        personal=_personal(row),
        salt=row["salt"],
    )
