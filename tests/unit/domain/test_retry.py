import pytest

from aftercall.domain.retry import DeferPolicy, RetryPolicy


def test_waits_are_bounded_by_doubling_bounds_up_to_the_longest() -> None:
    policy = RetryPolicy(wait_seconds_initial=1.0, wait_seconds_max=60.0)
    bounds = [policy.wait_seconds(attempt, 1.0) for attempt in range(1, 10)]
    assert bounds == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.999])
def test_the_jitter_is_full(chance: float) -> None:
    assert RetryPolicy().wait_seconds(3, chance) == pytest.approx(4.0 * chance)


def test_no_count_of_attempts_is_too_large() -> None:
    assert RetryPolicy().wait_seconds(10**9, 1.0) == 60.0
    assert DeferPolicy().wait_seconds(10**9) == 30.0


def test_a_contact_on_a_call_is_looked_at_after_2_then_doubling_up_to_30_seconds() -> None:
    waits = [DeferPolicy().wait_seconds(deferral) for deferral in range(1, 7)]
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_patience_waits_about_as_long_as_was_waited_so_far() -> None:
    policy = RetryPolicy(wait_seconds_initial=1.0, wait_seconds_max=60.0)
    waited = [0.0, 0.4, 5.0, 59.0, 3000.0]
    assert [policy.patience_seconds(one, 1.0) for one in waited] == [1.0, 1.0, 5.0, 59.0, 60.0]
    assert policy.patience_seconds(10.0, 0.0) == 5.0


def test_who_waits_an_hour_for_a_lock_looks_some_dozens_of_times() -> None:
    policy, waited, looks = RetryPolicy(), 0.0, 0
    while waited < 3600.0:
        waited += policy.patience_seconds(waited, 0.5)
        looks += 1
    assert 60 <= looks <= 100
