"""The circuit breaker of an endpoint: when it may be called, a pure function of what came back.

Closed, it lets everything through. Failures in a row open it: nothing leaves. After a wait it is
half open: one event goes as a probe, whose success closes it and whose failure doubles the wait.
An event that is held back is not tried, so its own schedule is not used up by an outage.
"""

from dataclasses import dataclass, replace

FAILURES_MAX = 5
WAIT_SECONDS_INITIAL = 5.0
WAIT_SECONDS_MAX = 300.0
JITTER_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state of one endpoint.

    Attributes:
        failures: attempts that failed in a row.
        openings: how often it has opened in a row, probes included.
        until_ms: nothing leaves before; None while it is closed.
    """

    failures: int = 0
    openings: int = 0
    until_ms: int | None = None

    def room(self, now_ms: int, in_flight: int, concurrency: int) -> int:
        """Return how many more deliveries may leave now."""
        if self.until_ms is None:
            return max(0, concurrency - in_flight)
        if now_ms < self.until_ms:
            return 0
        return 0 if in_flight else 1

    def is_open(self, now_ms: int) -> bool:
        """Say whether nothing may leave now, not even a probe."""
        return self.until_ms is not None and now_ms < self.until_ms


def succeeded() -> Breaker:
    """Return the breaker of an endpoint that has just answered as it should."""
    return Breaker()


def failed(before: Breaker, now_ms: int, chance: float, pause_seconds: float = 0.0) -> Breaker:
    """Return the breaker after a failure.

    Args:
        before: as it was.
        now_ms: the time.
        chance: uniform in [0, 1); up to a tenth is added to a wait.
        pause_seconds: how long the endpoint itself asked to be left alone; opens it at once.
    """
    counted = replace(before, failures=before.failures + 1)
    asked_until = now_ms + int(pause_seconds * 1000) if pause_seconds else None
    if before.is_open(now_ms):
        # It left before the breaker opened: that it failed as well is no news.
        until = max(before.until_ms or 0, asked_until or 0)
        return replace(counted, until_ms=until)
    half_open = before.until_ms is not None
    if not half_open and counted.failures < FAILURES_MAX:
        return replace(counted, until_ms=asked_until)
    wait = min(WAIT_SECONDS_MAX, WAIT_SECONDS_INITIAL * 2.0 ** min(before.openings, 30))
    until = now_ms + int(wait * 1000 * (1.0 + JITTER_SHARE * chance))
    return replace(counted, openings=before.openings + 1, until_ms=max(until, asked_until or 0))
