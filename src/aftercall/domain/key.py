"""The key of a row: which rows are the same disposition."""

import hashlib

from aftercall.domain import instant
from aftercall.domain.disposition import Disposition

KEY_BYTES = 16
"""128 bits: among a billion rows two different ones share a key with odds below 1 in 10**20."""

SEPARATOR = "\x1f"
"""A control character, which no valid id or code contains: the parts cannot run together."""


def key_of(disposition: Disposition) -> bytes:
    """Return the key of what the input gave: `KEY_BYTES` bytes, the same on every machine.

    With an event id it is the contact and that id. Else it is campaign, contact, outcome, agent
    and the timestamp if the input gave one, so that a file without timestamps fed twice is
    recognised. Call it before a missing timestamp is filled in, for a valid disposition.
    """
    given = ["event", disposition.campaign, disposition.contact]
    if disposition.event_id is not None:
        given.append(disposition.event_id)
    else:
        stamp = disposition.timestamp
        told = "" if stamp is None else instant.text(instant.to_ms(stamp))
        given[0] = "row"
        given += [disposition.outcome, disposition.agent, told]
    return hashlib.sha256(SEPARATOR.join(given).encode()).digest()[:KEY_BYTES]
