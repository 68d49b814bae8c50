"""Which column of an input is which field of a disposition."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aftercall.domain.call_record import NAMES as CALL_FIELDS
from aftercall.domain.cells import is_absent
from aftercall.domain.disposition import CANONICAL

ALIASES: Mapping[str, tuple[str, ...]] = {
    "campaign": ("campaign", "campaign_id", "campaignid"),
    "contact": ("contact", "contact_id", "contactid"),
    "outcome": ("outcome", "outcome_code", "outcomecode", "disposition", "disposition_code"),
    "agent": ("agent", "agent_id", "agentid"),
    "notes": ("notes", "note", "comment", "comments"),
    "custom_fields": ("custom_fields", "customfields"),
    "timestamp": ("timestamp", "disposition_timestamp", "dispositiontimestamp"),
    "event_id": ("event_id", "eventid"),
    "opt_out_received_at": ("opt_out_received_at", "opt_out_at"),
    "call_record": ("call_record",),
    **{name: (name,) for name in CALL_FIELDS},
}
"""Names that are understood without being told, best first; case and `-`, `_`, blank alike."""

REQUIRED = ("campaign", "contact", "outcome", "agent")

CUSTOM_PREFIX = "custom."
"""A column ``custom.NAME`` is the custom field NAME."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How an input's columns become a disposition's fields.

    Attributes:
        columns: field to column, as configured; what is not named is found by `ALIASES`.
        constants: field to the value that every row has, whatever the input says.
        defaults: field to the value of rows whose cell is empty.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, object] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)

    def places(self, names: Iterable[str]) -> dict[str, str]:
        """Return the field for each of the input's column `names` that is one."""
        given = list(names)
        by_alias: dict[str, str] = {}
        for name in given:
            by_alias.setdefault(_plain(name), name)
        places: dict[str, str] = {}
        for one in CANONICAL:
            if one in self.columns:
                if self.columns[one] in given:
                    places[self.columns[one]] = one
                continue
            found = next(
                (by_alias[_plain(alias)] for alias in ALIASES[one] if _plain(alias) in by_alias),
                None,
            )
            if found is not None and found not in places:
                places[found] = one
        return places

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the required fields that neither the columns `names` nor the map provide.

        A column that the configuration names and the input lacks is missing, too.
        """
        given = list(names)
        found = set(self.places(given).values()) | set(self.constants) | set(self.defaults)
        lost = [one for one, name in self.columns.items() if name not in given]
        return tuple(
            one
            for one in CANONICAL
            if (one in REQUIRED and one not in found)
            or (one in lost and one not in self.constants and one not in self.defaults)
        )

    def canonical(
        self, cells: Mapping[str, object], places: Mapping[str, str]
    ) -> dict[str, object]:
        """Return the fields of one row."""
        fields: dict[str, object] = {places[name]: cells[name] for name in places if name in cells}
        custom = {
            name[len(CUSTOM_PREFIX) :]: cell
            for name, cell in cells.items()
            if name.startswith(CUSTOM_PREFIX) and not is_absent(cell)
        }
        if custom and is_absent(fields.get("custom_fields")):
            fields["custom_fields"] = custom
        for name, value in self.defaults.items():
            if is_absent(fields.get(name)):
                fields[name] = value
        fields.update(self.constants)
        return fields


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()
