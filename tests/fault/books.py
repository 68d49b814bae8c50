"""The books: what the report says, what the tenant holds and what the CRM heard must agree."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aftercall.domain.report import Report

Identity = tuple[str, str, str, str, datetime]
Entries = Sequence[Mapping[str, Any]]


def written(change: Mapping[str, Any]) -> Identity:
    """Return which disposition a ledger's entry is the landing of."""
    after = change["after"]
    stamp = datetime.fromisoformat(after["dispositionTimestamp"])
    return (
        change["campaign"],
        change["contact"],
        after["outcomeCode"],
        after["agentId"],
        stamp,
    )


def named(told: Mapping[str, Any]) -> Identity:
    """Return which disposition an audit entry or a CRM event is about."""
    stamp = datetime.fromisoformat(told["disposition_timestamp"])
    return (
        told["campaign_id"],
        told["contact_id"],
        told["outcome_code"],
        told["agent_id"],
        stamp,
    )


def trail(*reports: Report) -> list[dict[str, Any]]:
    """Return the audit entries of some runs."""
    return [dict(entry) for report in reports for entry in report.audit_trail]


def assert_books_balance(
    report: Report | Sequence[Report],
    ledger: Entries,
    crm: Entries | None,
    *,
    repeats_allowed: bool = False,
) -> None:
    """Check one journal's runs, all of them, against one tenant's ledger and one CRM.

    Args:
        report: the runs of the journal.
        ledger: all that the tenant committed.
        crm: all that the CRM took; None if there is none.
        repeats_allowed: a write that changes nothing may land on one that did (no ETags).
    """
    reports = [report] if isinstance(report, Report) else list(report)
    entries = trail(*reports)
    settled = [entry for entry in entries if entry["kind"] == "settled"]
    for one in reports:
        assert one.read == sum(one.statuses.values()), "read is not the sum of the statuses"
        assert one.reconciles
    per_row = Counter(entry["row_id"] for entry in settled)
    assert max(per_row.values(), default=1) == 1, "a row has two settled entries"
    assert len(settled) == sum(one.total_processed for one in reports)
    told = Counter(str(entry["status"]) for entry in settled)
    counted: Counter[str] = Counter()
    for one in reports:
        counted.update({status.value: rows for status, rows in one.statuses.items()})
    open_statuses = {"pending", "writing", "deferred", "doubtful"}
    assert told == Counter({k: v for k, v in counted.items() if k not in open_statuses})

    applied = Counter(named(entry) for entry in settled if entry["status"] == "applied")
    assert max(applied.values(), default=1) == 1, "a disposition was applied by two rows"
    changes = Counter(written(change) for change in ledger if change["effective"])
    assert changes == applied, _difference(changes, applied)
    if not repeats_allowed:
        assert all(change["effective"] for change in ledger), "a write was sent again"
    assert not any(change["live_call"] for change in ledger), "a live call was written over"
    if crm is not None:
        _assert_heard(reports, applied, crm)


def _assert_heard(reports: Sequence[Report], applied: Mapping[Identity, int], crm: Entries) -> None:
    """Check that the CRM heard of every applied row under one id, or still waits to."""
    ids: dict[Identity, set[str]] = {}
    for event in crm:
        ids.setdefault(named(event["body"]["data"]), set()).add(event["id"])
    assert all(len(used) == 1 for used in ids.values()), "an event changed its id"
    every = [one for used in ids.values() for one in used]
    assert len(set(every)) == len(every), "two dispositions share an event id"
    assert set(ids) <= set(applied), "the CRM heard of a row that was not applied"
    told: Counter[str] = Counter()
    for report in reports:
        told.update(report.deliveries)
    assert sum(told.values()) == len(applied), "an applied row has no event in the outbox"
    assert told["delivered"] <= len(ids)
    # An event that was taken, but whose answer was lost, waits although the CRM has it.
    assert len(applied) - len(ids) <= told["waiting"] + told["dead"]


def outcomes_held(ledger: Entries) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the effective changes of each contact, in order."""
    held: dict[tuple[str, str], tuple[str, ...]] = {}
    for change in ledger:
        if change["effective"]:
            place = (change["campaign"], change["contact"])
            held[place] = (*held.get(place, ()), change["after"]["outcomeCode"])
    return held


def rows_by_status(*reports: Report) -> Counter[tuple[str, str, str, int]]:
    """Return each settled row: campaign, contact, status and line."""
    return Counter(
        (entry["campaign_id"], entry["contact_id"], str(entry["status"]), entry["line"])
        for entry in trail(*reports)
        if entry["kind"] == "settled"
    )


def as_text(*things: object) -> str:
    """Return everything that could hold a secret as one text."""
    return "\n".join(
        thing if isinstance(thing, str) else json.dumps(thing, default=repr) for thing in things
    )


def _difference(changes: Counter[Identity], applied: Counter[Identity]) -> str:
    extra = list((changes - applied).items())[:3]
    lacking = list((applied - changes).items())[:3]
    return f"landed without an applied row: {extra}; applied but not landed once: {lacking}"
