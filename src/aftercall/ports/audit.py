"""The protocols of the audit log: its entries, the tree over them, and who signs it.

An entry's *leaf* is its place in the log, from 0. Entries are sealed in their order: once the
tree covers one, it can no longer be changed without being found out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aftercall.domain.acts import Deed, Scope
from aftercall.domain.disposition import Json
from aftercall.domain.note import VerifierKey
from aftercall.domain.tiles import TileKey


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which audit entries are asked for; what is None is not asked about. Times are ms."""

    run: str | None = None
    campaign: str | None = None
    contact: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


CLOCK_GRAIN_MS = 1000
"""How far `AuditLog.clock_ms` may lag behind: it is not stored anew for each entry."""


class Signer(Protocol):
    """Signs checkpoints with a private key."""

    @property
    def key(self) -> VerifierKey:
        """The public key that belongs to it, with the log's name."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message."""
        ...


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it is stored, with the columns that it can be found by.

    Attributes:
        run: the id of the run; empty for an act.
        personal: what of its row is still there to open the entry's commitments with.
        salt: the row's salt; None if it was destroyed, or there was none.
    """

    leaf: int
    at_ms: int
    run: str
    row: int
    campaign: str
    contact: str
    text: str = field(repr=False)
    personal: Mapping[str, Json] = field(default_factory=dict, repr=False)
    salt: bytes | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What messages call it: its place in the log, and whose it is as its columns say."""
        columns = {"row": self.row, "contact": self.contact, "campaign": self.campaign}
        whose = ", ".join(f"{column} {value}" for column, value in columns.items() if value)
        return f"Entry {self.leaf} ({whose})" if whose else f"Entry {self.leaf}"


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it is stored: its note, and the columns that it can be found by."""

    number: int
    size: int
    at_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What one transaction stores when entries are sealed.

    Attributes:
        before: how many entries were sealed so far; if it is not so any more, nothing is stored.
        size: how many are sealed with it.
        at_ms: the time of the checkpoint.
        note: the checkpoint.
        tiles: the tiles of the tree that are new or fuller.
        deed: an act whose entry is the last one that is sealed, and is stored with it.
    """

    before: int
    size: int
    at_ms: int
    note: str
    tiles: Mapping[TileKey, bytes]
    deed: Deed | None = None


class AuditLog(Protocol):
    """The log as it is sealed and read."""

    def sealed(self) -> int:
        """Return how many entries are sealed."""
        ...

    def stored(self) -> int:
        """Return how many entries there are, sealed or not."""
        ...

    def clock_ms(self) -> int:
        """Return the latest time at which an entry was stored or sealed, or `CLOCK_GRAIN_MS` less.

        A seal with an act `clock_set` puts it back to its own time.
        """
        ...

    def times(self, first: int, last: int) -> tuple[int, int] | None:
        """Return the earliest and the latest time of the entries from leaf `first` to `last`.

        The entry of leaf `last` is not one of them; None if there is none.
        """
        ...

    def texts(self, first: int, most: int) -> Sequence[bytes]:
        """Return up to `most` entries from leaf `first` on, as they are hashed.

        Raises:
            JournalError: one is missing.
        """
        ...

    def tile(self, level: int, place: int) -> bytes:
        """Return a tile; no bytes if there is none."""
        ...

    def acts(self) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """Return the entries about the log itself, with their leaves, in order."""
        ...

    async def seal(self, seal: Seal) -> bool:
        """Store a seal; return False, and store nothing, if something else was sealed first."""
        ...


class AuditArchive(Protocol):
    """The log as it is checked, proved and exported."""

    def entries(self) -> Iterator[StoredEntry]:
        """Yield all entries in their order, with what opens their commitments."""
        ...

    def chosen(self, asked: AuditFilter, size: int) -> Iterator[tuple[int, str]]:
        """Yield leaf and text of those of the first `size` entries that are asked for."""
        ...

    def of_row(self, row: int) -> Sequence[StoredEntry]:
        """Return the entries about a row."""
        ...

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Yield all checkpoints, the oldest first."""
        ...

    def latest(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint."""
        ...

    def tile(self, level: int, place: int) -> bytes:
        """Return a tile; no bytes if there is none."""
        ...

    def tile_keys(self) -> Iterator[TileKey]:
        """Yield which tiles there are."""
        ...

    def acts(self) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """Return the entries about the log itself, with their leaves, in order."""
        ...


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What the journal holds of a person.

    Attributes:
        rows: rows with personal data in them.
        events: CRM events with personal data in them.
        open_rows: rows that are not settled; while there are some, nothing can be erased.
        campaigns: the campaigns of all of their rows.
        results: the result files that were written of their runs, as directory and run.
        inputs: the inputs that they came from, as name and lines.
        unnamed: how many of `rows` were invalid and did not tell whose they are, but hold the
            person's id in what they said.
    """

    rows: int
    events: int
    open_rows: int
    campaigns: tuple[str, ...]
    results: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, tuple[int, ...]], ...]
    unnamed: int = 0


class Keeping(Protocol):
    """Taking out what must not, or need not, be kept."""

    def held_of(self, scope: Scope) -> PersonalData:
        """Say what there is of a person."""
        ...

    async def erase(self, deed: Deed, now_ms: int) -> PersonalData:
        """Erase a person's data and record that, in one transaction; the bytes are gone then.

        Returns what was erased.

        Raises:
            JournalError: rows are open, or the data is held.
        """
        ...

    def expirable(self, before_ms: int) -> int:
        """Count what `expire` would take out."""
        ...

    async def expire(self, deed: Deed, before_ms: int, now_ms: int) -> int:
        """Take out sealed entries from before a time, and the personal data of their rows.

        What is held stays. Returns how many entries were taken out; if there were any, that is
        recorded in the same transaction.
        """
        ...
