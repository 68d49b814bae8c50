"""Fills a journal as runs do, thousands of rows to a transaction, with the product's statements.

Each row is admitted, claimed and settled, with its audit entry and its CRM event.
"""

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.journal.sqlite.outbox import record
from aftercall.adapters.journal.sqlite.rows import standing
from aftercall.adapters.journal.sqlite.settling import Conclusion, settle
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.domain.audit import Exchange, Finding, Origin, Subject, audit_entry
from aftercall.domain.commitment import SALT_BYTES, canonical_json
from aftercall.domain.delivery import EventState
from aftercall.domain.key import KEY_BYTES
from aftercall.domain.settlement import Settlement
from aftercall.domain.status import Event, Status
from aftercall.domain.webhook import PUBLIC_FIELDS, event_id
from aftercall.ports import Announcement, DeliveryResult
from benchmarks.rig import OUTCOMES, rows

BATCH = 5_000
RUN = "20261123-120000-0001"
DAY_MS = 86_400_000

FATES = {
    0: (Status.FAILED, "timeout"),
    1: (Status.REJECTED, "refused_409"),
    2: (Status.MISSING, "no_such_contact"),
    3: (Status.UNCHANGED, "same_in_tenant"),
}
EVENTS = {
    Status.APPLIED: Event.APPLY,
    Status.FAILED: Event.EXHAUST,
    Status.REJECTED: Event.REJECT,
    Status.MISSING: Event.MISS,
    Status.UNCHANGED: Event.HOLD,
}
"""What becomes of some of each hundred rows; one stays open, the others are applied."""
OPEN = 99
EVENT_STATES = {5: EventState.DEAD, 6: None}
"""What becomes of some of each hundred events; None: they wait. The others are delivered."""
BODY = canonical_json(dict.fromkeys(PUBLIC_FIELDS, "of the usual length"))


def filled(directory: Path, size: int, campaigns: int, *, settled: bool = False) -> Path:
    """Write a configuration, and beside it a journal of `size` rows; return where that is.

    One of a hundred rows is open, unless all are to be `settled`.
    """
    outcomes = "\n".join(f'{code} = "{category}"' for code, category in OUTCOMES.items())
    directory.joinpath("aftercall.toml").write_text(
        f'[tenant]\nbase_url = "http://127.0.0.1:9"\n[outcomes]\n{outcomes}\n'
    )
    path = directory / "aftercall.db"
    SqliteJournal(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # Nothing here has to survive anything, and each page is written when it is full.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -524288"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("BEGIN")
        _Filling(db, campaigns, settled).fill(size)
        db.execute("COMMIT")
        db.execute("PRAGMA journal_mode = WAL")
    return path


@dataclass
class _Filling:
    """A journal on its way to so many rows."""

    db: sqlite3.Connection
    campaigns: int
    settled: bool
    now_ms: int = time.time_ns() // 1_000_000
    events: int = 0

    def fill(self, size: int) -> None:
        """Store a run and its rows, batch by batch."""
        begun = {"run": RUN, "on_conflict": "newest", "now_ms": self.now_ms}
        run = self.db.execute(statement("begin_run"), begun).lastrowid
        source = {"run": run, "name": "calls.csv", "path": None, "sha256": "ab" * 32}
        self.db.execute(statement("add_source"), source | {"options": "{}", "columns": "[]"})
        names = [{"campaign": f"campaign-{each}"} for each in range(self.campaigns)]
        self.db.executemany(statement("add_campaign"), names)
        given = enumerate(rows(size, self.campaigns), 1)
        while batch := [self._row(number, row) for number, row in islice(given, BATCH)]:
            self._store(batch)
            self.db.execute(statement("count_read"), {"run": run, "rows": len(batch)})
        self.db.execute(statement("finish_intake"), {"run": run})

    def _store(self, batch: Sequence[Mapping[str, Any]]) -> None:
        """Bring rows in, and those that do not stay open to their end."""
        self.db.executemany(statement("add_row"), batch)
        settled = [row for row in batch if self.settled or row["id"] % 100 != OPEN]
        claimed = {"rows": json.dumps([row["id"] for row in settled]), "now_ms": self.now_ms}
        self.db.execute(statement("claim_rows"), claimed)
        conclusions = list(map(self._conclusion, settled))
        settle(self.db, conclusions)
        events = range(self.events + 1, self.events + 1 + _announced(conclusions))
        self.events += len(events)
        record(self.db, list(filter(None, map(self._result, events))))

    def _row(self, number: int, given: Mapping[str, object]) -> Mapping[str, Any]:
        category = OUTCOMES[str(given["outcome"])]
        stamp_ms = self.now_ms - DAY_MS
        absent = ("custom_fields", "event_id", "problems", "settled_ms", "call_record")
        return {
            **dict.fromkeys((*absent, "call_personal")),
            **given,
            "id": number,
            "run": 1,
            "source": 1,
            "line": number + 1,
            "cells": json.dumps(list(given.values())),
            "key": hashlib.sha256(b"%d" % number).digest()[:KEY_BYTES],
            "salt": os.urandom(SALT_BYTES),
            "category": category,
            "timestamp_ms": stamp_ms,
            "status": Status.PENDING,
            **standing(Status.PENDING),
            "reason": "",
            "words": "",
            "lane": 0 if category == "opt_out" else 2,
            "due_ms": self.now_ms,
            "opt_out_received_ms": stamp_ms if category == "opt_out" else None,
        }

    def _conclusion(self, row: Mapping[str, Any]) -> Conclusion:
        number = row["id"]
        status, reason = FATES.get(number % 100, (Status.APPLIED, "written"))
        exchange = Exchange(
            read_ms=20.0 + number * 7919 % 1000 / 20,
            write_ms=25.0 + number * 104_729 % 1000 / 20,
            wait_ms=float(number * 1_299_709 % 1000),
            http_status=204,
        )
        settlement = Settlement(
            row=number,
            serial=1,
            event=EVENTS[status],
            status=status,
            reason=reason,
            words="",
            due_ms=None,
            refund=False,
            doubt=False,
            exchange=exchange,
            entry=audit_entry(_subject(row), Finding(status, reason), exchange, self.now_ms),
            announce=status is Status.APPLIED,
            now_ms=self.now_ms,
        )
        told = Announcement("crm", event_id(RUN, number, "crm"), BODY)
        return Conclusion(settlement, [told] if settlement.announce else [], [])

    def _result(self, number: int) -> DeliveryResult | None:
        """Return what becomes of the event of a number; None if nothing does."""
        state = EVENT_STATES.get(number % 100, EventState.DELIVERED)
        if state is None:
            return None
        return DeliveryResult(
            number=number,
            state=state,
            due_ms=None,
            words="",
            at_ms=self.now_ms,
            latency_ms=41.5,
            status=200,
            answer="",
            gone=False,
        )


def _announced(conclusions: Sequence[Conclusion]) -> int:
    return sum(len(one.announcements) for one in conclusions)


def _subject(row: Mapping[str, Any]) -> Subject:
    named = ("campaign", "contact", "outcome", "agent", "category", "timestamp_ms", "salt")
    return Subject(
        row=row["id"],
        origin=Origin(RUN, "calls.csv", row["line"], "ab" * 32),
        attempt=1,
        personal={"notes": row["notes"]},
        **{name: row[name] for name in named},
    )
