import pytest

from aftercall.domain.delivery import (
    RETRY_AFTER_SECONDS_MAX,
    SCHEDULE_SECONDS,
    Answer,
    EventState,
    Judgement,
    Signal,
    judge,
    next_delivery_ms,
)

NOW = 1_000_000
LAST = len(SCHEDULE_SECONDS)


def test_deliveries_follow_the_schedule_of_days_and_then_stop() -> None:
    waits = [next_delivery_ms(attempt, 0, 0.0) for attempt in range(1, LAST + 2)]
    assert waits == [seconds * 1000 for seconds in SCHEDULE_SECONDS] + [None]
    assert SCHEDULE_SECONDS == (5, 300, 1800, 7200, 18_000, 36_000, 36_000)


def test_up_to_a_tenth_is_added_at_random_and_a_longer_wait_is_kept() -> None:
    assert next_delivery_ms(1, NOW, 1.0) == NOW + 5500
    assert next_delivery_ms(1, NOW, 0.0, 60.0) == NOW + 60_000
    assert next_delivery_ms(2, NOW, 0.0, 60.0) == NOW + 300_000


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert judge(1, Answer(status), NOW, 0.5) == Judgement(EventState.DELIVERED, None, Signal.UP)


@pytest.mark.parametrize("status", [None, 301, 401, 403, 404, 408, 429, 500, 503])
def test_a_failure_waits_and_speaks_against_the_endpoint(status: int | None) -> None:
    judged = judge(1, Answer(status), NOW, 0.0)
    assert judged == Judgement(EventState.WAITING, NOW + 5000, Signal.DOWN)


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
def test_a_refusal_of_one_event_waits_and_says_that_the_endpoint_works(status: int) -> None:
    judged = judge(2, Answer(status), NOW, 0.0)
    assert judged == Judgement(EventState.WAITING, NOW + 300_000, Signal.UP)


def test_after_the_last_attempt_an_event_is_dead() -> None:
    assert judge(LAST, Answer(500), NOW, 0.0).state is EventState.WAITING
    for status in (None, 400, 500):
        judged = judge(LAST + 1, Answer(status), NOW, 0.0)
        assert (judged.state, judged.due_ms) == (EventState.DEAD, None)


@pytest.mark.parametrize("attempt", [1, LAST + 1])
def test_410_is_about_the_endpoint_and_kills_no_event(attempt: int) -> None:
    judged = judge(attempt, Answer(410, 60.0), NOW, 0.0)
    assert judged == Judgement(EventState.WAITING, NOW, Signal.GONE)


def test_retry_after_moves_the_event_and_pauses_the_endpoint() -> None:
    judged = judge(1, Answer(429, 60.0), NOW, 0.0)
    assert (judged.due_ms, judged.pause_seconds) == (NOW + 60_000, 60.0)
    assert judge(1, Answer(422, 60.0), NOW, 0.0).pause_seconds == 0.0


def test_a_retry_after_of_years_is_cut_to_a_day() -> None:
    judged = judge(1, Answer(503, 1e9), NOW, 0.0)
    assert judged.pause_seconds == RETRY_AFTER_SECONDS_MAX == 86_400
    assert judged.due_ms == NOW + 86_400_000
