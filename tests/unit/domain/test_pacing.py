import pytest

from aftercall.domain.pacing import AHEAD_US_MAX, SECOND_US, Pace, Slots, reserve, seconds_at_least

NOW = 1_795_428_000 * SECOND_US


@pytest.mark.parametrize(
    ("per_second", "headroom", "spacing"),
    [(10, 0.05, 105_264), (10, 0.0, 100_000), (3, 0.0, 333_334), (0.1, 0.0, 10_000_000)],
)
def test_slots_are_spaced_so_that_the_rate_is_never_exceeded(
    per_second: float, headroom: float, spacing: int
) -> None:
    assert Pace(per_second, headroom).spacing_us == spacing


def test_a_slot_may_be_half_of_the_slack_late() -> None:
    # Ten slots span 1.05264 s, so the eleventh is 52.64 ms too many; half of them are ours.
    assert Pace(10, 0.05).late_us_max == 26_320


def test_without_headroom_lateness_is_made_up_for() -> None:
    assert Pace(10, 0.0).late_us_max == SECOND_US


def test_no_slot_is_more_than_half_a_second_late_however_large_the_headroom() -> None:
    assert Pace(10, 0.9).late_us_max == SECOND_US // 2


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
