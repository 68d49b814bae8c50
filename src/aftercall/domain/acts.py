"""Entries about the trail itself: keys, erasures, expiry and legal holds.

They stand in the same log as the entries about rows, with the same fields as far as those apply,
and never expire: what was taken out, by whom and why, can be read for as long as the log is kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from aftercall.domain import instant
from aftercall.domain.disposition import Json
from aftercall.domain.note import VerifierKey


class Act(StrEnum):
    """What was done."""

    KEY_ADDED = "key_added"
    KEY_ROTATED = "key_rotated"
    HOLD_PLACED = "hold_placed"
    HOLD_RELEASED = "hold_released"
    ERASED = "erased"
    EXPIRED = "expired"
    CLOCK_SET = "clock_set"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom an act is about: a contact, all contacts of a campaign, or both; empty for any."""

    contact: str = ""
    campaign: str = ""

    def covers(self, campaign: str, contact: str) -> bool:
        """Say whether a contact of a campaign is meant."""
        return self.contact in {"", contact} and self.campaign in {"", campaign}

    def __str__(self) -> str:
        parts = [f"contact {self.contact}"] if self.contact else []
        return ", ".join([*parts, f"campaign {self.campaign}"] if self.campaign else parts)


@dataclass(frozen=True, slots=True)
class Deed:
    """One act, as it becomes an entry.

    Attributes:
        act: what was done.
        scope: to whom.
        reason: why, in the words of whoever did it; these stay, so no personal data belongs here.
        by: the account that did it.
        details: further values by name.
    """

    act: Act
    scope: Scope = Scope()
    reason: str = ""
    by: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)


CLOCK_TOLERANCE_MS = 60_000
"""So far an entry's time may lie outside of the times of the checkpoints before and after it:
clocks are corrected, and a settlement takes a moment until it is on disk."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A clock that was set back, as the sealer has seen it.

    Attributes:
        from_ms: the latest that it said before.
        to_ms: what it said when it was found to be set back.
    """

    from_ms: int
    to_ms: int

    @classmethod
    def found(cls, before_ms: int, now_ms: int) -> Self | None:
        """Return the step from what a clock said before to what it says now, if it is one."""
        return cls(before_ms, now_ms) if now_ms < before_ms - CLOCK_TOLERANCE_MS else None

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Self | None:
        """Read a step from its entry; None if it is none."""
        moments = [instant.parse(str(details.get(name))) for name in ("from", "to")]
        if None in moments:
            return None
        step = cls(*(instant.to_ms(one) for one in moments if one is not None))
        return step if step.to_ms < step.from_ms else None

    @property
    def details(self) -> Mapping[str, Json]:
        """What its entry says of it."""
        return {"from": instant.text(self.from_ms), "to": instant.text(self.to_ms)}

    def covers(self, at_ms: int) -> bool:
        """Say whether a time can have been read shortly before, shortly after, or in between."""
        early, late = self.to_ms - CLOCK_TOLERANCE_MS, self.from_ms + CLOCK_TOLERANCE_MS
        return early <= at_ms <= late


def act_entry(deed: Deed, now_ms: int) -> dict[str, Json]:
    """Return the entry that records a deed."""
    return {
        "schema": 1,
        "kind": deed.act,
        "timestamp": instant.text(now_ms),
        "run_id": "",
        "row_id": 0,
        "campaign_id": deed.scope.campaign,
        "contact_id": deed.scope.contact,
        "outcome_code": "",
        "agent_id": "",
        "status": "recorded",
        "reason": deed.act,
        "message": deed.reason,
        "latency_ms": None,
        "by": deed.by,
        "details": deed.details,
    }


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: what it covers is neither erased nor expires.

    Attributes:
        number: the place of its entry in the log, by which it is released.
        scope: what it covers.
        reason: why it was placed.
        by: who placed it.
        placed_ms: when.
    """

    number: int
    scope: Scope
    reason: str
    by: str
    placed_ms: int

    def meets(self, scope: Scope, campaigns: Iterable[str]) -> bool:
        """Say whether it covers any of what an act is about; `campaigns` are those it is in."""
        mine = self.scope
        return mine.contact in {"", scope.contact} and mine.campaign in {"", *campaigns}


def holds(acts: Iterable[tuple[int, Mapping[str, Any]]]) -> list[Hold]:
    """Return the holds that are in force, from the acts in the order of the log."""
    found: dict[int, Hold] = {}
    for number, entry in acts:
        if entry["kind"] == Act.HOLD_PLACED:
            moment = instant.parse(str(entry["timestamp"]))
            found[number] = Hold(
                number=number,
                scope=Scope(str(entry["contact_id"]), str(entry["campaign_id"])),
                reason=str(entry["message"]),
                by=str(entry["by"]),
                placed_ms=0 if moment is None else instant.to_ms(moment),
            )
        elif entry["kind"] == Act.HOLD_RELEASED:
            found.pop(int(entry["details"]["hold"]), None)
    return list(found.values())


def keys_in(acts: Iterable[tuple[int, Mapping[str, Any]]]) -> list[VerifierKey]:
    """Return all public keys that the log was ever signed with, the oldest first.

    Raises:
        ValueError: one is none.
    """
    introduced = (e for _, e in acts if e["kind"] in {Act.KEY_ADDED, Act.KEY_ROTATED})
    return [VerifierKey.parse(str(entry["details"]["key"])) for entry in introduced]


def key_in_force(acts: Iterable[tuple[int, Mapping[str, Any]]]) -> str | None:
    """Return the text of the public key that the log is signed with; None before the first."""
    found = keys_in(acts)
    return found[-1].text if found else None
