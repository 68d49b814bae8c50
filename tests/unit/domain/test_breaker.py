from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.breaker import (
    FAILURES_MAX,
    WAIT_SECONDS_INITIAL,
    WAIT_SECONDS_MAX,
    Breaker,
    failed,
    succeeded,
)

NOW = 1_000_000
FIRST_WAIT_MS = int(WAIT_SECONDS_INITIAL * 1000)


def after_failures(number: int, now_ms: int = NOW) -> Breaker:
    breaker = Breaker()
    for _ in range(number):
        breaker = failed(breaker, now_ms, 0.0)
    return breaker


def test_closed_it_lets_as_many_through_as_may_be_in_flight() -> None:
    assert Breaker().room(NOW, 0, 10) == 10
    assert Breaker().room(NOW, 7, 10) == 3
    assert Breaker().room(NOW, 12, 10) == 0


def test_failures_in_a_row_open_it() -> None:
    nearly = after_failures(FAILURES_MAX - 1)
    assert not nearly.is_open(NOW)
    assert nearly.room(NOW, 0, 10) == 10
    opened = failed(nearly, NOW, 0.0)
    assert opened.until_ms == NOW + FIRST_WAIT_MS
    assert opened.room(NOW, 0, 10) == 0
    assert opened.room(NOW + FIRST_WAIT_MS - 1, 0, 10) == 0


def test_a_success_between_them_starts_the_count_anew() -> None:
    assert succeeded() == Breaker()
    assert not after_failures(FAILURES_MAX - 1).is_open(NOW)


def test_half_open_it_lets_one_probe_through_and_no_second() -> None:
    opened = after_failures(FAILURES_MAX)
    then = NOW + FIRST_WAIT_MS
    assert not opened.is_open(then)
    assert opened.room(then, 0, 10) == 1
    assert opened.room(then, 1, 10) == 0


def test_a_failed_probe_doubles_the_wait_up_to_the_longest() -> None:
    breaker, now, waits = after_failures(FAILURES_MAX), NOW, []
    for _ in range(9):
        assert breaker.until_ms is not None
        waits.append((breaker.until_ms - now) / 1000)
        now = breaker.until_ms
        breaker = failed(breaker, now, 0.0)
    assert waits == [5, 10, 20, 40, 80, 160, WAIT_SECONDS_MAX, WAIT_SECONDS_MAX, WAIT_SECONDS_MAX]


def test_what_left_before_it_opened_does_not_make_the_wait_longer() -> None:
    opened = after_failures(FAILURES_MAX)
    late = failed(opened, NOW + 1000, 0.0)
    assert (late.until_ms, late.openings) == (opened.until_ms, opened.openings)


def test_what_the_endpoint_asks_for_opens_it_at_once_and_is_kept() -> None:
    asked = failed(Breaker(), NOW, 0.0, 60.0)
    assert asked.room(NOW + 59_999, 0, 10) == 0
    assert asked.room(NOW + 60_000, 0, 10) == 1
    longer = failed(after_failures(FAILURES_MAX), NOW, 0.0, 60.0)
    assert longer.until_ms == NOW + 60_000


def test_up_to_a_tenth_is_added_at_random() -> None:
    nearly = after_failures(FAILURES_MAX - 1)
    assert failed(nearly, NOW, 1.0).until_ms == NOW + FIRST_WAIT_MS * 11 // 10


@given(st.lists(st.tuples(st.integers(0, 400_000), st.floats(0, 0.99), st.floats(0, 100))))
def test_an_endpoint_that_only_fails_is_probed_again_before_long(
    failures: list[tuple[int, float, float]],
) -> None:
    breaker, now = Breaker(), NOW
    for passed_ms, chance, pause in failures:
        now += passed_ms
        breaker = failed(breaker, now, chance, pause)
        assert breaker.room(now + int(WAIT_SECONDS_MAX * 1100) + 1, 0, 10) >= 1
