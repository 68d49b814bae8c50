"""How old a read may be when something is written over it (G2), and what may be read at once."""

from dataclasses import dataclass

from aftercall.domain.pacing import SECOND_US

FRESH_SECONDS = 2.0
"""A read older than this is made again before anything is written over it."""

WRITTEN_SHARE = 0.8
"""Of the slots within that time, so many are counted on for the contacts of a list."""


@dataclass(frozen=True, slots=True)
class Reads:
    """How contacts are read.

    Attributes:
        list_max: how many contacts one request may name; 1: each is read by itself.
        good_for_seconds: how old a read may be when a write leaves that depends on its ETag.
    """

    list_max: int = 1
    good_for_seconds: float = FRESH_SECONDS

    def in_hand_max(self, spacing_us: int) -> int:
        """Return how many contacts can be written while what was read of them is fresh.

        Args:
            spacing_us: microseconds from one request to the next.
        """
        fresh_us = fresh_seconds(spacing_us, self.good_for_seconds) * SECOND_US
        return max(1, int(WRITTEN_SHARE * fresh_us / spacing_us))

    def list_size(self, spacing_us: int) -> int:
        """Return how many contacts are read at once if enough of them wait."""
        return min(self.list_max, self.in_hand_max(spacing_us))

    def asked_for(self, rows: int, spacing_us: int) -> int:
        """Return how many requests it takes to read the contacts of so many rows."""
        return -(-rows // self.list_size(spacing_us))


def fresh_seconds(spacing_us: int, good_for_seconds: float = FRESH_SECONDS) -> float:
    """Return how old a read may be: at a slow pace the next slot alone is seconds away."""
    return max(good_for_seconds, 2 * spacing_us / SECOND_US)
