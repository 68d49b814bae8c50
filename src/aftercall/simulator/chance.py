"""Seeded randomness that does not depend on the order of events."""

from __future__ import annotations

from hashlib import blake2b

_SPAN = float(1 << 64)


def chance(*parts: object) -> float:
    """Return a number in [0, 1) that is a pure function of the parts.

    The built-in ``hash`` is salted per process, so a digest of the printed parts is used: the
    same seed gives the same run tomorrow and on another computer.
    """
    digest = blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN
