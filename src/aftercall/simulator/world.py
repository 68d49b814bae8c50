"""The description of a world: which contacts exist and how they behave."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aftercall.simulator.disposition import EMPTY, Disposition
from aftercall.simulator.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

ACTIVE_STATES = frozenset({"DIALING", "RINGING", "CONNECTED", "WRAP_UP"})
READY = "READY"
REFUSAL_STATUSES = (400, 401, 403, 409, 422)

Timeline = tuple[tuple[str, float | None], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that a contact gives to every write."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class ContactSpec:
    """One contact as it is before anything happens.

    Attributes:
        state: Its state, unless it has a timeline.
        disposition: The outcome it already carries.
        timeline: States with their seconds, from the first read on; the last one stays.
        refusal: How it answers every write, if it refuses.
        skill: Number of its outbound skill (ACD API), if it is not the usual one.
    """

    state: str = READY
    disposition: Disposition = EMPTY
    timeline: Timeline = ()
    refusal: Refusal | None = None
    skill: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A disposition of the tenant (ACD API).

    Attributes:
        number: Its id.
        name: Its name.
        classification: The id of its classification; None if it has none.
        is_active: Whether it can still be used.
    """

    number: int
    name: str
    classification: int | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """Unlisted contacts that carry an outcome from the start.

    Attributes:
        ratio: Fraction of the unlisted contacts.
        disposition: What they carry.
    """

    ratio: float = 0.0
    disposition: Disposition = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All contacts of a tenant.

    Attributes:
        contacts: Listed contacts by campaign and contact identifier.
        campaign_rates: Campaigns with a request rate of their own.
        open: Whether every contact that is not listed exists, READY and without outcome.
        missing_ratio: Fraction of the unlisted contacts that does not exist after all.
        active_ratio: Fraction of the unlisted contacts that is on a call for about a second
            after its first read.
        held: Unlisted contacts that carry an outcome from the start.
        dispositions: Those of the tenant (ACD API); empty means a usual set.
        inactive_dnc_groups: Numbers of DNC groups that take no record (ACD API).
    """

    contacts: Mapping[tuple[str, str], ContactSpec] = field(default_factory=dict)
    campaign_rates: Mapping[str, int] = field(default_factory=dict)
    open: bool = False
    missing_ratio: float = 0.0
    active_ratio: float = 0.0
    held: Held = field(default_factory=Held)
    dispositions: tuple[CatalogueEntry, ...] = ()
    inactive_dnc_groups: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for ratio in (self.missing_ratio, self.active_ratio, self.held.ratio):
            if not 0.0 <= ratio <= 1.0:
                raise InvalidInputError("a ratio of the world must lie between 0 and 1")
        if min(self.campaign_rates.values(), default=0) < 0:
            raise InvalidInputError("the rate of a campaign must not be negative")

    @classmethod
    def load(cls, path: Path | str) -> World:
        """Read a world file.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it is no JSON or does not describe a world.
        """
        return cls.from_json(json.loads(Path(path).read_text(encoding="utf-8")))

    @classmethod
    def from_json(cls, data: object) -> World:
        """Build a world from the JSON form described in the package's documentation.

        Raises:
            ValueError: If the data does not describe a world.
        """
        return cls().extended_by(data)

    def extended_by(self, data: object) -> World:
        """Return this world with contacts added or replaced and settings overridden.

        Args:
            data: An object in the form of a world file; members left out stay as they are.

        Raises:
            ValueError: If the data does not describe a world.
        """
        known = {"campaigns", "contacts", "open", "missing_ratio", "active_ratio", "held"}
        known |= {"dispositions", "inactive_dnc_groups"}
        members = _members(data, "the world", known)
        contacts = dict(self.contacts)
        for number, item in enumerate(_typed(members, "contacts", list, [])):
            where = f"contact {number} of the world"
            fields = _members(item, where, _CONTACT_FIELDS)
            key = (_identifier(fields, "campaign", where), _identifier(fields, "contact", where))
            contacts[key] = _contact(fields, where)
        rates = dict(self.campaign_rates)
        for campaign, item in _typed(members, "campaigns", dict, {}).items():
            settings = _members(item, f"campaign {campaign}", {"rate"})
            if "rate" in settings:
                rates[campaign] = _typed(settings, "rate", int, 0)
        return replace(
            self,
            contacts=contacts,
            campaign_rates=rates,
            open=_typed(members, "open", bool, self.open),
            missing_ratio=_number(members, "missing_ratio", self.missing_ratio),
            active_ratio=_number(members, "active_ratio", self.active_ratio),
            held=_held(members["held"]) if "held" in members else self.held,
            dispositions=(
                tuple(map(_entry, _typed(members, "dispositions", list, [])))
                if "dispositions" in members
                else self.dispositions
            ),
            inactive_dnc_groups=self.inactive_dnc_groups
            | frozenset(map(int, _typed(members, "inactive_dnc_groups", list, []))),
        )


_DISPOSITION_FIELDS = {"outcome", "agent", "notes", "timestamp", "custom_fields"}
_CONTACT_FIELDS = {"campaign", "contact", "state", "timeline", "refuse", "skill"}
_CONTACT_FIELDS |= _DISPOSITION_FIELDS


def _entry(data: object) -> CatalogueEntry:
    where = "a disposition of the world"
    fields = _members(data, where, {"id", "name", "classification", "active"})
    number = _typed(fields, "id", int, 0)
    if number <= 0:
        raise InvalidInputError(f"{where} needs id, a number above 0")
    name = _identifier(fields, "name", where)
    classification = _typed(fields, "classification", int, None)
    return CatalogueEntry(number, name, classification, _typed(fields, "active", bool, True))


def _contact(fields: Mapping[str, Any], where: str) -> ContactSpec:
    refusal = None
    if fields.get("refuse") is not None:
        refuse = _members(fields["refuse"], where, {"status", "message"})
        status = _typed(refuse, "status", int, 409)
        if status not in REFUSAL_STATUSES:
            raise InvalidInputError(f"{where} can refuse with 400, 401, 403, 409 or 422 only")
        refusal = Refusal(status, _typed(refuse, "message", str, "refused"))
    return ContactSpec(
        state=_typed(fields, "state", str, READY),
        disposition=_disposition(fields),
        timeline=_timeline(_typed(fields, "timeline", list, []), where),
        refusal=refusal,
        skill=_typed(fields, "skill", int, None),
    )


def _timeline(steps: list[Any], where: str) -> Timeline:
    timeline: list[tuple[str, float | None]] = []
    for step in steps:
        match step:
            case [str(state), None]:
                timeline.append((state, None))
            case [str(state), int() | float() as seconds] if seconds >= 0:
                timeline.append((state, float(seconds)))
            case _:
                raise InvalidInputError(
                    f"a timeline step of {where} must be [state, seconds or null]"
                )
    return tuple(timeline)


def _held(data: object) -> Held:
    fields = _members(data, "held", {"ratio"} | _DISPOSITION_FIELDS)
    return Held(_number(fields, "ratio", 0.0), _disposition(fields))


def _disposition(fields: Mapping[str, Any]) -> Disposition:
    return Disposition(
        outcome=_typed(fields, "outcome", str, None),
        agent=_typed(fields, "agent", str, None),
        notes=_typed(fields, "notes", str, None),
        timestamp=_typed(fields, "timestamp", str, None),
        custom_fields=_typed(fields, "custom_fields", dict, {}),
    )


def _members(data: object, where: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidInputError(f"{where} must be a JSON object")
    unknown = sorted(set(data) - known)
    if unknown:
        raise InvalidInputError(f"{where} has unknown members: {', '.join(unknown)}")
    return data


def _identifier(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{where} needs {name}, a text that is not empty")
    return value


def _typed(fields: Mapping[str, Any], name: str, kind: type[T], default: Any) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InvalidInputError(f"{name} must be of type {kind.__name__}")
    return value


def _number(fields: Mapping[str, Any], name: str, default: float) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(f"{name} must be a number")
    return float(value)
