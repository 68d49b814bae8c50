"""The read side of the journal: a connection of its own, which never holds a writer up."""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from aftercall.adapters.journal.sqlite import opt_outs
from aftercall.adapters.journal.sqlite.connection import told
from aftercall.adapters.journal.sqlite.events import SqliteEvents
from aftercall.adapters.journal.sqlite.follow_ups import SqliteFollowUpArchive
from aftercall.adapters.journal.sqlite.reading import Reading
from aftercall.adapters.journal.sqlite.rows import filter_values, run_number
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.domain.opt_outs import OptOutFilter, OptOutRow
from aftercall.domain.report import CampaignPace, LatencyCount, Tally
from aftercall.domain.status import Status
from aftercall.ports import (
    AuditFilter,
    RowRecord,
    RunRecord,
    SourceRecord,
    WaitingOutcome,
    WaitingRows,
)

ALL = -1
"""As a limit: there is none."""


class SqliteArchive(Reading):
    """What reports, listings and result files are made of."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        super().__init__(db, path)
        self.crm = SqliteEvents(db, path)
        self.follow_ups = SqliteFollowUpArchive(db, path)

    def runs(self, run: str | None = None, most: int | None = None) -> Sequence[RunRecord]:
        """Return one run, or all runs or so many, the newest first."""
        name = "runs" if run is None else "one_run"
        asked = {"run": run, "most": ALL if most is None else most}
        with told(self._path):
            return [self._run(row) for row in self._db.execute(statement(name), asked)]

    def count_runs(self) -> int:
        """Count all runs."""
        with told(self._path):
            return int(self._db.execute(statement("count_runs")).fetchone()[0])

    def newest_open_run(self) -> str | None:
        """Return the newest run with rows that are open or were not read yet."""
        with told(self._path):
            found = self._db.execute(statement("newest_open_run")).fetchone()
            return None if found is None else str(found["id"])

    def _run(self, row: sqlite3.Row) -> RunRecord:
        found = self._db.execute(statement("sources"), {"run": row["number"]})
        return RunRecord(
            run=row["id"],
            started_ms=row["started_ms"],
            worked_ms=row["worked_ms"],
            read=row["rows_read"],
            intake_complete=bool(row["intake_complete"]),
            sources=tuple(_source(source, row["id"]) for source in found),
        )

    def tallies(self, run: str) -> Sequence[Tally]:
        """Count the rows of a run."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            found = self._db.execute(statement("tallies"), asked)
            return [Tally(Status(row["status"]), *tuple(row)[1:]) for row in found]

    def standings(self, run: str) -> Mapping[Status, int]:
        """Count the rows of a run by status."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            found = self._db.execute(statement("standings"), asked)
            return {Status(status): rows for status, rows in found}

    def latencies(self, run: str) -> Sequence[LatencyCount]:
        """Return how long the rows of a run took that were sent, counted by phase and time."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            return [LatencyCount(*row) for row in self._db.execute(statement("latencies"), asked)]

    def rows(self, run: str, statuses: Collection[Status]) -> Iterator[RowRecord]:
        """Yield the rows of a run that have one of `statuses`, in the order of the input."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            for row in self._db.execute(statement("rows_of_run"), asked):
                if row["status"] in statuses:
                    yield _row(row)

    def first_rows(self, run: str, statuses: Collection[Status], most: int) -> Sequence[RowRecord]:
        """Return the first rows of a run that have one of `statuses`, as many as are asked for."""
        with told(self._path):
            listed = json.dumps(sorted(statuses))
            asked = {"run": run_number(self._db, run), "statuses": listed, "most": most}
            return list(map(_row, self._db.execute(statement("first_rows"), asked)))

    def pace(self, run: str) -> Sequence[CampaignPace]:
        """Return the requests of a run per campaign."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            return [
                CampaignPace(*tuple(row)[1:]) for row in self._db.execute(statement("pace"), asked)
            ]

    def paused(self, now_us: int) -> Mapping[str, int]:
        """Return until when campaigns give no slot, those of which that lies ahead."""
        with told(self._path):
            return dict(map(tuple, self._db.execute(statement("paused"), {"now_us": now_us})))

    def open_rows(self) -> Mapping[str, int]:
        """Count the rows of all runs that are still to be worked on, by campaign."""
        counted: Counter[str] = Counter()
        with told(self._path):
            for campaign, rows in self._db.execute(statement("open_rows")):
                counted[campaign] += rows
        return counted

    def waiting(self, run: str) -> Sequence[WaitingRows]:
        """Say what the next turns would make of a run's waiting rows, by campaign."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            return [WaitingRows(*row) for row in self._db.execute(statement("forecast"), asked)]

    def waiting_outcomes(self, run: str) -> Sequence[WaitingOutcome]:
        """Count the waiting rows of a run that the next turns would write, by outcome."""
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            found = self._db.execute(statement("forecast_outcomes"), asked)
            return [WaitingOutcome(*row) for row in found]

    def opt_outs(self, asked: OptOutFilter, slow_ms: int | None = None) -> Iterator[OptOutRow]:
        """Yield opt-outs with a clock of their own, the nearest deadline first.

        With `slow_ms` those are left out that the tenant has held since less than that after they
        were received, and still holds for all that the journal knows.
        """
        with told(self._path):
            yield from opt_outs.opt_outs(self._db, asked, slow_ms)

    def count_opt_outs(self, asked: OptOutFilter) -> int:
        """Count opt-outs with a clock of their own."""
        with told(self._path):
            return opt_outs.count(self._db, asked)

    def opt_out(self, row: int) -> OptOutRow | None:
        """Return the opt-out of a number; None if there is no such row or it is none."""
        with told(self._path):
            return opt_outs.opt_out(self._db, row)

    def opt_outs_of_run(self, run: str, slow_ms: int) -> tuple[int, int, Iterator[OptOutRow]]:
        """Count the opt-outs of a run, and yield those not brought to the tenant, or slowly.

        The second number is that of valid ones whose call record was not taken over whole.
        """
        with told(self._path):
            asked = {"run": run_number(self._db, run)}
            found = self._db.execute(statement("count_opt_outs_of_run"), asked)
            total, partial = found.fetchone()
        return total, partial, opt_outs.to_judge(self._db, run, slow_ms)

    def call_entries(self, asked: AuditFilter) -> Iterator[tuple[int, str]]:
        """Yield the number and the entries of rows that stand for a call each."""
        with told(self._path):
            values = filter_values(self._db, asked)
            name = "call_entries" if asked.run is None else "call_entries_of_run"
            for row in self._db.execute(statement(name), values):
                yield row["row"], row["entry"]

    def entries_of_repeats(self, row: int) -> Iterator[str]:
        """Yield entries of the same disposition as that of `row`, fed again with a call record."""
        with told(self._path):
            for found in self._db.execute(statement("entries_of_repeats"), {"row": row}):
                yield found["entry"]

    def entries(self, asked: AuditFilter) -> Iterator[str]:
        """Yield audit entries as JSON texts, in the order in which they were stored."""
        with told(self._path):
            values = filter_values(self._db, asked)
            name = "entries"
            if asked.run is not None:
                name = "entries_of_run"
            elif asked.contact is not None:
                name = "entries_of_contact"
            for row in self._db.execute(statement(name), values):
                yield row["entry"]


def _row(row: sqlite3.Row) -> RowRecord:
    return RowRecord(**dict(row) | {"status": Status(row["status"])})


def _source(row: sqlite3.Row, run: str) -> SourceRecord:
    return SourceRecord(
        number=row["number"],
        run=run,
        name=row["name"],
        path=row["path"],
        sha256=row["sha256"],
        options=json.loads(row["options"]),
        columns=tuple(json.loads(row["columns"])),
        rows_read=row["rows_read"],
        complete=bool(row["complete"]),
    )
