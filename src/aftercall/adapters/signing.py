"""Ed25519: signing checkpoints, checking them, and the file that holds the private key.

The file is one line, in the form of signed notes: ``PRIVATE+KEY+name+key id+base64`` of the
signature type and the 32 bytes that RFC 8032 calls the private key.
"""

import base64
import errno
import os
import stat
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from aftercall.domain.note import ED25519, VerifierKey, check_name
from aftercall.errors import AftercallError, ConfigInvalid

MODE = 0o600
PREFIX = "PRIVATE+KEY+"
FILE_BYTES_MAX = 4096


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature is right (RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Ed25519Signer:
    """Signs with a private key, which nothing shows."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = VerifierKey(check_name(name), private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str) -> Self:
        """Make a new key.

        Raises:
            ValueError: the name is none.
        """
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key from its text form.

        Raises:
            ValueError: it is none, or was changed.
        """
        name, _, rest = text.removeprefix(PREFIX).partition("+")
        blob = base64.b64decode(rest.partition("+")[2].encode(), validate=True)
        if blob[:1] != ED25519:
            message = "the key is not of type Ed25519"
            raise ValueError(message)
        found = cls(name, Ed25519PrivateKey.from_private_bytes(blob[1:]))
        if found.text != text:
            message = "the key was changed"
            raise ValueError(message)
        return found

    @property
    def text(self) -> str:
        """The key as it stands in its file. A secret."""
        blob = ED25519 + self._private.private_bytes_raw()
        key = self.key
        return f"{PREFIX}{key.name}+{key.key_id.hex()}+{base64.b64encode(blob).decode()}"

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message."""
        return self._private.sign(message)


def load_signer(path: Path) -> Ed25519Signer | None:
    """Read the key in a file; None if there is no such file.

    Raises:
        ConfigInvalid: others can read it, it is a link, or holds no key.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as trouble:
        link = " (it is a symbolic link)" if trouble.errno == errno.ELOOP else ""
        message = f"The audit key {path} cannot be read: {trouble.strerror}{link}."
        raise ConfigInvalid(message, fix="Name the file itself in audit.key_file.") from None
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            message = f"The audit key {path} is not a file."
            raise ConfigInvalid(message, fix="Name the file itself in audit.key_file.")
        if facts.st_mode & 0o077:
            message = f"The audit key {path} can be read by others."
            raise ConfigInvalid(message, fix=f"Take that from them: chmod 600 {path}")
        content = file.read(FILE_BYTES_MAX)
    try:
        return Ed25519Signer.parse(content.decode().removesuffix("\n"))
    except ValueError:
        message = f"{path} holds no audit key, or one that was changed."
        fix = "Restore it from a backup, or name another file in audit.key_file."
        raise ConfigInvalid(message, fix=fix) from None


def write_key(path: Path, signer: Ed25519Signer) -> None:
    """Write a key into a file that there must not be yet, for its owner alone to read.

    Raises:
        AftercallError: there is one, or it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # Opened with its mode and without following links; a path cannot be.
        with open(os.open(path, flags, MODE), "w", encoding="ascii") as file:  # noqa: PTH123
            try:
                file.write(f"{signer.text}\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                path.unlink()  # Half a key is none, and would stand in the way of the next one.
                raise
    except FileExistsError:
        message = f"There is a file {path} already; a key is never overwritten."
        fix = "Keep using it, replace the key in order with --rotate, or name another file."
        command = "aftercall audit keygen --rotate"
        raise AftercallError(message, fix=fix, next_command=command) from None
    except OSError as trouble:
        message = f"The key cannot be written to {path}: {trouble.strerror}."
        raise AftercallError(message, fix="Name another file in audit.key_file.") from None
