"""Settling claimed rows: all that is settled in one commit, in a few statements."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aftercall.adapters.journal.sqlite.follow_ups import add_follow_up
from aftercall.adapters.journal.sqlite.rows import add_entries, entry_values, standing
from aftercall.adapters.journal.sqlite.statements import execute_for_all, statement
from aftercall.domain.audit import Exchange
from aftercall.domain.follow_ups import NewFollowUp
from aftercall.domain.settlement import Settlement
from aftercall.domain.status import HOLDING, LANDED, NEWER, SETTLED, Event
from aftercall.ports import Announcement

STANDING = HOLDING & NEWER
"""A claimed row holds its key and counts; in one of these it goes on doing both."""


_Claim = tuple[int, int]
"""The number of a row, and how often it was claimed."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A settlement with what is stored beside it: the CRM's events and the follow-ups."""

    settlement: Settlement
    announcements: Sequence[Announcement]
    follow_ups: Sequence[NewFollowUp]


@dataclass(frozen=True, slots=True)
class _Before:
    """What a row says before it is settled: its run's number, and how long its last visit took."""

    run: int
    wait_ms: float | None
    read_ms: float | None
    write_ms: float | None


def settle(db: sqlite3.Connection, conclusions: Sequence[Conclusion]) -> Sequence[bool]:
    """Store settlements; say of each whether it counted: not if the row was claimed anew.

    Each has its audit entry, its CRM events and its follow-ups in the same transaction.
    """
    before = _standing_claims(db, [one.settlement for one in conclusions])
    won: list[Conclusion] = []
    counts: list[bool] = []
    left = set(before)
    for one in conclusions:
        claim = _claim(one.settlement)
        counts.append(claim in left)
        if claim in left:
            # Each claim is settled once, if it is handed over several times.
            left.remove(claim)
            won.append(one)
    settlements = [one.settlement for one in won]
    execute_for_all(db, "settle_rows", [_settled_values(one) for one in settlements])
    _stand_aside(db, settlements)
    _count_latencies(db, settlements, before)
    landed = [one.row for one in settlements if one.status in LANDED]
    db.execute(statement("mark_overwritten"), {"rows": json.dumps(landed)})
    add_entries(
        db,
        [
            entry_values(before[_claim(one)].run, one.entry, one.now_ms)
            for one in settlements
            if one.entry is not None
        ],
    )
    for one in won:
        for new in one.follow_ups:
            run, now_ms = before[_claim(one.settlement)].run, one.settlement.now_ms
            add_follow_up(db, one.settlement.row, run, new, now_ms)
    execute_for_all(db, "add_events", [event for one in won for event in _event_values(one)])
    return counts


def _claim(settlement: Settlement) -> _Claim:
    return settlement.row, settlement.serial


def _standing_claims(
    db: sqlite3.Connection, settlements: Sequence[Settlement]
) -> Mapping[_Claim, _Before]:
    """Return the claims of rows that were not claimed anew."""
    found: dict[_Claim, _Before] = {}
    for listed in execute_for_all(db, "standing_claims", list(map(_claim, settlements))):
        found |= {(row, serial): _Before(*facts) for row, serial, *facts in json.loads(listed[0])}
    return found


def _settled_values(settlement: Settlement) -> tuple[object, ...]:
    exchange = settlement.exchange
    return (
        settlement.row,
        settlement.serial,
        settlement.status,
        settlement.reason,
        settlement.words,
        settlement.due_ms,
        settlement.refund,
        settlement.doubt,
        settlement.event is Event.DEFER,
        exchange.wait_ms,
        exchange.read_ms,
        exchange.write_ms,
        settlement.now_ms,
        settlement.now_ms if settlement.status in SETTLED else None,
    )


def _stand_aside(db: sqlite3.Connection, settlements: Sequence[Settlement]) -> None:
    for one in settlements:
        if one.status not in STANDING:
            db.execute(statement("stand_aside"), {"id": one.row, **standing(one.status)})


def _count_latencies(
    db: sqlite3.Connection, settlements: Sequence[Settlement], before: Mapping[_Claim, _Before]
) -> None:
    """Count how long rows took that were sent; of a row that was sent before, the last time."""
    visits: list[tuple[object, ...]] = []
    for one in settlements:
        known = before[_claim(one)]
        for visit, times in ((known, -1), (one.exchange, 1)):
            if visit.read_ms is not None:
                visits.append((known.run, *_phases(visit), times))
    added: dict[tuple[int, str, float], tuple[int, int, float]] = {}
    for listed in execute_for_all(db, "latencies_of_visits", visits):
        for run, phase, ms, *more in json.loads(listed[0]):
            # A statement that is told the same count twice adds only one of both.
            rows, total_us, max_ms = added.get((run, phase, ms), (0, 0, 0.0))
            added[run, phase, ms] = rows + more[0], total_us + more[1], max(max_ms, more[2])
    execute_for_all(db, "begin_latencies", list(added))
    execute_for_all(db, "add_latencies", [(*which, *much) for which, much in added.items()])


def _phases(visit: _Before | Exchange) -> tuple[float | None, float | None, float | None]:
    return visit.wait_ms, visit.read_ms, visit.write_ms


def _event_values(conclusion: Conclusion) -> list[tuple[object, ...]]:
    row, now_ms = conclusion.settlement.row, conclusion.settlement.now_ms
    return [(one.event_id, one.endpoint, row, one.body, now_ms) for one in conclusion.announcements]
