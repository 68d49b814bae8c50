"""The instants that a tenant tells, in the forms that tenants have."""

import re

from aftercall.domain import instant
from aftercall.domain.disposition import Json

SECONDS_END = 10**11
"""A number below it counts seconds since the epoch (until the year 5138), else milliseconds."""

MILLISECONDS_MAX = 253_402_300_799_999
"""The last millisecond of the year 9999."""

_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$")
_OFFSET = re.compile(r"\s+(?=[+-]\d\d(?::?\d\d)?$)")


def is_absent(value: Json) -> bool:
    """Say whether a value tells nothing at all: none, or an empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_stamp_ms(value: Json) -> int | None:
    """Return the instant that a JSON value names, in milliseconds; None if it names none.

    ISO 8601 with a zone, a blank in place of its ``T`` too, or a number since the epoch. A time
    without a zone names no instant.
    """
    if isinstance(value, str):
        words = _OFFSET.sub("", _UTC.sub("+00:00", value.strip().upper()))
        moment = instant.parse(words)
        return None if moment is None else instant.to_ms(moment)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if not 0 <= value <= MILLISECONDS_MAX:
        return None
    return int(value * 1000 if value < SECONDS_END else value)
