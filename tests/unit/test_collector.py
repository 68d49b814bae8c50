"""The garbage collector is spared for the time of a run, and left as it was found."""

import gc
from collections.abc import Iterator

import pytest

from aftercall.wiring.collector import THRESHOLDS, spared_collector


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    usual = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*usual)


def test_what_was_there_before_is_not_looked_through() -> None:
    usual = gc.get_threshold()
    with spared_collector():
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold() == THRESHOLDS
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual


def test_what_the_process_set_aside_itself_stays_so() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with spared_collector():
        assert gc.get_freeze_count() == before
    assert gc.get_freeze_count() == before


def test_a_run_that_fails_leaves_it_as_it_was() -> None:
    usual = gc.get_threshold()
    with pytest.raises(RuntimeError, match="failed"), spared_collector():
        raise RuntimeError("failed")
    assert (gc.get_threshold(), gc.get_freeze_count()) == (usual, 0)
