"""Counts of what the simulated services were asked and how they answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aftercall.simulator.replies import ABORTED

if TYPE_CHECKING:
    from collections.abc import Iterator


class InFlight:
    """How many requests are being worked on, and the most there ever were."""

    def __init__(self) -> None:
        self.now = 0
        self.peak = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a request while the block runs."""
        self.now += 1
        self.peak = max(self.peak, self.now)
        try:
            yield
        finally:
            self.now -= 1


class Counters:
    """Counts of one run."""

    def __init__(self) -> None:
        self._requests: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._attempts: Counter[int] = Counter()
        self._received_events: set[int] = set()
        self.tenant = InFlight()
        self.crm = InFlight()
        self.tokens_issued = 0
        self.events_received = 0
        self.bad_signatures = 0

    def answered(self, kind: str, status: int) -> None:
        """Count an answer to a request of a kind: GET, PATCH, TOKEN, CRM or another method."""
        self._requests[kind]["aborted" if status == ABORTED else str(status)] += 1

    def event_attempted(self, event: str) -> int:
        """Count a delivery and return the how-manieth of its event it is."""
        key = hash(event)
        self._attempts[key] += 1
        return self._attempts[key]

    def event_received(self, event: str) -> None:
        """Count a delivery that was taken."""
        self.events_received += 1
        self._received_events.add(hash(event))

    def requests(self) -> dict[str, dict[str, int]]:
        """Return the number of tenant requests by method and status."""
        return {kind: dict(by) for kind, by in self._requests.items() if kind != "CRM"}

    def crm_stats(self) -> dict[str, Any]:
        """Return what happened at the CRM."""
        return {
            "received": self.events_received,
            "distinct": len(self._received_events),
            "bad_signatures": self.bad_signatures,
            "in_flight_peak": self.crm.peak,
            "by_status": dict(self._requests["CRM"]),
        }
