"""Whatever holds requests up on their way, the tenant never counts more than its limit."""

import heapq
import math
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.window import LATE_SECONDS_MAX, Travel, Trip, Window

ROUND_TRIP = 0.02
ROUNDING = 1e-9


@dataclass(frozen=True)
class Sent:
    """How long after the last request the next is ready, and what holds it up on either way."""

    pause: float
    out: float
    back: float


delays = st.one_of(st.just(0.0), st.just(0.0), st.floats(0.0, LATE_SECONDS_MAX / 2))
walks = st.lists(st.builds(Sent, st.floats(0.0, 0.2), delays, delays), min_size=1, max_size=80)


def arrivals(window: Window, walk: list[Sent]) -> list[float]:
    """Send as a lane does and return when each request arrived."""
    travel = Travel()
    travel.took(ROUND_TRIP, 0.0)
    now = 100.0
    counted: list[float] = []
    answers: list[tuple[float, int, Trip]] = []
    for number, sent in enumerate(walk):
        ready = now + sent.pause
        while True:
            while answers and answers[0][0] <= ready:
                at, _, trip = heapq.heappop(answers)
                window.answered(trip, at)
            wait = window.opens_in(ready)
            if wait <= 0:
                break
            # Whichever comes first: the place is free, or an answer says more.
            ready = min([ready + wait + ROUNDING] + [at for at, _, _ in answers[:1]])
        now = ready
        trip = window.leave(now, travel)
        counted.append(now + ROUND_TRIP / 2 + sent.out)
        heapq.heappush(answers, (counted[-1] + ROUND_TRIP / 2 + sent.back, number, trip))
    return sorted(counted)


@given(st.sampled_from([1.0, 2.5, 10.0, 50.0]), walks)
def test_no_window_of_the_tenant_holds_more_than_its_places(
    per_second: float, walk: list[Sent]
) -> None:
    window = Window.of(per_second)
    counted = arrivals(window, walk)
    for first, later in zip(counted, counted[window.places :], strict=False):
        assert later - first >= window.span - ROUNDING


@given(st.floats(0.01, 1000.0))
def test_the_places_of_a_window_are_the_rate(per_second: float) -> None:
    window = Window.of(per_second)
    assert window.places >= 1
    assert math.isclose(window.places / window.span, per_second)
