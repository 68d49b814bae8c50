from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain.status import (
    OPEN,
    SETTLED,
    TRANSITIONS,
    Event,
    IllegalTransition,
    Status,
    advance,
)

statuses = st.sampled_from(Status)
events = st.sampled_from(Event)


@given(status=statuses, event=events)
def test_every_pair_is_in_the_table_or_illegal(status: Status, event: Event) -> None:
    try:
        reached = advance(status, event)
    except IllegalTransition:
        assert (status, event) not in TRANSITIONS
    else:
        assert reached is TRANSITIONS[status, event]


@given(start=statuses, walk=st.lists(events, max_size=60))
def test_a_walk_of_any_events_keeps_to_the_table(start: Status, walk: list[Event]) -> None:
    status = start
    for event in walk:
        try:
            reached = advance(status, event)
        except IllegalTransition:
            reached = status
        else:
            assert (status in SETTLED) <= (event in {Event.REOPEN, Event.REPEAT})
            assert (reached is Status.WRITING) == (event is Event.CLAIM)
        status = reached
        assert status in Status


@given(start=st.sampled_from(sorted(OPEN)))
def test_every_open_row_can_reach_each_end_that_the_tenant_may_give_it(start: Status) -> None:
    reached, frontier = set(), {start}
    while frontier:
        reached |= frontier
        frontier = {leads for (was, _), leads in TRANSITIONS.items() if was in frontier} - reached
    assert reached >= {
        Status.APPLIED,
        Status.UNCHANGED,
        Status.SUPERSEDED,
        Status.MISSING,
        Status.REJECTED,
        Status.FAILED,
    }
