"""What is read at once can be written while it is fresh, at any pace."""

from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.freshness import Reads, fresh_seconds
from aftercall.domain.pacing import SECOND_US, Pace

PACES = st.floats(0.001, 1_000_000).map(Pace)
READS = st.builds(Reads, st.integers(1, 1000), st.floats(2.0, 60.0))


@given(PACES, READS)
def test_a_list_can_be_written_while_it_is_fresh(pace: Pace, reads: Reads) -> None:
    size = reads.list_size(pace.spacing_us)
    assert 1 <= size <= reads.list_max
    took = size * pace.spacing_us / SECOND_US
    assert took <= fresh_seconds(pace.spacing_us, reads.good_for_seconds)


@given(PACES, READS, st.integers(0, 10_000))
def test_lists_are_never_more_requests_than_rows(pace: Pace, reads: Reads, rows: int) -> None:
    asked = reads.asked_for(rows, pace.spacing_us)
    assert (asked - 1) * reads.list_size(pace.spacing_us) < rows or not rows
    assert asked * reads.list_size(pace.spacing_us) >= rows
    assert asked <= rows


def test_at_ten_a_second_fifteen_are_read_at_once() -> None:
    spacing_us = Pace(10.0).spacing_us
    assert Reads(50).list_size(spacing_us) == 15
    assert Reads(50, 30.0).list_size(spacing_us) == 50
    assert Reads().list_size(spacing_us) == 1
