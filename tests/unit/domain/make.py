"""Valid values to start from; each test says only what it is about."""

from datetime import UTC, datetime
from typing import Any

from aftercall.domain import instant
from aftercall.domain.answer import Observed
from aftercall.domain.audit import Origin
from aftercall.domain.disposition import Disposition, Rules
from aftercall.domain.outcomes import Category
from aftercall.domain.settlement import Claim, Moment, WritePolicy

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOON_MS = instant.to_ms(NOON)

MATRIX = {
    "INTERESTED": Category.POSITIVE,
    "NOT_INTERESTED": Category.NEGATIVE,
    "CALL_BACK": Category.CALLBACK,
    "DO_NOT_CALL": Category.OPT_OUT,
}
RULES = Rules(MATRIX, NOON)

CELLS = {"campaign": "C1", "contact": "P1", "outcome": "INTERESTED", "agent": "A1"}

ORIGIN = Origin(run="run-1", source="calls.csv", line=2, sha256="ab" * 32)

POLICY = WritePolicy(active_states=frozenset({"DIALING", "RINGING", "CONNECTED", "WRAP_UP"}))


def disposition(**given: Any) -> Disposition:
    return Disposition(**{**CELLS, "timestamp": NOON, **given})


def claim(**given: Any) -> Claim:
    """Make a first claim, taken at noon; fields of its disposition may be given among its own."""
    of_row = {name: given.pop(name) for name in tuple(given) if name in Disposition.__slots__}
    values: dict[str, Any] = {
        "row": 7,
        "serial": 1,
        "origin": ORIGIN,
        "disposition": disposition(**of_row),
        "category": Category.POSITIVE,
        "first_tried_ms": NOON_MS,
    }
    return Claim(**(values | given))


def observed(**given: Any) -> Observed:
    """Return a contact that nothing speaks against writing to."""
    values: dict[str, Any] = {"state": "READY", "idle": True}
    return Observed(**(values | given))


def moment(after_ms: int = 0, chance: float = 0.5) -> Moment:
    return Moment(NOON_MS + after_ms, chance)
