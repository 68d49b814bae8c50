"""The contacts as they are now: the described world plus everything that happened to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from aftercall.simulator.chance import chance
from aftercall.simulator.clock import Clock, iso_time
from aftercall.simulator.world import READY, ContactSpec, World

if TYPE_CHECKING:
    from aftercall.simulator.disposition import Disposition

_READY_SPEC = ContactSpec()


@dataclass(slots=True)
class Record:
    """One contact with its history boiled down to a few values."""

    spec: ContactSpec
    disposition: Disposition
    version: int
    updated: float
    first_read: float | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """The step of its timeline a contact is in.

    Attributes:
        index: Number of the step; it is part of the version, because a call that begins or ends
            changes the contact for everybody who read it before.
        state: The state of the contact.
        age: Seconds since the step began, or None before the first read.
    """

    index: int
    state: str
    age: float | None


class Contacts:
    """Finds contacts, and keeps only those that differ from their description."""

    def __init__(self, world: World, seed: int, clock: Clock) -> None:
        self._world = world
        self._seed = seed
        self._clock = clock
        self._started = clock.wall()
        self._kept: dict[str, dict[str, Record]] = {}
        self._campaigns = {contact: campaign for campaign, contact in world.contacts}

    def find(self, campaign: str, contact: str) -> Record | None:
        """Return a contact, or None if the tenant has no such contact."""
        kept = self._kept.get(campaign)
        record = kept.get(contact) if kept is not None else None
        if record is not None:
            return record
        spec = self._spec(campaign, contact)
        if spec is None:
            return None
        return Record(spec, spec.disposition, 1, self._started)

    def campaign_of(self, contact: str) -> str | None:
        """Return the campaign of a listed contact, whose identifier alone is known."""
        return self._campaigns.get(contact)

    def read(self, campaign: str, contact: str) -> Record | None:
        """Return a contact and, at its first read, start its timeline."""
        record = self.find(campaign, contact)
        if record is not None and record.spec.timeline and record.first_read is None:
            record.first_read = self._clock.monotonic()
            self._keep(campaign, contact, record)
        return record

    def change(self, campaign: str, contact: str, record: Record, disposition: Disposition) -> bool:
        """Store new values and return whether any of them differs from before."""
        if disposition == record.disposition:
            return False
        record.disposition = disposition
        self._touch(campaign, contact, record)
        return True

    def interfere(self, campaign: str, contact: str) -> None:
        """Let somebody else touch a contact without changing its outcome."""
        record = self.find(campaign, contact)
        if record is not None:
            self._touch(campaign, contact, record)

    def extend(self, world: World) -> None:
        """Take over an extended world; contacts described anew start again."""
        for key, spec in world.contacts.items():
            if self._world.contacts.get(key) is not spec:
                self._kept.get(key[0], {}).pop(key[1], None)
        self._world = world
        self._campaigns = {contact: campaign for campaign, contact in world.contacts}

    def phase(self, record: Record) -> Phase:
        """Return the step of its timeline a contact is in now."""
        timeline = record.spec.timeline
        if not timeline:
            return Phase(0, record.spec.state, None)
        if record.first_read is None:
            return Phase(0, timeline[0][0], None)
        age = self._clock.monotonic() - record.first_read
        for index, (state, seconds) in enumerate(timeline[:-1]):
            if seconds is None or age < seconds:
                return Phase(index, state, age)
            age -= seconds
        return Phase(len(timeline) - 1, timeline[-1][0], age)

    def version(self, record: Record) -> int:
        """Return the number the ETag is made of."""
        return record.version + self.phase(record).index

    def view(self, campaign: str, contact: str, record: Record) -> dict[str, Any]:
        """Return a contact in the form of the API."""
        phase = self.phase(record)
        updated = record.updated
        if phase.index > 0 and phase.age is not None:
            updated = max(updated, self._clock.wall() - phase.age)
        return {
            "contactId": contact,
            "campaignId": campaign,
            "state": phase.state,
            **record.disposition.as_json(),
            "lastUpdated": iso_time(updated),
        }

    def _touch(self, campaign: str, contact: str, record: Record) -> None:
        record.version += 1
        record.updated = self._clock.wall()
        self._keep(campaign, contact, record)

    def _keep(self, campaign: str, contact: str, record: Record) -> None:
        self._kept.setdefault(campaign, {})[contact] = record

    def _spec(self, campaign: str, contact: str) -> ContactSpec | None:
        world = self._world
        listed = world.contacts.get((campaign, contact))
        if listed is not None or not world.open:
            return listed
        if self._drawn("missing", world.missing_ratio, campaign, contact):
            return None
        spec = _READY_SPEC
        if self._drawn("active", world.active_ratio, campaign, contact):
            talk = 0.5 + chance(self._seed, "talk", campaign, contact)
            spec = ContactSpec(timeline=(("CONNECTED", talk), ("WRAP_UP", 0.25), (READY, None)))
        if self._drawn("held", world.held.ratio, campaign, contact):
            spec = replace(spec, disposition=world.held.disposition)
        return spec

    def _drawn(self, purpose: str, ratio: float, campaign: str, contact: str) -> bool:
        return ratio > 0.0 and chance(self._seed, purpose, campaign, contact) < ratio
