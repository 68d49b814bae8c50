"""Signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint).

A checkpoint says of a log: its name, how many entries it has, the root of their tree, and (in an
extension line) when that was so. Whoever has kept one can tell later whether the log still begins
with what it held then. The signature is Ed25519, made and checked outside of here.

Everything is read strictly: a text that differs from the one way to write it is refused, so that
no change of a single bit goes unnoticed.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from aftercall.domain import instant

ED25519 = b"\x01"
"""The signature type of Ed25519 in key ids and public keys."""

UNSIGNED_ORIGIN = "aftercall/unsigned"
"""The log's name in checkpoints while it has no key."""

KEY_BYTES = 32
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64

Verify = Callable[[bytes, bytes, bytes], bool]
"""Says whether public key, message and Ed25519 signature belong together."""

_NAME = re.compile(r"[!-*,-~]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_TIME = re.compile(r"time ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z)")


class UnknownKey(ValueError):
    """A note is signed, but by no key that is known."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name of the log that signs with it.

    Its text form is that of signed notes: ``name+key id in hex+base64 of type and key``.
    """

    name: str
    key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand for the key in a signature line."""
        named = self.name.encode() + b"\n" + ED25519 + self.key
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as it is handed to whoever checks signatures."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.key)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key from its text form.

        Raises:
            ValueError: it is none, or was changed.
        """
        name, _, rest = text.partition("+")
        key = _bytes(rest.partition("+")[2])
        found = cls(check_name(name), key[1:])
        if key[:1] != ED25519 or len(found.key) != KEY_BYTES or found.text != text:
            message = "this is no Ed25519 verifier key, or a part of one"
            raise ValueError(message)
        return found


def check_name(name: str) -> str:
    """Return the name of a log or key.

    Raises:
        ValueError: it is empty, too long, or holds a blank, a plus sign or other than ASCII.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name for a key: no blanks, no plus signs, ASCII only"
        raise ValueError(message)
    return name


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def named(self) -> str:
        """The key that is said to have made it, by name and id."""
        return f"{self.name}+{self.key_id.hex()}"

    @property
    def line(self) -> str:
        """The line as it stands in a note."""
        return f"\u2014 {self.name} {_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it; without one it is the bare text."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        if not self.signatures:
            return self.text
        return f"{self.text}\n{''.join(one.line for one in self.signatures)}"

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a note.

        Raises:
            ValueError: it is none, or not written in the one way to write it.
        """
        text, blank, below = written.partition("\n\n")
        note = cls(written) if not blank else cls(f"{text}\n", _signatures(below))
        if str(note) != written or not note.text.endswith("\n"):
            message = "this is no signed note"
            raise ValueError(message)
        return note

    def known(self, keys: Sequence[VerifierKey]) -> "Note":
        """Return the note with the signatures of `keys` alone.

        Signatures of other keys are passed over (c2sp.org/signed-note, "Signatures").

        Raises:
            UnknownKey: it is signed, but by none of them; says by which.
        """
        named = {(key.name, key.key_id) for key in keys}
        kept = tuple(one for one in self.signatures if (one.name, one.key_id) in named)
        if self.signatures and not kept:
            listed = " and ".join(one.named for one in self.signatures)
            message = f"it is signed by {listed}, which is not a known key"
            raise UnknownKey(message)
        return Note(self.text, kept)

    def signers(self, keys: Sequence[VerifierKey], verify: Verify) -> list[VerifierKey]:
        """Return which keys have signed, in the order of the signatures.

        Raises:
            ValueError: a signature is wrong, or by none of `keys`; says which.
        """
        found: list[VerifierKey] = []
        for one in self.signatures:
            signer = next((k for k in keys if (k.name, k.key_id) == (one.name, one.key_id)), None)
            if signer is None:
                message = f"it is signed by {one.named}, which is not a known key"
                raise ValueError(message)
            if not verify(signer.key, self.text.encode(), one.signature):
                message = f"the signature of {one.named} is wrong"
                raise ValueError(message)
            found.append(signer)
        return found


def _signatures(lines: str) -> tuple[Signature, ...]:
    found = []
    for line in lines.split("\n")[:-1]:
        mark, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        blob = _bytes(encoded)
        if mark != "\u2014" or len(blob) != KEY_ID_BYTES + SIGNATURE_BYTES:
            message = "a line below the blank one is no Ed25519 signature"
            raise ValueError(message)
        found.append(Signature(check_name(name), blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:]))
    if not found:
        message = "there is no signature below the blank line"
        raise ValueError(message)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log was at one time.

    Attributes:
        origin: the log's name.
        size: how many entries it had.
        root: the root of their tree.
        at_ms: when that was so, in milliseconds since the epoch.
    """

    origin: str
    size: int
    root: bytes
    at_ms: int

    @property
    def text(self) -> str:
        """The text that is signed."""
        stamp = instant.text(self.at_ms)
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\ntime {stamp}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a checkpoint.

        Raises:
            ValueError: it is none, or not written in the one way to write it.
        """
        lines = text.split("\n")
        stamp = _TIME.fullmatch(lines[3]) if len(lines) == 5 else None
        moment = instant.parse(stamp[1]) if stamp else None
        if moment is None or not _SIZE.fullmatch(lines[1]):
            message = "this is no checkpoint"
            raise ValueError(message)
        found = cls(check_name(lines[0]), int(lines[1]), _bytes(lines[2]), instant.to_ms(moment))
        if found.text != text or len(found.root) != KEY_BYTES:
            message = "this is no checkpoint"
            raise ValueError(message)
        return found


def hash_text(hashed: bytes) -> str:
    """Return a hash as it stands in proofs and bundles: base64."""
    return _base64(hashed)


def hash_bytes(text: str) -> bytes:
    """Read a hash from a proof or bundle.

    Raises:
        ValueError: it is none, or not written in the one way to write it.
    """
    found = _bytes(text)
    if len(found) != KEY_BYTES:
        message = "this is no hash"
        raise ValueError(message)
    return found


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    """Return the bytes of canonical base64: spare bits are zero, nothing else stands in it."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    if not data or _base64(data) != text:
        message = "a part of it is not base64"
        raise ValueError(message)
    return data
