"""Gaps: which calls lack which of the fields that the rule about call records asks for."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aftercall.domain.audit import Kind
from aftercall.domain.call_record import missing_of
from aftercall.ports import Archive, AuditFilter


@dataclass(frozen=True, slots=True)
class Gap:
    """One call with what its record lacks."""

    row: int
    run: str
    source: str
    line: int
    campaign: str
    contact: str
    missing: tuple[str, ...]


@dataclass(slots=True)
class Gaps:
    """All calls that were looked at.

    Attributes:
        calls: how many there are.
        complete: how many of them lack nothing.
        lacking: how many lack a field, by field and campaign.
        listed: the first of those that lack something.
    """

    calls: int = 0
    complete: int = 0
    lacking: Counter[tuple[str, str]] = field(default_factory=Counter)
    listed: list[Gap] = field(default_factory=list)


def gaps_of(archive: Archive, asked: AuditFilter, listed_max: int) -> Gaps:
    """Look through audit entries for call records that are not complete.

    A row is one call, however many entries it has. What it lacks and a later feed of the same
    disposition brings is not lacking.
    """
    found, seen = Gaps(), _Seen()
    for row, text in archive.call_entries(asked):
        entry = json.loads(text)
        if entry["kind"] != Kind.SETTLED or not seen.first_time(row):
            continue
        missing = _missing(entry)
        if missing:
            missing = _missing(entry, (json.loads(one) for one in archive.entries_of_repeats(row)))
        found.calls += 1
        found.complete += not missing
        found.lacking.update((name, entry["campaign_id"]) for name in missing)
        if missing and len(found.listed) < listed_max:
            found.listed.append(_gap(entry, missing))
    return found


def _missing(entry: Mapping[str, Any], repeats: Iterable[Mapping[str, Any]] = ()) -> list[str]:
    record: dict[str, Any] = {}
    present: set[str] = set()
    for one in (entry, *repeats):
        # What the first entry says is what was said at the time.
        record = {**(one.get("call_record") or {}), **record}
        present |= (one.get("commitments") or {}).keys()
    return missing_of(record, present | record.keys())


def _gap(entry: Mapping[str, Any], missing: Iterable[str]) -> Gap:
    return Gap(
        row=entry["row_id"],
        run=entry["run_id"],
        source=entry["source"],
        line=entry["line"],
        campaign=entry["campaign_id"],
        contact=entry["contact_id"],
        missing=tuple(missing),
    )


class _Seen:
    """The rows that were counted: one bit each, so that a million of them cost little."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def first_time(self, row: int) -> bool:
        """Say whether `row` was not asked about before."""
        place, bit = divmod(row, 8)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits) + 4096))
        new = not self._bits[place] >> bit & 1
        self._bits[place] |= 1 << bit
        return new
