"""A clock that remembers the latest that it said, and whether it was set back since."""

from aftercall.domain.acts import ClockStep
from aftercall.ports import Clock
from aftercall.ports.audit import CLOCK_GRAIN_MS


class WatchedClock:
    """Says what another clock says; all that stamps audit entries reads the time through it.

    Only so a step is seen that lies between two seals, over before the second.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest_ms = 0
        self._step: ClockStep | None = None
        self._offered: ClockStep | None = None

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        now_us = self._clock.now_us()
        now_ms = now_us // 1000
        if now_ms >= self._latest_ms:
            self._latest_ms = now_ms
        else:
            self._note_step(now_ms)
        return now_us

    def seconds(self) -> float:
        """Return seconds on a clock that is never set back."""
        return self._clock.seconds()

    def step_since(self, known_ms: int) -> ClockStep | None:
        """Return how the clock was set back, from the latest to the earliest that it said.

        Args:
            known_ms: the latest time of day that others know of, in ms since the epoch; it may
                have been `CLOCK_GRAIN_MS` later.
        """
        now_ms = self.now_us() // 1000
        self._offered = self._step
        earliest_ms = now_ms if self._step is None else min(self._step.to_ms, now_ms)
        found = ClockStep.found(max(self._latest_ms, known_ms + CLOCK_GRAIN_MS), earliest_ms)
        return found and ClockStep(max(self._latest_ms, known_ms), earliest_ms)

    def recorded(self) -> None:
        """Forget what came before the last `step_since`: it is on record now."""
        now_ms = self.now_us() // 1000
        if self._step is self._offered:
            self._step, self._latest_ms = None, now_ms

    def _note_step(self, now_ms: int) -> None:
        step = ClockStep.found(self._latest_ms, now_ms)
        if step is not None and (self._step is None or step.to_ms < self._step.to_ms):
            self._step = step
