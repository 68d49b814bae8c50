import pytest

from aftercall.domain.pacing import (
    AHEAD_US_MAX,
    SECOND_US,
    Pace,
    Slots,
    Spacing,
    reserve,
    seconds_at_least,
)

NOW = 1_795_428_000 * SECOND_US


@pytest.mark.parametrize(
    ("per_second", "headroom", "spacing"),
    [(10, 0.05, 105_264), (10, 0.0, 100_000), (3, 0.0, 333_334), (0.1, 0.0, 10_000_000)],
)
def test_slots_are_spaced_so_that_the_rate_is_never_exceeded(
    per_second: float, headroom: float, spacing: int
) -> None:
    assert Pace(per_second, headroom).spacing_us == spacing


@pytest.mark.parametrize(
    ("per_second", "headroom", "jitter"),
    [
        (10, 0.05, 26_316),  # a quarter of the spacing, of which ten slots have half to spare
        (10, 0.01, 5_055),
        (200, 0.05, 2_000),  # no more than a timer may be late: slots are 5.3 ms apart
        (0.1, 0.05, 263_158),
        (10, 0.0, 25_000),
        (10, 0.9, 250_000),
    ],
)
def test_how_late_a_request_may_be_that_moves_no_other(
    per_second: float, headroom: float, jitter: int
) -> None:
    assert Pace(per_second, headroom).jitter_us == jitter


@pytest.mark.parametrize(("headroom", "gap"), [(0.05, 102_632), (0.0, 75_000), (0.5, 150_000)])
def test_lateness_is_made_up_for_with_half_of_the_headroom(headroom: float, gap: int) -> None:
    assert Pace(10, headroom).gap_us == gap


def test_what_left_in_time_does_not_hold_the_next_slot_up() -> None:
    pace, spacing = Pace(10, 0.05), Spacing()
    spacing.leave(NOW, pace)
    assert spacing.earliest_us < NOW + pace.spacing_us


def test_what_was_late_is_followed_at_a_distance_and_then_closer_than_slots() -> None:
    pace, spacing = Pace(10, 0.05), Spacing()
    spacing.leave(NOW, pace)
    spacing.leave(NOW + 500_000, pace)
    assert spacing.earliest_us == NOW + 500_000 - pace.jitter_us + pace.gap_us
    spacing.leave(spacing.earliest_us, pace)
    assert spacing.earliest_us == NOW + 500_000 - pace.jitter_us + 2 * pace.gap_us


def test_what_was_let_out_and_left_only_later_counts_from_then_on() -> None:
    pace, spacing = Pace(10, 0.05), Spacing()
    spacing.leave(NOW, pace)
    spacing.left(NOW + 1, pace)
    spacing.left(NOW + 300_000, pace)
    assert spacing.earliest_us == NOW + 300_000 - pace.jitter_us + pace.gap_us


@pytest.mark.parametrize(
    ("per_second", "block"), [(0.1, 1), (1, 1), (10, 5), (200, 100), (10**6, 1000)]
)
def test_a_block_is_half_a_second_and_bounded(per_second: float, block: int) -> None:
    assert Pace(per_second).block == block


def test_an_idle_limiter_gives_slots_from_now_on() -> None:
    assert reserve(0, NOW, 3, 100) == (Slots(NOW, 3, 100), NOW + 300)


def test_a_busy_limiter_goes_on_where_it_stopped() -> None:
    assert reserve(NOW + 250, NOW, 2, 100) == (Slots(NOW + 250, 2, 100), NOW + 450)


def test_a_clock_that_was_set_back_does_not_stop_the_campaign() -> None:
    an_hour = 3600 * SECOND_US
    slots, tat = reserve(NOW + an_hour, NOW, 1, 100)
    assert (slots.first_us, tat) == (NOW, NOW + 100)


def test_a_limit_of_less_than_one_request_in_five_seconds_is_kept() -> None:
    spacing = Pace(0.1, 0.0).spacing_us
    first, tat = reserve(0, NOW, 1, spacing)
    second, _ = reserve(tat, NOW + 1, 1, spacing)
    assert second.first_us - first.first_us == spacing
    assert spacing > AHEAD_US_MAX


def test_what_is_left_takes_as_long_as_the_slowest_campaign_or_the_whole() -> None:
    paces = {"BIG": Pace(10, 0.0), "SLOW": Pace(1, 0.0)}
    requests = {"BIG": 100, "SLOW": 20}
    assert seconds_at_least(requests, paces.__getitem__, None) == 20
    assert seconds_at_least({"BIG": 300, "SLOW": 20}, paces.__getitem__, None) == 30
    assert seconds_at_least(requests, paces.__getitem__, Pace(4, 0.0)) == 30
    assert seconds_at_least({}, paces.__getitem__, Pace(4, 0.0)) == 0
