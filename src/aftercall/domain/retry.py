"""When a row or a delivery is tried again: pure functions of a policy, a count and a chance."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often something that failed is tried again.

    Attributes:
        attempts_max: tries that may fail before a row is failed.
        wait_seconds_initial: the upper bound of the first wait.
        wait_seconds_max: the upper bound of any wait.
        elapsed_seconds_max: how long after its first try a row may still be tried again.
    """

    attempts_max: int = 6
    wait_seconds_initial: float = 1.0
    wait_seconds_max: float = 60.0
    elapsed_seconds_max: float = 3600.0

    def wait_seconds(self, attempt: int, chance: float) -> float:
        """Return how long to wait after failed attempt number `attempt` (from 1).

        Exponential with full jitter: uniform between 0 and the bound, so that rows which failed
        together do not come back together. `chance` is uniform in [0, 1).
        """
        # 2**63 seconds are past any bound; the cap keeps the power from growing without limit.
        bound = min(self.wait_seconds_max, self.wait_seconds_initial * 2.0 ** min(attempt - 1, 63))
        return bound * chance

    def patience_seconds(self, waited_seconds: float, chance: float) -> float:
        """Return how long to wait on for what is no failure, such as a lock that somebody holds.

        About as long as was waited so far, up to the bound: attempts do not count here, and a row
        that came back at once every time would use its campaign's pace up for nothing.
        """
        wait = min(self.wait_seconds_max, max(self.wait_seconds_initial, waited_seconds))
        return wait * (1.0 + chance) / 2


@dataclass(frozen=True, slots=True)
class DeferPolicy:
    """How often a contact that is on a call is looked at again, and for how long."""

    wait_seconds_initial: float = 2.0
    wait_seconds_max: float = 30.0
    elapsed_seconds_max: float = 900.0

    def wait_seconds(self, deferral: int) -> float:
        """Return the wait after deferral number `deferral` (from 1): doubling, then level."""
        return min(self.wait_seconds_max, self.wait_seconds_initial * 2.0 ** min(deferral - 1, 63))
