"""Making proofs: that a row's entries are in the log, that one log begins another, and bundles."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from aftercall.domain.bundle import bundle_lines
from aftercall.domain.commitment import salt_of
from aftercall.domain.disposition import Json
from aftercall.domain.merkle import (
    Subtree,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root,
)
from aftercall.domain.note import Checkpoint, Note, hash_text
from aftercall.domain.tiles import subtrees
from aftercall.errors import AftercallError, JournalError
from aftercall.ports import AuditFilter
from aftercall.ports.audit import AuditArchive, StoredCheckpoint, StoredEntry

TILES_KEPT = 16
"""Tiles that are kept in memory while proofs are made: 128 KiB."""


def latest_checkpoint(archive: AuditArchive) -> StoredCheckpoint:
    """Return the newest checkpoint.

    Raises:
        JournalError: there is none yet.
    """
    found = archive.latest()
    if found is None:
        message = "Nothing in this journal is sealed yet, so there is no checkpoint."
        fix = "Every run seals what it settles; this seals what there is now."
        raise JournalError(message, fix=fix, next_command="aftercall audit seal")
    return found


def prove_row(archive: AuditArchive, row: int, *, disclose: bool = False) -> dict[str, Json]:
    """Return an RFC 6962 inclusion proof for each sealed entry about a row.

    Args:
        archive: the log.
        row: the row's number (`row_id` of its entries).
        disclose: add the entries' texts and what opens their commitments: personal data.

    Raises:
        JournalError: there is no such entry, it is not sealed yet, or it was changed.
    """
    checkpoint = latest_checkpoint(archive)
    entries = archive.of_row(row)
    sealed = [entry for entry in entries if entry.leaf < checkpoint.size]
    if not sealed:
        if entries:
            message = f"The entries about row {row} are not sealed yet."
            raise JournalError(message, fix="Seal them.", next_command="aftercall audit seal")
        message = f"There is no audit entry about row {row}."
        fix = "Entries give the number of their row as row_id."
        raise JournalError(message, fix=fix, next_command="aftercall audit export --format jsonl")
    subtree = _subtrees(archive)
    proofs = [_proof(entry, checkpoint.size, subtree, disclose=disclose) for entry in sealed]
    return {"row_id": row, "checkpoint": checkpoint.note, "proofs": proofs}


def _proof(entry: StoredEntry, size: int, subtree: Subtree, *, disclose: bool) -> dict[str, Json]:
    proof: dict[str, Json] = {
        "leaf": entry.leaf,
        "leaf_hash": hash_text(_hash_as_sealed(entry.leaf, entry.text, subtree)),
        "proof": [hash_text(part) for part in inclusion_proof(entry.leaf, size, subtree)],
    }
    if not disclose:
        return proof
    salt = entry.salt
    openings: Mapping[str, Json] = {
        name: {"salt": salt_of(salt, name).hex(), "value": value}
        for name, value in entry.personal.items()
        if salt is not None
    }
    return {**proof, "entry": entry.text, "openings": openings}


@dataclass(frozen=True, slots=True)
class Consistency:
    """Whether one checkpoint's log begins another's, with the proof.

    Attributes:
        holds: whether it does.
        proof: as RFC 6962 makes it; empty if it does not hold, or both are the same.
    """

    old: Checkpoint
    new: Checkpoint
    holds: bool
    proof: tuple[bytes, ...]

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            "old_size": self.old.size,
            "new_size": self.new.size,
            "consistent": self.holds,
            "proof": [hash_text(part) for part in self.proof],
        }


def compare(archive: AuditArchive, one: Note, other: Note) -> Consistency:
    """Say whether the log of the smaller of two checkpoints begins that of the larger one.

    Raises:
        AftercallError: one of them is larger than the log.
        ValueError: one is no checkpoint.
    """
    old, new = sorted((Checkpoint.parse(one.text), Checkpoint.parse(other.text)), key=_size)
    sealed = latest_checkpoint(archive).size
    if new.size > sealed:
        message = f"A checkpoint has {new.size} entries, but the log only {sealed}."
        fix = "The journal is an older copy, or its end was cut off."
        raise AftercallError(message, fix=fix, next_command="aftercall audit verify")
    subtree = _subtrees(archive)
    fits = all(root(each.size, subtree) == each.root for each in (old, new))
    proof = consistency_proof(old.size, new.size, subtree) if old.size > 0 else []
    fits = fits and is_consistent((old.size, old.root), (new.size, new.root), proof)
    return Consistency(old, new, fits, tuple(proof) if fits else ())


def _size(checkpoint: Checkpoint) -> int:
    return checkpoint.size


def bundle_of(archive: AuditArchive, asked: AuditFilter) -> Iterator[str]:
    """Yield the lines of a bundle with the sealed entries that are asked for.

    Raises:
        JournalError: nothing is sealed yet, there is no such run, or an entry was changed.
    """
    checkpoint = latest_checkpoint(archive)
    subtree = _subtrees(archive)
    chosen = _as_sealed(archive.chosen(asked, checkpoint.size), subtree)
    return bundle_lines(checkpoint.note, checkpoint.size, chosen, subtree)


def _as_sealed(entries: Iterable[tuple[int, str]], subtree: Subtree) -> Iterator[tuple[int, str]]:
    """Pass entries on that are what was sealed: a bundle with another one would not hold.

    Raises:
        JournalError: one is not.
    """
    for leaf, text in entries:
        _hash_as_sealed(leaf, text, subtree)
        yield leaf, text


def _hash_as_sealed(leaf: int, text: str, subtree: Subtree) -> bytes:
    hashed = leaf_hash(text.encode(errors="surrogateescape"))
    if hashed != subtree(0, leaf):
        message = f"Audit entry {leaf} is not what was sealed: nothing can be proved of it."
        fix = "See what else is wrong with the trail; compare with a backup."
        raise JournalError(message, fix=fix, next_command="aftercall audit verify")
    return hashed


def _subtrees(archive: AuditArchive) -> Subtree:
    return subtrees(lru_cache(maxsize=TILES_KEPT)(archive.tile))
