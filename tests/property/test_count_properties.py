"""What is counted as it comes is what would be counted anew, after any history of a journal."""

import asyncio
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.domain.business_days import Calendar
from aftercall.domain.delivery import EventState
from aftercall.domain.opt_outs import OptOutFilter, Standing, Terms
from aftercall.domain.status import HOLDING, LANDED, NEWER, OPEN, REFUSED, Status
from aftercall.ports import Archive, EventFilter
from aftercall.wiring.opt_outs import judged, unsure
from tests.contract.rig import Rig

from .journal_history import CONTACTS, ENDPOINTS, RUNS, Player, histories

TERMS = [
    Terms(Calendar(ZoneInfo("America/New_York"), ()), days, 3, frozenset({"DO_NOT_CALL"}))
    for days in (1, 10)
]
MANY = 10**6
BEFORE = """
DROP INDEX row_holder; DROP INDEX row_contact;
ALTER TABLE row DROP COLUMN holds; ALTER TABLE row DROP COLUMN counts;
CREATE UNIQUE INDEX row_holder ON row (key) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged', 'superseded');
CREATE INDEX row_contact ON row (campaign, contact, timestamp_ms, id) WHERE status IN (
    'pending', 'writing', 'deferred', 'doubtful', 'applied', 'unchanged',
    'missing', 'rejected', 'failed');
DROP TABLE run_latency; DROP INDEX row_standing; DROP INDEX source_run;
DROP INDEX row_opt_out; DROP INDEX row_opt_out_took; DROP INDEX row_opt_out_partial;
ALTER TABLE row DROP COLUMN overwritten;
CREATE INDEX row_open ON row (run) WHERE status IN ('pending', 'writing', 'deferred', 'doubtful');
CREATE INDEX row_opt_out ON row (opt_out_received_ms, id) WHERE opt_out_received_ms IS NOT NULL;
CREATE INDEX row_opt_out_run ON row (run, status) WHERE opt_out_received_ms IS NOT NULL;
PRAGMA user_version = 7;
"""
"""Takes a journal back to the schema before what is counted here."""


def stored(path: Path) -> list[sqlite3.Row]:
    """Read all rows past the journal."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        return db.execute(
            "SELECT r.*, u.id AS run_id FROM row r JOIN run u ON u.number = r.run ORDER BY r.id"
        ).fetchall()


def counts_are_right(archive: Archive, rows: Sequence[sqlite3.Row]) -> None:
    for row in rows:
        stands = (row["status"] in HOLDING, row["status"] in NEWER)
        assert (bool(row["holds"]), bool(row["counts"])) == stands, dict(row)
    for run in RUNS:
        mine = [row for row in rows if row["run_id"] == run]
        groups = Counter(
            (row["status"], row["reason"], row["campaign"], row["outcome"]) for row in mine
        )
        told = archive.tallies(run)
        assert (
            Counter({(one.status, one.reason, one.campaign, one.outcome): one.rows for one in told})
            == groups
        )
        assert archive.standings(run) == Counter(row["status"] for row in mine)
        assert archive.runs(run)[0].read == len(mine)
        latencies_are_right(archive, run, mine)
        for statuses in (REFUSED, OPEN, LANDED, {Status.SUPERSEDED}):
            assert archive.first_rows(run, statuses, 2) == list(archive.rows(run, statuses))[:2]
    still_open = [row["run_id"] for row in rows if row["status"] in OPEN]
    unread = [one.run for one in archive.runs() if not one.intake_complete]
    assert archive.newest_open_run() == max([*still_open, *unread], default=None)


def latencies_are_right(archive: Archive, run: str, rows: Sequence[sqlite3.Row]) -> None:
    took: dict[tuple[str, float], list[float]] = {}
    for row in rows:
        if row["read_ms"] is None:
            continue
        both = row["read_ms"] + (row["write_ms"] or 0.0)
        times = {"wait": row["wait_ms"], "read": row["read_ms"], "write": row["write_ms"]}
        for phase, ms in (times | {"row": both}).items():
            if ms is not None:
                took.setdefault((phase, float(f"{ms:.2e}")), []).append(ms)
    told = {(one.phase, one.ms): one for one in archive.latencies(run)}
    assert {which: one.rows for which, one in told.items()} == {
        which: len(some) for which, some in took.items()
    }
    for which, some in took.items():
        assert told[which].total_us == sum(round(ms * 1000) for ms in some)
        assert told[which].max_ms >= max(some)
        assert told[which].max_ms == pytest.approx(max(some), rel=0.01, abs=1e-6)


def opt_outs_are_right(archive: Archive, at_ms: int) -> None:
    filters = [OptOutFilter(*which) for which in product((None, "C1"), (None, "P1"))]
    filters += [OptOutFilter(since_ms=at_ms - 10**9), OptOutFilter(until_ms=at_ms - 10**9)]
    for asked, terms in product(filters, TERMS):
        every = list(judged(archive, asked, terms, at_ms))
        doubtful = list(unsure(archive, asked, terms, at_ms))
        assert [one for one in every if one.standing is not Standing.APPLIED] == [
            one for one in doubtful if one.standing is not Standing.APPLIED
        ]
        assert archive.count_opt_outs(asked) == len(every)
    for run in RUNS:
        mine = [one for one in archive.opt_outs(OptOutFilter()) if one.run == run]
        for slow_ms in (0, 10**9):
            total, partial, rest = archive.opt_outs_of_run(run, slow_ms)
            assert (total, partial) == (len(mine), 0)
            assert [one.row for one in rest] == [
                one.row
                for one in mine
                if one.status not in LANDED or (one.settled_ms or 0) - one.received_ms >= slow_ms
            ]


def events_are_right(archive: Archive) -> None:
    every = archive.crm.find(EventFilter(), MANY)
    assert archive.crm.count() == Counter(one.state for one in every)
    for name in RUNS:
        mine = [one.state for one in every if one.run == name]
        assert archive.crm.count(name) == Counter(mine)
    for state, endpoint, run, contact in product(
        (None, *EventState), (None, *ENDPOINTS), (None, *RUNS, "run-9"), (None, *CONTACTS)
    ):
        asked = EventFilter(state, endpoint, run, contact)
        meant = [
            one
            for one in every
            if state in {None, one.state}
            and endpoint in {None, one.endpoint}
            and run in {None, one.run}
            and contact in {None, one.contact}
        ]
        assert archive.crm.find(asked, 2) == meant[:2], asked
        told = {(one.endpoint, one.state): one.events for one in archive.crm.tally(asked)}
        assert told == Counter((one.endpoint, one.state) for one in meant), asked


def all_is_right(journal: SqliteJournal, path: Path, at_ms: int) -> None:
    counts_are_right(journal.archive, stored(path))
    opt_outs_are_right(journal.archive, at_ms)
    events_are_right(journal.archive)


def test_after_any_history_what_is_counted_is_what_there_is() -> None:
    happened: Counter[str] = Counter()

    @settings(max_examples=40)
    @given(history=histories)
    def check(history: Sequence[Any]) -> None:
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "journal.db"
            journal = SqliteJournal(path)
            player = Player(Rig(journal))
            asyncio.run(player.play(history))
            all_is_right(journal, path, player.at_ms)
            happened.update(player.happened)
            journal.close()
            # The same of a journal that an earlier aftercall has written.
            with closing(sqlite3.connect(path)) as db:
                db.executescript(BEFORE)
            journal = SqliteJournal(path)
            all_is_right(journal, path, player.at_ms)
            journal.close()

    check()
    kinds = {"admit", "work", "die", "retry", "deliver", "replay", "acknowledge", "erase", "expire"}
    assert set(+happened) == kinds, "a history without some of it shows nothing of that"
