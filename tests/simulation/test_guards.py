"""Each invariant is seen to fail when its guard is removed: the simulation is no decoration."""

import warnings

import pytest

from .guards import GUARDS, Guard
from .history import history_of
from .play import play


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_that_is_gone_is_missed(guard: Guard) -> None:
    warnings.simplefilter("ignore", RuntimeWarning)
    found = None
    with guard.removed():
        for seed in range(guard.histories):
            found = play(history_of(seed)).broken
            if found is not None:
                break

    assert found is not None, "nobody noticed"
    assert found.startswith(guard.broken)
