"""The pace gives way to a tenant that refuses it, settles near what it grants, and comes back."""

import math
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.easing import (
    CAREFUL_SECONDS,
    FORGIVEN_SECONDS,
    LEAST,
    Easing,
)
from aftercall.domain.pacing import Pace

CONFIGURED = Pace(10.0, headroom=0.05)
PAUSE_SECONDS = 1.0


def refused_after(gaps: list[float]) -> tuple[Easing, float]:
    """Return what refusals, each so long after the one before, make of a fresh pace, and when."""
    eased, now = Easing(), 1000.0
    for gap in gaps:
        now += gap
        eased = eased.at(now).refused(now)
    return eased, now


def an_hour(grants: float, *, easing: bool) -> tuple[int, int]:
    """Send at our pace to a strict tenant for an hour; return how much it took and refused."""
    eased, now, taken, refused = Easing(), 0.0, 0, 0
    recent: deque[float] = deque()
    while now < 3600.0:
        eased = eased.at(now) if easing else eased
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        if len(recent) < grants:
            recent.append(now)
            taken += 1
            now += eased.of(CONFIGURED).spacing_us / 1e6
        else:
            refused += 1
            eased = eased.refused(now) if easing else eased
            now += PAUSE_SECONDS
    return taken, refused


@given(st.lists(st.floats(0.0, 300.0), max_size=30), st.floats(0.0, 3600.0))
def test_the_share_stays_in_bounds_and_only_time_raises_it(gaps: list[float], wait: float) -> None:
    eased, now = refused_after(gaps)
    later = eased.at(now + wait)

    assert LEAST <= eased.share <= later.share <= 1.0
    assert eased.refused(now).share <= eased.share
    assert later.at(now + wait) == later
    assert math.isclose(eased.at(now + wait / 2).at(now + wait).share, later.share)


@given(st.lists(st.floats(0.0, 300.0), max_size=30))
def test_the_whole_pace_comes_back_for_good(gaps: list[float]) -> None:
    eased, now = refused_after(gaps)

    assert eased.at(now + 25 * CAREFUL_SECONDS).of(CONFIGURED) == CONFIGURED


@given(st.floats(FORGIVEN_SECONDS + 1, 1e6))
def test_a_refusal_now_and_then_costs_nothing(gap: float) -> None:
    eased, _ = refused_after([gap] * 5)

    assert eased.of(CONFIGURED) == CONFIGURED


@given(st.integers(2, 9))
def test_a_lower_limit_is_found_and_kept_to(grants: int) -> None:
    taken, refused = an_hour(grants, easing=True)
    _, refused_without = an_hour(grants, easing=False)

    assert taken >= 0.80 * 3600 * grants
    assert refused <= 70
    assert refused <= refused_without / 10


def test_near_what_was_refused_the_pace_rises_carefully() -> None:
    eased = Easing().refused(0.0).refused(1.0).refused(2.0)
    steps = [now for now in range(3, 400) if eased.at(now).share > eased.at(now - 1).share]

    # From 0.64, refused at 0.8: to 0.69 quickly, past 0.72 a step a minute, and past 0.89 quickly.
    assert steps == [7, 67, 127, 187, 247, 252, 257, 262]
