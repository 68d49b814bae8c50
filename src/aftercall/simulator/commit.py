"""Making the change that a write asks for, and the line about it in the tenant's own book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aftercall.simulator.world import ACTIVE_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftercall.simulator.contacts import Record
    from aftercall.simulator.state import State


@dataclass(frozen=True, slots=True)
class Write:
    """A write that is carried out.

    Attributes:
        campaign: The contact's campaign.
        contact: The contact.
        change: What is set, by the field names of the outbound API.
        state: The contact's dialer state, as this API calls it.
        request_id: What the caller calls the request.
        answered: Whether the answer reaches the caller.
        if_match: Whether the write depended on a version of the contact.
    """

    campaign: str
    contact: str
    change: Mapping[str, Any]
    state: str
    request_id: str | None
    answered: bool
    if_match: bool = False


def commit(state: State, record: Record, write: Write) -> None:
    """Change a contact, and note it."""
    before = record.disposition
    after = before.changed_by(write.change)
    effective = state.contacts.change(write.campaign, write.contact, record, after)
    state.ledger.append(
        {
            "at": state.clock.wall(),
            "campaign": write.campaign,
            "contact": write.contact,
            "before": before.as_json(),
            "after": after.as_json(),
            "effective": effective,
            "state": write.state,
            "live_call": write.state in ACTIVE_STATES,
            "if_match": write.if_match,
            "request_id": write.request_id,
            "answered": write.answered,
        }
    )
