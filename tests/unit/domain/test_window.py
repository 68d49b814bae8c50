import pytest

from aftercall.domain.window import (
    LATE_SECONDS_MAX,
    MARGIN_SECONDS,
    PERIOD_SECONDS,
    Travel,
    Window,
)

START = 50.0


def travel_of(seconds: float) -> Travel:
    """Return what is usual after one answer that took `seconds`."""
    travel = Travel()
    travel.took(seconds, START)
    return travel


def full(window: Window, travel: Travel) -> Window:
    """Fill a window with requests 0.1 s apart, each answered as usual."""
    for number in range(window.places):
        trip = window.leave(START + number / 10, travel)
        window.answered(trip, trip.left + travel.usual)
    return window


def test_a_full_window_opens_a_second_after_its_first_request_left() -> None:
    window = full(Window.of(10), travel_of(0.02))
    assert window.opens_in(START + 0.95) == pytest.approx(0.05 + MARGIN_SECONDS)
    assert window.opens_in(START + 1.0 + MARGIN_SECONDS) == 0.0


def test_an_answer_that_took_longer_holds_its_place_for_as_long() -> None:
    window, travel = Window.of(1), travel_of(0.02)
    window.answered(window.leave(START, travel), START + 0.32)
    assert window.opens_in(START + 0.95) == pytest.approx(0.35 + MARGIN_SECONDS)


def test_a_request_without_an_answer_holds_its_place_no_longer_than_that() -> None:
    window = Window.of(1)
    trip = window.leave(START, travel_of(0.02))
    assert window.opens_in(START + 1.1) == pytest.approx(LATE_SECONDS_MAX - 0.1 + MARGIN_SECONDS)
    assert window.opens_in(START + 1.0 + MARGIN_SECONDS + LATE_SECONDS_MAX) == 0.0
    window.answered(trip, START + 30.0)
    assert window.opens_in(START + 30.0) == 0.0


def test_where_answers_take_longer_than_the_window_being_away_shows_nothing() -> None:
    window = Window.of(1)
    window.leave(START, travel_of(1.5))
    assert window.opens_in(START + 1.0 + MARGIN_SECONDS) == 0.0


def test_a_request_that_did_not_leave_gives_its_place_back() -> None:
    window = Window.of(1)
    trip = window.leave(START, travel_of(0.02))
    assert window.opens_in(START) > 0.0
    window.forget(trip)
    assert window.opens_in(START) == 0.0


def test_all_of_the_first_answer_counts_as_late() -> None:
    travel, window = Travel(), Window.of(1)
    window.answered(window.leave(START, travel), START + 0.2)
    assert window.opens_in(START + 1.0) == pytest.approx(0.2 + MARGIN_SECONDS)


def test_what_is_usual_is_the_shortest_answer_of_late_however_many_are_longer() -> None:
    travel = travel_of(0.02)
    for number in range(200):
        travel.took(0.5, START + number / 100)
    assert travel.usual == 0.02


def test_what_is_usual_follows_a_tenant_that_has_become_slower() -> None:
    travel = travel_of(0.02)
    for period in (1, 2):
        travel.took(0.3, START + period * PERIOD_SECONDS)
    assert travel.usual == 0.3
