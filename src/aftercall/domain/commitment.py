"""Commitments: what stands in an audit entry for personal data, which itself can be erased.

A commitment binds an entry to a value without showing it: the SHA-256 of a salt and the value.
Whoever is given both, the *opening*, can check it; without the salt, which is random, even a value
that is easy to guess cannot be found out. To erase a person is to destroy the openings: entries,
their hashes and every proof stay as they were.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping

from aftercall.domain.disposition import Json

SALT_BYTES = 32


def canonical_json(value: Json) -> str:
    """Return the one text form of `value`: the order of its fields kept, no white space."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def salt_of(row_salt: bytes, name: str) -> bytes:
    """Return the salt of one field: to open one of them tells nothing about the others.

    It is HMAC-SHA-256 of the field's name under the row's own random salt (RFC 2104).
    """
    # Not `hmac.digest`, which lets go of the interpreter for a microsecond's work.
    return hmac.new(row_salt, name.encode(), "sha256").digest()


def commitment(salt: bytes, value: Json) -> str:
    """Return the hex SHA-256 of `salt` and the canonical JSON of `value`."""
    return hashlib.sha256(salt + canonical_json(value).encode()).hexdigest()


def commitments(row_salt: bytes | None, personal: Mapping[str, Json]) -> dict[str, str]:
    """Return the commitment to each of a row's personal fields, by name.

    A row whose salt was destroyed, or that was stored before there were salts, has none.
    """
    if row_salt is None:
        return {}
    return {name: commitment(salt_of(row_salt, name), value) for name, value in personal.items()}


def opens(committed: str, salt: bytes, value: Json) -> bool:
    """Say whether `salt` and `value` are what `committed` was made of."""
    return hmac.compare_digest(committed, commitment(salt, value))
