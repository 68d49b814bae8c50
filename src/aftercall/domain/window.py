"""What the tenant may have counted within its last second, judged by when it answered.

A tenant that counts strictly counts a request when it arrives. We only know when it left and when
the answer came; whatever held it up on the way (a stall of the network, of the tenant or of this
process) moved its arrival later, and into the same second as requests that left after it. An
answer that took longer than usual may have arrived that much later, so its place in the window is
given back that much later. Evenly spaced slots alone cannot know this.

All times are seconds on a clock that is never set back.
"""

import heapq
import math
from collections import deque
from dataclasses import dataclass, field

LATE_SECONDS_MAX = 1.0
"""More than this is taken for slow work of the tenant and not for a late arrival."""

MARGIN_SECONDS = 0.005
"""Added to every span: clocks are not exact, and the shortest answer is seldom the one at hand."""

PERIOD_SECONDS = 10.0
"""How long the shortest answer is remembered at least."""


@dataclass(slots=True)
class Travel:
    """How long the answer to a request takes if nothing holds it up: the least of late.

    One stall holds up all that is under way, so no average of answers would show it.
    """

    _since: float = -math.inf
    _least: float = math.inf
    _least_before: float = math.inf

    @property
    def usual(self) -> float:
        """Seconds from leaving to the answer.

        It is 0 while nothing was answered, so that all of the first answer's time, in which a
        connection was made, counts as late.
        """
        least = min(self._least, self._least_before)
        return 0.0 if math.isinf(least) else least

    def took(self, seconds: float, now: float) -> None:
        """Learn from an answer that took `seconds` and came at `now`."""
        if now - self._since >= PERIOD_SECONDS:
            self._since, self._least_before, self._least = now, self._least, math.inf
        self._least = min(self._least, seconds)


@dataclass(slots=True)
class Trip:
    """One request on its way.

    Attributes:
        left: when it left.
        travel: what is usual for its kind.
        away: it holds its place until it is answered, or is too late to matter.
    """

    left: float
    travel: Travel
    away: bool = True


@dataclass(slots=True)
class Window:
    """The places of one campaign's window: `places` requests in any `span` seconds.

    Attributes:
        places: how many requests the tenant lets through in one span.
        span: the length of the tenant's window in seconds.
    """

    places: int
    span: float
    _away: deque[Trip] = field(default_factory=deque)
    _count_away: int = 0
    _taken_until: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, per_second: float) -> "Window":
        """Return the window of a limit; one below a request a second spans more than a second."""
        places = max(1, int(per_second))
        return cls(places, places / per_second)

    def leave(self, now: float, travel: Travel) -> Trip:
        """Take a place for a request that leaves now."""
        trip = Trip(now, travel)
        self._away.append(trip)
        self._count_away += 1
        return trip

    def answered(self, trip: Trip, now: float) -> None:
        """Note an answer: the place is taken until a span after the latest possible arrival."""
        took = now - trip.left
        if trip.away:
            late = min(max(0.0, took - trip.travel.usual), LATE_SECONDS_MAX)
            heapq.heappush(self._taken_until, trip.left + self.span + MARGIN_SECONDS + late)
            self._drop(trip)

    def forget(self, trip: Trip) -> None:
        """Give the place of a request back that did not leave after all."""
        if trip.away:
            self._drop(trip)

    def opens_in(self, now: float) -> float:
        """Return the seconds until a place is free, 0 if one is; an answer may free it sooner."""
        taken = self._taken_until
        while taken and taken[0] <= now:
            heapq.heappop(taken)
        while self._away and (not self._away[0].away or self._lost(self._away[0]) <= now):
            trip = self._away.popleft()
            if trip.away:
                trip.away = False
                self._count_away -= 1
        if len(taken) + self._count_away < self.places:
            return 0.0
        soonest = [self._lost(self._away[0])] if self._away else []
        return min(soonest + taken[:1]) - now

    def _drop(self, trip: Trip) -> None:
        trip.away = False
        self._count_away -= 1

    def _lost(self, trip: Trip) -> float:
        """Return when an unanswered request holds its place no longer.

        One whose answer usually takes longer than the window shows nothing by being away.
        """
        late = 0.0 if trip.travel.usual >= self.span else LATE_SECONDS_MAX
        return trip.left + self.span + MARGIN_SECONDS + late
