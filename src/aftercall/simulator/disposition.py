"""The five fields of a contact that a PATCH can change, and the check of such a PATCH."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OUTCOME_CODE = re.compile(r"[A-Z_]{3,20}")
_TEXT_FIELDS = ("outcomeCode", "agentId", "notes", "dispositionTimestamp")
_FIELDS = frozenset({*_TEXT_FIELDS, "customFields"})


class InvalidChangeError(ValueError):
    """The body of a PATCH does not describe a change; the text says why."""


@dataclass(frozen=True, slots=True)
class Disposition:
    """What a contact carries about its last call."""

    outcome: str | None = None
    agent: str | None = None
    notes: str | None = None
    timestamp: str | None = None
    custom_fields: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the fields under the names of the API."""
        return {
            "outcomeCode": self.outcome,
            "agentId": self.agent,
            "notes": self.notes,
            "dispositionTimestamp": self.timestamp,
            "customFields": self.custom_fields,
        }

    def changed_by(self, change: Mapping[str, Any]) -> Disposition:
        """Return the fields after a checked PATCH body.

        Custom fields are merged by key; a null removes the key, as null empties a text field.
        """
        custom = self.custom_fields
        if change.get("customFields"):
            merged = {**custom, **change["customFields"]}
            custom = {key: value for key, value in merged.items() if value is not None}
        return Disposition(
            outcome=_shared(change.get("outcomeCode", self.outcome)),
            agent=_shared(change.get("agentId", self.agent)),
            notes=change.get("notes", self.notes),
            timestamp=change.get("dispositionTimestamp", self.timestamp),
            custom_fields=custom,
        )


EMPTY = Disposition()


def parse_change(body: bytes, knows: Callable[[str], bool]) -> dict[str, Any]:
    """Check the body of a PATCH.

    Args:
        body: The raw body.
        knows: Says of a well-formed outcome code whether this tenant knows it.

    Returns:
        The change, by the field names of the API.

    Raises:
        InvalidChangeError: If the tenant would answer 400.
    """
    try:
        change = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidChangeError("the body is not valid JSON") from error
    if not isinstance(change, dict):
        raise InvalidChangeError("the body must be a JSON object")
    unknown = sorted(change.keys() - _FIELDS)
    if unknown:
        raise InvalidChangeError(f"unknown fields: {', '.join(unknown)}")
    for name in _TEXT_FIELDS:
        if not isinstance(change.get(name), str | None):
            raise InvalidChangeError(f"{name} must be a string or null")
    _check_code(change.get("outcomeCode"), knows)
    _check_custom_fields(change.get("customFields", {}))
    return change


def _check_code(code: str | None, knows: Callable[[str], bool]) -> None:
    if code is None:
        return
    if not _OUTCOME_CODE.fullmatch(code):
        raise InvalidChangeError("outcomeCode must match ^[A-Z_]{3,20}$")
    if not knows(code):
        raise InvalidChangeError(f"outcomeCode {code} is not configured for this tenant")


def _check_custom_fields(fields: object) -> None:
    if not isinstance(fields, dict):
        raise InvalidChangeError("customFields must be an object")
    for name, value in fields.items():
        if not isinstance(value, str | int | float | bool | None):
            raise InvalidChangeError(f"customFields.{name} must be a single value")


def _no_constant(name: str) -> NoReturn:
    raise InvalidChangeError(f"{name} is not JSON")


def _shared(text: str | None) -> str | None:
    # Few different codes and agents are kept for very many contacts.
    return None if text is None else sys.intern(text)
