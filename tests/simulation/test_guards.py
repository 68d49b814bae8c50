"""Each invariant is seen to fail when its guard is removed: the simulation is no decoration."""

import warnings

import pytest

from .guards import GUARDS, Guard
from .history import HUGE_AND_SMALL, history_of
from .play import play
from .removals import one_turn_after_the_other
from .shrink import shortest


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_that_is_gone_is_missed(guard: Guard) -> None:
    warnings.simplefilter("ignore", RuntimeWarning)
    found = None
    with guard.removed():
        for seed in range(guard.first, guard.first + guard.histories):
            found = play(history_of(seed)).broken
            if found is not None and not found.startswith(guard.besides):
                break

    assert found is not None, "nobody noticed"
    assert found.startswith(guard.broken)


def test_without_turns_of_bounded_length_a_small_campaign_starves() -> None:
    """Two guards stand behind each other here: either alone is enough."""
    with one_turn_after_the_other():
        outcome = play(HUGE_AND_SMALL)

    assert outcome.firsts["C1"] > 20.0


def test_the_shortest_history_is_a_row_and_the_fault_that_breaks_it() -> None:
    guard = next(one for one in GUARDS if one.name == "doubt is kept until it is read back")
    with guard.removed():
        outcome = next(
            played for seed in range(guard.histories) if (played := play(history_of(seed))).broken
        )
        assert outcome.broken is not None
        short = shortest(outcome.history, outcome.broken)
        again = play(short).broken

    assert again == outcome.broken
    assert (short.size, len(short.inputs), len(short.faults)) == (2, 1, 1)
    assert outcome.history.size > short.size
    assert play(short).broken is None
