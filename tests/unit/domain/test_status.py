import pytest

from aftercall.domain.status import (
    ADMITTED,
    DUE,
    HOLDING,
    NEWER,
    OPEN,
    REFUSED,
    SETTLED,
    SUCCESSFUL,
    TRANSITIONS,
    Event,
    IllegalTransition,
    Status,
    advance,
)


def test_every_status_is_open_successful_or_refused_and_only_one_of_them() -> None:
    assert set(Status) == OPEN | SUCCESSFUL | REFUSED
    assert len(OPEN) + len(SUCCESSFUL) + len(REFUSED) == len(Status)
    assert SETTLED == SUCCESSFUL | REFUSED


def test_a_claim_leads_to_writing_from_every_due_status_and_no_other() -> None:
    claimed = {was: leads for (was, event), leads in TRANSITIONS.items() if event is Event.CLAIM}
    assert claimed == dict.fromkeys(DUE, Status.WRITING)


def test_what_was_applied_unchanged_superseded_duplicate_or_invalid_stays_so() -> None:
    left = {was for was, _ in TRANSITIONS}
    final = set(Status) - left
    assert final == {
        Status.APPLIED,
        Status.UNCHANGED,
        Status.SUPERSEDED,
        Status.DUPLICATE,
        Status.INVALID,
    }


def test_a_doubtful_row_is_never_superseded_without_being_read_back() -> None:
    assert (Status.DOUBTFUL, Event.SUPERSEDE) not in TRANSITIONS
    assert [event for was, event in TRANSITIONS if was is Status.DOUBTFUL] == [Event.CLAIM]


@pytest.mark.parametrize("status", [Status.FAILED, Status.REJECTED, Status.MISSING])
def test_what_was_refused_can_be_tried_again(status: Status) -> None:
    assert advance(status, Event.REOPEN) is Status.PENDING
    assert advance(status, Event.REPEAT) is Status.DUPLICATE


def test_an_illegal_event_names_itself_and_the_status() -> None:
    with pytest.raises(IllegalTransition, match="a row that is applied cannot claim"):
        advance(Status.APPLIED, Event.CLAIM)


def test_each_event_happens_somewhere() -> None:
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_a_refused_row_frees_its_key_and_still_counts_against_older_rows() -> None:
    tried = {Status.FAILED, Status.REJECTED, Status.MISSING}
    assert not tried & HOLDING
    assert tried <= NEWER
    assert not {Status.DUPLICATE, Status.SUPERSEDED, Status.INVALID} & NEWER


def test_rows_enter_as_pending_invalid_or_duplicate() -> None:
    assert {Status.PENDING, Status.INVALID, Status.DUPLICATE} == ADMITTED
