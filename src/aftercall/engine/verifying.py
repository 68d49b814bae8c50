"""Checking a whole audit log: its entries, their tree, every checkpoint, every signature.

Everything is gone through once, in the order of the log and in little memory, and the first thing
that does not fit is told.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aftercall.audit_ports import AuditArchive, StoredCheckpoint, StoredEntry
from aftercall.domain import instant
from aftercall.domain.acts import Act, Scope
from aftercall.domain.commitment import commitments
from aftercall.domain.merkle import leaf_hash
from aftercall.domain.note import UNSIGNED_ORIGIN, Checkpoint, Note, VerifierKey, Verify
from aftercall.domain.tiles import HASH_BYTES, TILE_BYTES, WIDTH, TileKey, TreeBuilder

TOLERANCE_MS = 60_000
"""So far an entry's time may lie outside of the times of the checkpoints before and after it:
clocks are set, and a settlement takes a moment until it is on disk."""


class Misfit(ValueError):
    """Something in the log does not fit. Its text says what is the first thing."""


@dataclass(slots=True)
class Verified:
    """What was found in order.

    Attributes:
        entries: entries whose texts are there and fit.
        expired: entries of which the hash alone is left, as an entry of the log says.
        erased: entries whose personal data was erased, as an entry of the log says.
        opened: entries whose personal data is there and is what they committed to.
        unsealed: entries behind the newest checkpoint.
        checkpoints: how many there are.
        signed: how many of them are signed.
        pinned: how many checkpoints that were kept elsewhere fit.
        latest: the newest checkpoint.
        keys: the keys that signed, in the order of their first signature.
    """

    entries: int = 0
    expired: int = 0
    erased: int = 0
    opened: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    signed: int = 0
    pinned: int = 0
    latest: Checkpoint | None = None
    keys: list[VerifierKey] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known from elsewhere.

    Attributes:
        keys: public keys that are trusted; the log's own, if there are none.
        pinned: checkpoints that were kept elsewhere, oldest first.
        verify: checks a signature.
    """

    keys: Sequence[VerifierKey]
    pinned: Sequence[Note]
    verify: Verify


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
        self._checkpoints = _Checkpoints(archive.checkpoints(), trust, self.found)
        self._gaps: list[tuple[int, int]] = []
        self._expired: list[tuple[int, int]] = []
        self._unopened: dict[tuple[str, str], int] = {}
        self._erasures: list[Scope] = []

    def entries(self) -> None:
        """Go through all entries and, between them, all checkpoints."""
        self._checkpoints.meet(self._tree)
        for entry in self._archive.entries():
            self._pass_gap(min(entry.leaf, self._sealed))
            if entry.leaf < self._tree.size:
                message = f"An entry has the number {entry.leaf}, which no entry can have here."
                raise Misfit(message)
            read = _read(entry)
            hashed = leaf_hash(entry.text.encode(errors="surrogateescape"))
            if entry.leaf < self._sealed:
                self._compare(hashed)
                # What an entry says counts once it is known to be what was sealed.
                self._note_act(entry, read)
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
        for (campaign, contact), leaf in self._unopened.items():
            if not any(scope.covers(campaign, contact) for scope in self._erasures):
                message = (
                    f"The personal data of entry {leaf} (contact {contact}, campaign {campaign})"
                    " is gone, and no entry says that it was erased."
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

    def _compare(self, hashed: bytes) -> None:
        """Compare an entry's hash with the one that is kept."""
        place, offset = divmod(self._tree.size, WIDTH)
        if place != self._leaf_tile[0]:
            self._leaf_tile = place, self._archive.tile(0, place)
        kept = self._leaf_tile[1][offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
        if kept != hashed:
            message = f"Entry {self._tree.size} is not what was sealed: its hash differs."
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

    def _note_act(self, entry: StoredEntry, read: Mapping[str, Any]) -> None:
        """Take from an entry about the log itself what it says of others."""
        details = read.get("details")
        if not isinstance(details, Mapping):
            return
        if read["kind"] in {Act.KEY_ADDED, Act.KEY_ROTATED}:
            self._checkpoints.learn(entry.leaf, str(details.get("key")), details.get("from"))
        elif read["kind"] == Act.EXPIRED:
            self._expired += [(int(first), int(last)) for first, last in details["leaves"]]
        elif read["kind"] == Act.ERASED:
            self._erasures.append(Scope(entry.contact, entry.campaign))

    def _check_commitments(self, entry: StoredEntry, read: Mapping[str, Any]) -> None:
        made = read.get("commitments")
        if not made:
            return
        if entry.salt is None:
            self.found.erased += 1
            self._unopened.setdefault((entry.campaign, entry.contact), entry.leaf)
        elif not _opens(entry, made):
            message = (
                f"The notes or custom fields of row {entry.row} are not those that entry"
                f" {entry.leaf} committed to."
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
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        message = f"Entry {entry.leaf} cannot be read: it was changed."
        raise Misfit(message) from None
    if wrong:
        message = f"Entry {entry.leaf} is stored under another {wrong[0]} than it says."
        raise Misfit(message)
    found: Mapping[str, Any] = read
    return found


def _opens(entry: StoredEntry, made: object) -> bool:
    try:
        return commitments(entry.salt, entry.personal) == made
    except ValueError:  # A text that was damaged cannot be encoded.
        return False


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


class _Checkpoints:
    """The stored checkpoints and those kept elsewhere, met one by one as the tree grows."""

    def __init__(self, stored: Iterator[StoredCheckpoint], trust: Trust, found: Verified) -> None:
        self._stored = stored
        self._next = next(stored, None)
        self._trust = trust
        self._found = found
        self._pinned = [(note, _parsed(note, "that was given")) for note in trust.pinned]
        self._pinned.sort(key=lambda pin: pin[1].size)
        self._known = {key.text: key for key in trust.keys}
        self._in_force: str | None = None
        self._signed_by: dict[str, int] = {}
        self._links: list[tuple[str, str]] = []
        self._rotations: dict[int, tuple[str, str]] = {}
        self._before_ms: int | None = None
        self._last: Note | None = None

    def learn(self, leaf: int, key: str, replaced: object) -> None:
        """Note a key that an entry introduces."""
        try:
            self._known.setdefault(key, VerifierKey.parse(key))
        except ValueError:
            message = f"Entry {leaf} introduces a key that is none."
            raise Misfit(message) from None
        self._in_force = key
        if isinstance(replaced, str):
            self._rotations[leaf + 1] = (replaced, key)

    def check_time(self, entry: StoredEntry) -> None:
        """Check that an entry's time lies between those of the checkpoints around it."""
        before, after = self._before_ms, self._next
        early = before is not None and entry.at_ms < before - TOLERANCE_MS
        late = after is not None and entry.at_ms > after.at_ms + TOLERANCE_MS
        if early or late:
            when = instant.text(before or 0) if early else instant.text(after.at_ms if after else 0)
            side = "came in after" if early else "was sealed at"
            message = (
                f"Entry {entry.leaf} says {instant.text(entry.at_ms)}, but {side} {when}:"
                " its time was changed, or a clock was set."
            )
            raise Misfit(message)

    def meet(self, tree: TreeBuilder) -> None:
        """Check the checkpoints of the tree as it is now."""
        while self._next is not None and self._next.size <= tree.size:
            self._check(self._next, tree)
            self._next = next(self._stored, None)
        while self._pinned and self._pinned[0][1].size == tree.size:
            note, kept = self._pinned.pop(0)
            self._signers(note, kept, "that was given")
            if kept.root != tree.root():
                message = f"The log did not begin like this when it had {kept.size} entries:"
                raise Misfit(f"{message} the checkpoint that was given has another root.")
            self._found.pinned += 1

    def end(self) -> None:
        """Check what only shows when all was read."""
        if self._next is not None:
            message = f"Checkpoint {self._next.number} has more entries than the newest one."
            raise Misfit(message)
        if self._pinned:
            size = self._pinned[0][1].size
            sealed = 0 if self._found.latest is None else self._found.latest.size
            message = (
                f"The checkpoint that was given has {size} entries, the log only {sealed}:"
                " its end was cut off."
            )
            raise Misfit(message)
        trusted = self._trusted()
        for key, number in self._signed_by.items():
            if key not in trusted:
                message = f"Checkpoint {number} is signed by {key}, which nothing leads to from"
                raise Misfit(f"{message} the key that is trusted.")
        if (
            self._last is not None
            and not self._last.signatures
            and (self._trust.keys or self._in_force)
        ):
            raise Misfit("The newest checkpoint is not signed, though there is a key.")

    def _trusted(self) -> set[str]:
        """Return the keys that are trusted, or that rotations lead to from there."""
        trusted = {key.text for key in self._trust.keys} or set(self._known)
        while more := {
            one
            for link in self._links
            for one in link
            if not trusted.isdisjoint(link) and one not in trusted
        }:
            trusted |= more
        return trusted

    def _check(self, stored: StoredCheckpoint, tree: TreeBuilder) -> None:
        which = f"{stored.number}"
        if stored.number != self._found.checkpoints + 1:
            message = f"Checkpoint {self._found.checkpoints + 1} is missing."
            raise Misfit(message)
        try:
            note = Note.parse(stored.note)
        except ValueError as trouble:
            message = f"Checkpoint {which} was changed: {trouble}."
            raise Misfit(message) from None
        checkpoint = _parsed(note, which)
        if (checkpoint.size, checkpoint.at_ms) != (stored.size, stored.at_ms):
            message = f"Checkpoint {which} is stored under another size or time than it says."
            raise Misfit(message)
        if stored.size != tree.size:
            message = f"Checkpoint {which} has fewer entries than the one before it."
            raise Misfit(message)
        signers = self._signers(note, checkpoint, which)
        if checkpoint.root != tree.root():
            message = (
                f"Checkpoint {which} does not fit: the first {stored.size} entries have another"
                " root."
            )
            raise Misfit(message)
        if self._before_ms is not None and stored.at_ms < self._before_ms - TOLERANCE_MS:
            message = f"Checkpoint {which} is older than the one before it."
            raise Misfit(message)
        for key in signers:
            self._signed_by.setdefault(key.text, stored.number)
            if key not in self._found.keys:
                self._found.keys.append(key)
        link = self._rotations.get(stored.size)
        if link is not None and set(link) <= {key.text for key in signers}:
            self._links.append(link)
        self._before_ms, self._last = stored.at_ms, note
        self._found.checkpoints += 1
        self._found.signed += bool(signers)
        self._found.latest = checkpoint

    def _signers(self, note: Note, checkpoint: Checkpoint, which: str) -> list[VerifierKey]:
        try:
            signers = note.signers(list(self._known.values()), self._trust.verify)
        except ValueError as trouble:
            message = f"Checkpoint {which} cannot be trusted: {trouble}."
            raise Misfit(message) from None
        names = {key.name for key in signers} or {UNSIGNED_ORIGIN}
        if names != {checkpoint.origin}:
            message = f"Checkpoint {which} is of a log of another name than its signature."
            raise Misfit(message)
        return signers


def _parsed(note: Note, which: str) -> Checkpoint:
    try:
        return Checkpoint.parse(note.text)
    except ValueError as trouble:
        message = f"Checkpoint {which} was changed: {trouble}."
        raise Misfit(message) from None
