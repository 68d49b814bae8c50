"""The two readings of time the simulator needs, in one replaceable place."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where the simulator reads the time; tests move their own."""

    def monotonic(self) -> float:
        """Seconds that only grow: limits, token ages and timelines."""
        ...

    def wall(self) -> float:
        """Seconds since 1970: everything that is written down or sent."""
        ...


class SystemClock:
    """The clock of the operating system."""

    def monotonic(self) -> float:
        """Return the monotonic clock in seconds."""
        return time.monotonic()

    def wall(self) -> float:
        """Return seconds since 1970."""
        return time.time()


def iso_time(wall: float) -> str:
    """Write a wall clock reading as the tenant prints times, with milliseconds and a Z."""
    text = datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
