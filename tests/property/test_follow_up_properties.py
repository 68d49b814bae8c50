"""Every state of a follow-up meets every event, and every answer at every attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.domain import answer
from aftercall.domain.audit import Exchange, Subject
from aftercall.domain.follow_ups import (
    OPEN,
    TRANSITIONS,
    UNDONE,
    Action,
    FollowUp,
    FollowUpEvent,
    FollowUpKind,
    FollowUpState,
    IllegalFollowUp,
    Terms,
    advance,
    concluded,
)
from aftercall.domain.retry import RetryPolicy
from aftercall.domain.settlement import Moment
from aftercall.domain.status import Status
from tests.unit.domain.make import NOON_MS, ORIGIN, disposition

RETRY = RetryPolicy(attempts_max=3, elapsed_seconds_max=100.0)
ANSWERS = (
    answer.Accepted(),
    answer.Stale(),
    answer.Absent("none"),
    answer.Throttled(5.0),
    answer.Busy("busy", "later", 5.0),
    answer.Unauthorized(),
    answer.Forbidden("no"),
    answer.Refused("refused_400", "no"),
    answer.Unavailable("refused", "down", sent=True),
    answer.Unavailable("refused", "down", sent=False),
    answer.Uncertain("timeout", "lost"),
)

states = st.sampled_from(FollowUpState)
events = st.sampled_from(FollowUpEvent)


@pytest.mark.parametrize("state", FollowUpState)
@pytest.mark.parametrize("event", FollowUpEvent)
def test_every_pair_is_in_the_table_or_illegal(state: FollowUpState, event: FollowUpEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalFollowUp):
            advance(state, event)


@given(start=states, walk=st.lists(events, max_size=40))
def test_a_walk_of_any_events_keeps_to_the_table(
    start: FollowUpState, walk: list[FollowUpEvent]
) -> None:
    state = start
    for event in walk:
        if (state, event) not in TRANSITIONS:
            continue
        reached = advance(state, event)
        # What is done stays done, and only a person brings back what ended otherwise.
        assert state is not FollowUpState.DONE
        assert (state in UNDONE) == (event is FollowUpEvent.REOPEN)
        assert (reached is FollowUpState.SENDING) == (event is FollowUpEvent.CLAIM)
        state = reached


@given(
    got=st.sampled_from(ANSWERS),
    attempt=st.integers(1, 5),
    tried_ms=st.none() | st.integers(0, 200_000),
    terms=st.builds(Terms, st.booleans(), st.just(RETRY)),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_every_answer_at_every_attempt_has_a_settlement(
    got: answer.WriteAnswer, attempt: int, tried_ms: int | None, terms: Terms, chance: float
) -> None:
    one = FollowUp(
        number=1,
        serial=attempt - 1,
        action=Action(FollowUpKind.CALLBACK),
        row=disposition(),
        status=Status.APPLIED,
        subject=Subject(row=7, origin=ORIGIN),
        told={},
        attempt=attempt,
        first_tried_ms=None if tried_ms is None else NOON_MS - tried_ms,
    )
    moment = Moment(NOON_MS, chance)
    settled = concluded(one, got, Exchange(), terms, moment)

    assert settled.state is advance(FollowUpState.SENDING, settled.event)
    doubt = isinstance(got, answer.Uncertain)
    if doubt and not terms.repeatable:
        assert settled.state is FollowUpState.UNKNOWN, "it could be done twice"
    if settled.state is FollowUpState.WAITING:
        assert settled.due_ms is None or settled.due_ms >= NOON_MS
        assert settled.refund or attempt < RETRY.attempts_max
    else:
        assert settled.due_ms is None
    assert (settled.state is FollowUpState.DONE) == isinstance(got, answer.Accepted)
    assert (settled.entry is not None) == (settled.state not in OPEN or doubt)
