"""What is shown of a contact, at the paths that a profile's file gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftercall.simulator.acd.catalogue import SKILL
from aftercall.simulator.clock import iso_time
from aftercall.simulator.described.documents import put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftercall.simulator.contacts import Record
    from aftercall.simulator.described.surface import Surface
    from aftercall.simulator.state import State


class Showing:
    """Shows contacts, alone or in lists."""

    def __init__(self, state: State, surface: Surface) -> None:
        self._state = state
        self._surface = surface

    def document(
        self, fields: Mapping[str, str], record: Record, *, stored: bool
    ) -> dict[str, Any]:
        """Return a contact.

        Args:
            fields: What is shown, with the path of each.
            record: The contact.
            stored: Whether the time shown is when its outcome was stored.
        """
        held = record.disposition
        integer = any(
            one.carries == "outcome" and one.kind == "integer" for one in self._surface.fields
        )
        outcome: Any = held.outcome
        if integer and outcome is not None and outcome.isdecimal():
            outcome = int(outcome)
        values: dict[str, Any] = {
            "state": self._surface.shown_state(self._state.contacts.phase(record).state),
            "outcome": outcome,
            "agent": held.agent,
            "notes": held.notes,
            "timestamp": iso_time(record.updated) if stored and held.outcome else held.timestamp,
            "custom_fields": dict(held.custom_fields) or None,
        }
        document: dict[str, Any] = {}
        for name, path in fields.items():
            put(document, path, values[name])
        return document

    def add_ids(self, document: dict[str, Any], record: Record, etag: str | None) -> None:
        """Add a contact's further ids and, at its path, its ETag."""
        rules, names = self._surface.read.rules, self._surface.state_names()
        for paths in rules.get("told", {}).values():
            put(document, paths if isinstance(paths, str) else paths[0], record.spec.skill or SKILL)
        if "state_id" in rules:
            name = self._surface.shown_state(self._state.contacts.phase(record).state)
            put(document, rules["state_id"], names.index(name) if name in names else 999)
        if etag is not None and self._state.config.etags:
            put(document, etag, self.etag(record))

    def etag(self, record: Record) -> str:
        """Return what a write of the contact can depend on."""
        return f'"v{self._state.contacts.version(record)}"'
