"""Histories of the real engine in a simulated world: a few hundred each time, many in the soak."""

import warnings
from dataclasses import replace

import pytest

from .__main__ import explained
from .history import (
    HUGE_AND_SMALL,
    LIST_FAULTS,
    Call,
    End,
    Fault,
    History,
    Jump,
    Row,
    Touch,
    history_of,
)
from .play import play
from .shrink import smaller_ones

CHUNKS = 8
HISTORIES = 400


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_history_breaks_a_guarantee(chunk: int, soak_factor: int) -> None:
    warnings.simplefilter("ignore", RuntimeWarning)
    count = HISTORIES * soak_factor // CHUNKS
    requests = 0
    for seed in range(chunk * count, (chunk + 1) * count):
        outcome = play(history_of(seed))
        requests += outcome.requests
        assert outcome.broken is None, explained(outcome)
    assert requests > count, "hardly anything was sent"


@pytest.mark.parametrize("seed", [713, 5423])
def test_a_sign_in_that_is_given_up_prints_no_traceback(seed: int) -> None:
    """It failed in the very turn in which its run was stopped, and nobody took its failure."""
    outcome = play(history_of(seed))

    assert outcome.broken is None, explained(outcome)


def test_a_pause_dies_with_the_process_that_was_just_storing_it() -> None:
    """Its successor came later than a second, but it had died within one."""
    outcome = play(history_of(38180))

    assert outcome.broken is None, explained(outcome)


def test_an_outcome_that_was_there_before_is_taken_for_the_landing_of_a_row_in_doubt() -> None:
    """Where the tenant tells no time; docs/reliability.md says so."""
    outcome = play(
        History(
            seed=29726,
            surface="acd",
            inputs=(
                (Row("C0", "k3", "INTERESTED", minute=5),),
                (Row("C0", "k3", "INTERESTED", minute=None),),
            ),
            ends=(End(1, "full", 2), End(2, "step", 40)),
        )
    )

    assert outcome.broken is None, explained(outcome)
    assert outcome.statuses == {"applied written": 1, "applied read_back": 1}


def test_a_shorter_history_still_has_an_input_to_begin_with() -> None:
    assert all(shorter.inputs for shorter in smaller_ones(history_of(713)))


def test_the_same_seed_is_the_same_history() -> None:
    warnings.simplefilter("ignore", RuntimeWarning)
    for seed in range(20):
        one, other = play(history_of(seed)), play(history_of(seed))
        assert one == other
    assert history_of(3) != history_of(4)


def test_the_histories_have_everything_in_them() -> None:
    """What is never tried proves nothing: a few hundred seeds together try all kinds."""
    histories = [history_of(seed) for seed in range(2000)]
    kinds = {(one.method, one.kind) for history in histories for one in history.faults}
    ends = {one.kind for history in histories for one in history.ends}

    assert {kind for method, kind in kinds if method == "PATCH"} >= {
        "reset", "reset_after", "timeout", "error_after", "late", "forgets", "twice_later",
        "conflict", "unauthorized", "throttle", "says_failure_after", "garbage_after",
    }  # fmt: skip
    assert {kind for method, kind in kinds if method == "BULK"} >= {*LIST_FAULTS, "stale", "slow"}
    assert {method for method, _ in kinds} == {"GET", "PATCH", "POST", "CRM", "BULK"}
    assert ends == {"step", "statement", "committed", "full", "locked", "stop"}
    assert {history.surface for history in histories} == {"outbound-v1", "acd", "lists"}
    assert any(history.jumps for history in histories)
    assert any(history.outages for history in histories)


A = Row("C0", "k1", "INTERESTED")
B = Row("C0", "k2", "CALL_BACK", minute=4)
C = Row("C0", "k3", "DO_NOT_CALL", "a2", 2)


@pytest.mark.parametrize("count", range(3, 20))
@pytest.mark.parametrize("kind", ["full", "locked", "committed"])
def test_a_commit_that_fails_is_told_and_stops_nothing_for_ever(kind: str, count: int) -> None:
    """One that failed while only a lane waited for it left the run waiting for ever."""
    outcome = play(History(inputs=((A, B, C),), ends=(End(0, kind, count),)))

    assert outcome.broken is None
    assert outcome.statuses == {"applied written": 3} or outcome.statuses["applied read_back"]


@pytest.mark.parametrize("at", [0.2, 0.5, 0.7, 1.2, 1.6, 2.2])
@pytest.mark.parametrize("seconds", [-86_400.0, -3600.0, -2.0, 3600.0])
@pytest.mark.parametrize("tenant_rate", [None, 8.0])
def test_a_clock_that_is_set_neither_stops_nor_spins_a_run(
    at: float, seconds: float, tenant_rate: float | None
) -> None:
    """Set back by a day, lanes waited for a day, or asked the journal for slots without pause."""
    history = History(
        rate=3.0, tenant_rate=tenant_rate, inputs=((A, B, C),), jumps=(Jump(at, seconds),)
    )
    outcome = play(history)

    assert outcome.broken is None
    assert outcome.statuses == {"applied written": 3}


@pytest.mark.parametrize("seed", range(13_000, 13_040))
def test_a_lane_that_queues_for_the_tenant_holds_no_permit(seed: int) -> None:
    """It waited for the queue with the permit that the first in the queue was waiting for."""
    history = History(
        seed=seed,
        tenant_rate=20.0,
        concurrency=1,
        inputs=(
            (
                Row("C0", "k7", "NOT_INTERESTED"),
                Row("C1", "k3", "NOT_INTERESTED"),
                Row("C0", "k2", "NO_ANSWER"),
            ),
        ),
        faults=(Fault("PATCH", "k7", 1, "throttle"),),
    )
    outcome = play(history)

    assert outcome.broken is None
    assert outcome.statuses == {"applied written": 3}


@pytest.mark.parametrize("kind", ["forgets", "twice_later", "late_without_etag"])
def test_a_tenant_that_breaks_its_word_harms_no_other_row(kind: str) -> None:
    """Nobody can notice; the row stays `applied`, and the others are as ever."""
    outcome = play(
        History(breaks=True, inputs=((A, B, C),), faults=(Fault("PATCH", "k1", 1, kind),))
    )

    assert outcome.broken is None
    assert outcome.fired[f"PATCH {kind}"] == 1
    assert sum(n for status, n in outcome.statuses.items() if status.startswith("applied")) == 3


def test_a_read_that_is_out_of_date_is_refused_by_the_etag_and_made_again() -> None:
    newer = Row("C0", "k1", "NO_ANSWER", minute=5)
    outcome = play(History(inputs=((A, newer),), touches=(Touch("k1", 0.0, "CALL_BACK", 2),),
                           latency=1.0, faults=(Fault("GET", "k1", 1, "stale"),)))  # fmt: skip

    assert outcome.broken is None
    assert outcome.fired["GET stale"] == 1
    assert outcome.requests == 4  # read, refused, read again, written
    assert outcome.statuses["applied written"] == 1


CROWD = tuple(Row("C0", f"q{number}", "INTERESTED") for number in range(40))


def test_lists_halve_the_requests_and_the_time() -> None:
    alone = play(History(rate=5.0, inputs=(CROWD,)))
    listed = play(History(rate=5.0, surface="lists", inputs=(CROWD,)))

    assert (alone.broken, listed.broken) == (None, None)
    assert alone.requests == 80
    assert 46 <= listed.requests <= 48  # at most 7 are written while they are fresh
    assert alone.seconds - listed.seconds > 6.0  # of 16.8 s of requests


def test_what_has_become_too_old_uses_no_slot_up() -> None:
    calm = History(surface="lists", rate=5.0, inputs=(CROWD[:16],))
    paused = replace(calm, faults=(Fault("PATCH", "q0", 1, "throttle_seconds", 3.0),))
    alone, held_up = play(calm), play(paused)

    assert held_up.broken is None
    assert held_up.statuses == {"applied written": 16}
    # The pause, one write and one list again; six writes that waited for their slots are too old.
    assert held_up.seconds - alone.seconds < 3.0 + 4 * 0.21


def test_where_writes_are_slow_lists_make_no_row_wait_for_ever() -> None:
    """Reads that overtook writes made them too old, were made again, and overtook them again."""
    crawl = History(surface="lists", latency=1.0, concurrency=1, inputs=(CROWD[:11],))
    outcome = play(crawl)

    assert outcome.broken is None
    assert outcome.statuses == {"applied written": 11}
    assert outcome.requests < 40


def test_a_small_campaign_is_not_starved_by_a_big_one() -> None:
    outcome = play(HUGE_AND_SMALL)

    assert outcome.broken is None
    assert outcome.seconds > 35.0
    assert outcome.firsts["C1"] < 2.0


def test_a_call_that_never_ends_keeps_its_row_open_and_no_other() -> None:
    outcome = play(History(inputs=((A, B),), calls=(Call("k1", 0.0, 1e9),), defer_seconds=10.0))

    assert {one.name for one in outcome.violations} == {"liveness"}
    assert outcome.statuses == {"applied written": 1, "deferred on_call": 1}
