"""An export that proves itself: entries, the hashes of all that lies between them, a checkpoint.

A bundle is JSON Lines. The first line names the format and holds a signed checkpoint. The others
are the log from its beginning to its end, each an entry with its place or the hash of a subtree of
entries that were not asked for::

    {"format":"aftercall-audit-bundle/1","checkpoint":"..."}
    {"leaves":4,"hash":"..."}
    {"leaf":4,"entry":"{...}"}

Put together as RFC 6962 says they give the root of the checkpoint: one pass, no proof per entry.
Every line is written in one way only, so that no change of a single bit goes unnoticed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aftercall.domain.commitment import canonical_json
from aftercall.domain.merkle import (
    EMPTY_ROOT,
    Subtree,
    leaf_hash,
    node_hash,
    range_root,
    split_of,
)
from aftercall.domain.note import (
    Checkpoint,
    Note,
    UnknownKey,
    VerifierKey,
    Verify,
    hash_bytes,
    hash_text,
)

FORMAT = "aftercall-audit-bundle/1"

PROOF_BEGINS = b"{\n"
"""The first line of what `audit prove` prints, which is easily taken for a bundle."""

Entry = tuple[int, str]
"""The place of an entry in the log, from 0, and its text."""


@dataclass(slots=True)
class BundleContent:
    """What a bundle was found to hold.

    Attributes:
        checkpoint: the state of the log that it was checked against.
        signers: the keys that have signed that, of those that are trusted.
        strangers: other keys that are said to have signed it, too; nothing was checked with them.
        entries: how many entries it holds.
        hidden: of how many others it holds but hashes.
    """

    checkpoint: Checkpoint
    signers: Sequence[VerifierKey]
    strangers: Sequence[str] = ()
    entries: int = 0
    hidden: int = 0


class BundleBroken(ValueError):
    """A bundle does not fit together. Its text says what is the first thing that does not."""


class NoBundle(BundleBroken):
    """It is something else that can be checked in another way."""


class BundleForeign(BundleBroken):
    """Its checkpoint is signed, but by none of the keys that are trusted."""


def bundle_lines(note: str, size: int, entries: Iterable[Entry], subtree: Subtree) -> Iterator[str]:
    """Yield the lines of a bundle.

    Args:
        note: the signed checkpoint.
        size: how many entries the log had then.
        entries: what was asked for, in the order of the log.
        subtree: provides the hashes of the rest.
    """
    yield canonical_json({"format": FORMAT, "checkpoint": note})
    if size:
        yield from _pieces(0, size, _Ahead(iter(entries)), subtree)


class _Ahead:
    """Entries, of which the next one can be seen before it is taken."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries
        self.next = next(entries, None)

    def take(self) -> None:
        self.next = next(self._entries, None)


def _pieces(first: int, size: int, ahead: _Ahead, subtree: Subtree) -> Iterator[str]:
    if ahead.next is None or ahead.next[0] >= first + size:
        hashed = hash_text(range_root(first, size, subtree))
        yield canonical_json({"leaves": size, "hash": hashed})
    elif size == 1:
        yield canonical_json({"leaf": ahead.next[0], "entry": ahead.next[1]})
        ahead.take()
    else:
        left = split_of(size)
        yield from _pieces(first, left, ahead, subtree)
        yield from _pieces(first + left, size - left, ahead, subtree)


def check_bundle(
    lines: Iterable[bytes], keys: Sequence[VerifierKey], verify: Verify
) -> BundleContent:
    """Check a bundle against public keys, and say what it holds.

    Args:
        lines: its lines, each with its line feed.
        keys: the keys that are trusted.
        verify: checks a signature.

    Raises:
        BundleBroken: something does not fit; says the first thing.
    """
    reading = _Reading(iter(lines))
    head = reading.take()
    if head is None or list(head) != ["format", "checkpoint"] or head["format"] != FORMAT:
        raise BundleBroken("line 1: this is no bundle of audit entries")
    try:
        note = Note.parse(str(head["checkpoint"]))
        checkpoint = Checkpoint.parse(note.text)
        known = note.known(keys)
        signers = known.signers(keys, verify)
    except ValueError as trouble:
        message = f"line 1: the checkpoint cannot be trusted: {trouble}"
        raise (BundleForeign if isinstance(trouble, UnknownKey) else BundleBroken)(
            message
        ) from None
    if not signers:
        raise BundleBroken("line 1: the checkpoint is not signed")
    strangers = [one.named for one in note.signatures if one not in known.signatures]
    found = BundleContent(checkpoint, signers, strangers)
    reading.advance()
    root = _root(0, checkpoint.size, reading, found) if checkpoint.size else EMPTY_ROOT
    if reading.next is not None:
        message = f"line {reading.number}: the log has only {checkpoint.size} entries"
        raise BundleBroken(message)
    if root != checkpoint.root:
        raise BundleBroken(
            "the entries do not add up to the root of the checkpoint: at least one of them was"
            " changed, put in, left out or moved"
        )
    return found


class _Reading:
    """The lines of a bundle, of which the next one can be seen before it is used."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self.number = 0
        self.next: Mapping[str, Any] | None = None

    def take(self) -> Mapping[str, Any] | None:
        """Read a line; None at the end."""
        raw = next(self._lines, None)
        self.number += 1
        if raw is None:
            return None
        try:
            read = json.loads(raw.decode())
            if (
                isinstance(read, dict)
                and f"{canonical_json(read)}\n".encode() == raw
                # 1.0 and true are equal to 1, and would say the same in other words.
                and all(type(read.get(name, 0)) is int for name in ("leaf", "leaves"))
            ):
                return read
        except (ValueError, RecursionError):
            pass
        if raw == PROOF_BEGINS and self.number == 1:
            raise NoBundle("it is the proof of a row")
        message = f"line {self.number}: it is not written as a line of a bundle is"
        raise BundleBroken(message)

    def advance(self) -> None:
        """Go on to the next line."""
        self.next = self.take()


def _root(first: int, size: int, reading: _Reading, found: BundleContent) -> bytes:
    piece = reading.next
    if piece is None:
        message = f"line {reading.number}: the end is missing, from entry {first} on"
        raise BundleBroken(message)
    names = list(piece)
    if names == ["leaves", "hash"] and piece["leaves"] == size:
        found.hidden += size
        hashed = _hash_of(piece["hash"], reading)
    elif size == 1 and names == ["leaf", "entry"]:
        if piece["leaf"] != first or not isinstance(piece["entry"], str):
            message = f"line {reading.number}: entry {first} should stand here"
            raise BundleBroken(message)
        found.entries += 1
        hashed = leaf_hash(piece["entry"].encode())
    elif size == 1:
        message = f"line {reading.number}: entry {first} or its hash should stand here"
        raise BundleBroken(message)
    else:
        left = split_of(size)
        above = _root(first, left, reading, found)
        return node_hash(above, _root(first + left, size - left, reading, found))
    reading.advance()
    return hashed


def _hash_of(text: object, reading: _Reading) -> bytes:
    try:
        return hash_bytes(str(text))
    except ValueError:
        message = f"line {reading.number}: it holds no hash"
        raise BundleBroken(message) from None
