"""No sequence of reservations, used as late as is allowed, ever exceeds the limit."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.pacing import AHEAD_US_MAX, SECOND_US, Pace, Spacing, reserve

START_US = 1_795_428_000 * SECOND_US

rates = st.one_of(
    st.integers(1, 200).map(float),
    st.floats(0.01, 200.0),
    st.sampled_from([0.1, 0.2, 1 / 3, 1_000_000.0]),
)
headrooms = st.one_of(st.just(0.0), st.floats(0.0, 0.5))
paces = st.builds(Pace, rates, headrooms)


@dataclass(frozen=True)
class Step:
    """How much later than the last slot allows the next reservation is made, and how large."""

    idle_us: int
    ahead_share: float
    count: int


steps = st.lists(
    st.builds(
        Step,
        st.one_of(st.just(0), st.integers(0, 3 * SECOND_US)),
        st.floats(0.0, 1.0),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=25,
)


def slots_of(pace: Pace, walk: Sequence[Step]) -> list[int]:
    """Reserve as a lane does: never while what it has lies further ahead than it waits for."""
    slots: list[int] = []
    tat, now = 0, START_US
    for step in walk:
        now = max(now, tat - int(step.ahead_share * AHEAD_US_MAX)) + step.idle_us
        got, reached = reserve(tat, now, step.count, pace.spacing_us)
        assert got.count == step.count
        assert got.first_us >= now
        assert reached == got.first_us + step.count * pace.spacing_us
        slots += [got.first_us + each * got.spacing_us for each in range(got.count)]
        tat = reached
    return slots


def most_in_a_second(moments: Sequence[int]) -> int:
    """Return the most `moments` in any second, of any alignment, its end left out."""
    ordered = sorted(moments)
    start = most = 0
    for end, moment in enumerate(ordered):
        while moment - ordered[start] >= SECOND_US:
            start += 1
        most = max(most, end - start + 1)
    return most


@given(paces, steps)
def test_slots_are_strictly_spaced(pace: Pace, walk: list[Step]) -> None:
    slots = slots_of(pace, walk)
    gaps = [later - earlier for earlier, later in itertools.pairwise(slots)]
    assert all(gap >= pace.spacing_us > 0 for gap in gaps)


@given(paces, steps)
def test_no_second_holds_more_slots_than_the_limit(pace: Pace, walk: list[Step]) -> None:
    assert most_in_a_second(slots_of(pace, walk)) <= math.ceil(pace.per_second)


@given(paces, st.lists(st.one_of(st.just(0), st.integers(0, 3 * SECOND_US)), max_size=80))
def test_whatever_makes_requests_late_they_leave_apart(pace: Pace, late: list[int]) -> None:
    """Each leaves so much later than it may; what was lost is made up for, but never in a bunch."""
    left = departures(pace, late)
    gaps = [later - earlier for earlier, later in itertools.pairwise(left)]
    assert all(gap >= pace.gap_us - pace.jitter_us > 0 or pace.spacing_us < 8_000 for gap in gaps)
    if pace.headroom > 0:
        window_us = int(pace.places * SECOND_US / pace.per_second)
        spans = [later - first for first, later in zip(left, left[pace.places :], strict=False)]
        assert all(span >= window_us for span in spans)


def departures(pace: Pace, late: list[int]) -> list[int]:
    """Let requests leave on slots without end, each some time after it might."""
    spacing = Spacing()
    left: list[int] = []
    for number, more in enumerate(late):
        slot = START_US + number * pace.spacing_us
        now = max(slot, spacing.earliest_us, *left[-1:]) + more
        spacing.leave(now, pace)
        left.append(now)
    return left


@given(paces)
def test_the_average_pace_is_the_limit_less_the_headroom(pace: Pace) -> None:
    reached = SECOND_US / pace.spacing_us
    wanted = pace.per_second * (1.0 - pace.headroom)
    assert reached <= wanted * (1 + 1e-9)
    assert reached >= wanted / (1 + wanted / SECOND_US) * (1 - 1e-9)


@given(paces, st.integers(10, 10**12))
def test_a_clock_set_back_never_stops_a_campaign_for_longer_than_its_slots_reach(
    pace: Pace, back_us: int
) -> None:
    _, tat = reserve(0, START_US + back_us, pace.block, pace.spacing_us)
    slots, _ = reserve(tat, START_US, pace.block, pace.spacing_us)
    longest = AHEAD_US_MAX + pace.block * pace.spacing_us
    assert START_US <= slots.first_us <= START_US + longest
