"""Checking a whole audit log: its entries, their tree, every checkpoint, every signature.

Everything is gone through once, in the order of the log and in little memory, and the first thing
that does not fit is told.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aftercall.domain import instant
from aftercall.domain.acts import Act, ClockStep, Scope
from aftercall.domain.commitment import commitments
from aftercall.domain.merkle import leaf_hash
from aftercall.domain.tiles import HASH_BYTES, TILE_BYTES, WIDTH, TileKey, TreeBuilder
from aftercall.engine.checkpoints import Checkpoints, Misfit, Trust, Verified
from aftercall.ports.audit import AuditArchive, StoredEntry

KEYS = frozenset({Act.KEY_ADDED, Act.KEY_ROTATED})


def verify_log(archive: AuditArchive, trust: Trust) -> Verified:
    """Check everything.

    Raises:
        Misfit: something does not fit.
    """
    latest = archive.latest()
    check = _Check(archive, trust, 0 if latest is None else latest.size)
    check.entries()
    check.end()
    return check.found


class _Check:
    """The state of one pass over a log."""

    def __init__(self, archive: AuditArchive, trust: Trust, sealed: int) -> None:
        self.found = Verified()
        self._archive = archive
        self._sealed = sealed
        self._tree = TreeBuilder()
        self._leaf_tile: tuple[int, bytes] = (-1, b"")
        self._checkpoints = Checkpoints(archive.checkpoints(), trust, self.found)
        self._gaps: list[tuple[int, int]] = []
        self._expired: list[tuple[int, int]] = []
        self._unopened: dict[tuple[str, str], str] = {}
        self._erasures: list[Scope] = []

    def entries(self) -> None:
        """Go through all entries and, between them, all checkpoints."""
        self._checkpoints.meet(self._tree)
        for entry in self._archive.entries():
            self._pass_gap(min(entry.leaf, self._sealed))
            if entry.leaf < self._tree.size:
                message = f"{entry.name} has a number that no entry can have here."
                raise Misfit(message)
            read = _read(entry)
            hashed = leaf_hash(entry.text.encode(errors="surrogateescape"))
            if entry.leaf < self._sealed:
                self._compare(entry, hashed)
                # What it says of keys and of the clock counts once it is what was sealed.
                self._note_ground(entry, read)
            self._note_removal(entry, read)
            self._checkpoints.check_time(entry)
            self._check_commitments(entry, read)
            self.found.entries += 1
            if entry.leaf < self._sealed:
                self._add(hashed)
            else:
                if entry.leaf != self._sealed + self.found.unsealed:
                    message = f"Entry {entry.leaf - 1}, which was not sealed yet, is missing."
                    raise Misfit(message)
                self.found.unsealed += 1
        self._pass_gap(self._sealed)

    def end(self) -> None:
        """Check what only shows when all was read."""
        for key, tile in self._tree.partial():
            self._check_tile(key, tile)
        self._check_tile_keys()
        self._checkpoints.end()
        for first, last in self._gaps:
            if not any(low <= first and last <= high for low, high in _joined(self._expired)):
                message = (
                    f"Entry {first} is missing, and no entry says that it expired"
                    f" ({last - first + 1} in a row are)."
                )
                raise Misfit(message)
        for (campaign, contact), name in self._unopened.items():
            if not any(scope.covers(campaign, contact) for scope in self._erasures):
                message = (
                    f"{name} has lost its personal data, and no entry says that it was erased."
                )
                raise Misfit(message)

    def _pass_gap(self, leaf: int) -> None:
        """Take the hashes of missing entries from the tree as it is kept."""
        first = self._tree.size
        while self._tree.size < leaf:
            place, offset = divmod(self._tree.size, WIDTH)
            tile = self._archive.tile(0, place)
            hashed = tile[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
            if len(hashed) != HASH_BYTES:
                message = f"Entry {self._tree.size} is missing, and so is its hash."
                raise Misfit(message)
            self._add(hashed)
            self.found.expired += 1
        if first < leaf:
            self._gaps.append((first, leaf - 1))

    def _compare(self, entry: StoredEntry, hashed: bytes) -> None:
        """Compare an entry's hash with the one that is kept."""
        place, offset = divmod(self._tree.size, WIDTH)
        if place != self._leaf_tile[0]:
            self._leaf_tile = place, self._archive.tile(0, place)
        kept = self._leaf_tile[1][offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
        if kept != hashed:
            message = f"{entry.name} is not what was sealed: its hash differs."
            raise Misfit(message)

    def _add(self, hashed: bytes) -> None:
        for key, tile in self._tree.add(hashed):
            self._check_tile(key, tile)
        self._checkpoints.meet(self._tree)

    def _check_tile(self, key: TileKey, tile: bytes) -> None:
        if self._archive.tile(*key) != tile:
            message = f"The tree is damaged: tile {key[0]}/{key[1]} is not made of what it covers."
            raise Misfit(message)

    def _check_tile_keys(self) -> None:
        for level, place in self._archive.tile_keys():
            hashes = self._tree.size // WIDTH**level if 0 <= level <= HASH_BYTES else 0
            if not 0 <= place < -(-hashes * HASH_BYTES // TILE_BYTES):
                message = f"The tree is damaged: there is a tile {level}/{place} too many."
                raise Misfit(message)

    def _note_ground(self, entry: StoredEntry, read: Mapping[str, Any]) -> None:
        """Take from an entry what later ones are judged by: a key, or that the clock was set."""
        details = read.get("details")
        if not isinstance(details, Mapping):
            return
        if read.get("kind") in KEYS:
            self._checkpoints.learn(entry.leaf, str(details.get("key")), details.get("from"))
        elif read.get("kind") == Act.CLOCK_SET:
            self._checkpoints.step_back(entry.leaf, ClockStep.of(details))

    def _note_removal(self, entry: StoredEntry, read: Mapping[str, Any]) -> None:
        """Take from an entry what was taken out of the journal.

        One that is not sealed yet counts, too: it is stored with the removal, and a process that
        was killed then has left it to the next one to seal.
        """
        if read.get("kind") == Act.ERASED:
            self._erasures.append(Scope(entry.contact, entry.campaign))
        elif read.get("kind") == Act.EXPIRED:
            try:
                self._expired += [(int(one), int(last)) for one, last in read["details"]["leaves"]]
            except (KeyError, TypeError, ValueError):
                message = f"{entry.name} does not say what expired: it was changed."
                raise Misfit(message) from None

    def _check_commitments(self, entry: StoredEntry, read: Mapping[str, Any]) -> None:
        made = read.get("commitments")
        if not made:
            return
        if entry.salt is None:
            self.found.erased += 1
            whose = entry.campaign, entry.contact
            if whose not in self._unopened:  # Its name alone is kept: there may be many.
                self._unopened[whose] = entry.name
        elif not _opens(entry, made):
            message = (
                f"{entry.name} has committed to other notes or custom fields than those of its row."
            )
            raise Misfit(message)
        else:
            self.found.opened += 1


def _read(entry: StoredEntry) -> Mapping[str, Any]:
    """Return an entry, of which the columns say the same as its text."""
    try:
        read = json.loads(entry.text)
        columns = {
            "timestamp": instant.text(entry.at_ms),
            "run_id": entry.run,
            "row_id": entry.row,
            "campaign_id": entry.campaign,
            "contact_id": entry.contact,
        }
        wrong = [name for name, value in columns.items() if read.get(name) != value]
        # SQLite stores what it is given, whatever the type of the column.
        wrong += [] if isinstance(entry.at_ms, int) else ["timestamp"]
        wrong += [] if isinstance(entry.text, str) else ["form"]
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        message = f"{entry.name} cannot be read: it was changed."
        raise Misfit(message) from None
    if wrong:
        message = f"{entry.name} is stored under another {wrong[0]} than it says."
        raise Misfit(message)
    found: Mapping[str, Any] = read
    return found


def _opens(entry: StoredEntry, made: object) -> bool:
    try:
        return commitments(entry.salt, entry.personal) == made
    except (ValueError, TypeError):  # A text that was damaged cannot be encoded; a number is none.
        return False


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found
