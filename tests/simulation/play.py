"""Playing a history: the real engine, process after process, in the simulated world."""

import asyncio
import logging
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from aftercall.adapters.journal.sqlite.archive import SqliteArchive
from aftercall.adapters.journal.sqlite.audit_log import SqliteAuditLog
from aftercall.adapters.journal.sqlite.claims import SqliteClaims
from aftercall.adapters.journal.sqlite.follow_ups import SqliteFollowUps
from aftercall.adapters.journal.sqlite.intake import SqliteIntake
from aftercall.adapters.journal.sqlite.outbox import SqliteOutbox
from aftercall.adapters.journal.sqlite.pacing import SqlitePacing
from aftercall.adapters.sources import rows_of
from aftercall.domain import instant
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Rules
from aftercall.domain.outcomes import Category
from aftercall.domain.pacing import Pace
from aftercall.domain.retry import DeferPolicy, RetryPolicy
from aftercall.domain.settlement import WritePolicy
from aftercall.domain.webhook import Subscription
from aftercall.engine import intake
from aftercall.engine.delivery import Endpoint, Line
from aftercall.engine.halt import Halt
from aftercall.engine.intake import RawRow, Reader, Reading
from aftercall.engine.rounds import TurnLimits
from aftercall.engine.run import Input, Journal, Outside, Plan, Run
from aftercall.errors import Interrupted, JournalError, Paused
from aftercall.ports import Candidate, SourceRecord

from .books import Books
from .disk import PATH, SteppedWriter, new_disk
from .history import End, History, Row, history_of
from .network import Network, Wire
from .referee import Referee, Violation
from .surfaces import IDENTITIES, TENANTS, target_of
from .tenant import CRM_KEY, Crm, stamp
from .virtual import Ended, Timeline, VirtualLoop, abandon

WORLD_BEGINS = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
RUN_SECONDS_MAX = 6 * 3600.0
STOP_SECONDS_MAX = 120.0
PROCESSES_MAX = 14
CALM_PAUSES = (1.0, 120.0, 900.0, 3700.0, 90_000.0, 90_000.0)
"""How long the machine is left alone between the resumes after the last fault."""

CATEGORIES = {
    "INTERESTED": Category.POSITIVE,
    "NOT_INTERESTED": Category.NEGATIVE,
    "CALL_BACK": Category.CALLBACK,
    "DO_NOT_CALL": Category.OPT_OUT,
    "NO_ANSWER": Category.UNREACHABLE,
}


Opening = Callable[[], Awaitable[Sequence[Input]]]


class Stuck(Ended):
    """A run does not end."""


@dataclass
class Outcome:
    """What became of a history."""

    history: History
    violations: list[Violation] = field(default_factory=list)
    processes: int = 0
    steps: int = 0
    requests: int = 0
    seconds: float = 0.0
    fired: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, float] = field(default_factory=dict)

    @property
    def broken(self) -> str | None:
        """The name of the first violation."""
        return self.violations[0].name if self.violations else None


class StepFeed:
    """Takes the place of the thread that reads an input ahead."""

    def __init__(self, rows: Iterator[RawRow], reader: Reader) -> None:
        self._rows = iter(rows)
        self._reader = reader

    async def next_batch(self, halt: Halt) -> Sequence[Candidate] | None:
        await asyncio.sleep(0.001)
        if halt.thrown:
            return None
        return [self._reader.candidate(row) for row in islice(self._rows, intake.ROWS_AT_ONCE)]


@contextmanager
def stepped(rows_at_once: int) -> Iterator[None]:
    """Have inputs read step by step instead of in a thread, in batches of a given size."""
    kept = intake.Feed, intake.ROWS_AT_ONCE
    setattr(intake, "Feed", StepFeed)  # noqa: B010 - a stand-in with the same two methods
    intake.ROWS_AT_ONCE = rows_at_once
    try:
        yield
    finally:
        setattr(intake, "Feed", kept[0])  # noqa: B010
        intake.ROWS_AT_ONCE = kept[1]


def _cells(row: Row) -> dict[str, object]:
    return {
        "campaign": row.campaign,
        "contact": row.contact,
        "outcome": "no such code" if row.broken else row.outcome,
        "agent": row.agent,
        "notes": f"canary-note of {row.contact}",
        "timestamp": None if row.minute is None else stamp(row.minute),
        "event_id": row.event,
    }


class Machine:
    """One machine with one journal: processes come and go on it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.timeline = Timeline(int(WORLD_BEGINS.timestamp() * 1_000_000))
        self.tenant = TENANTS[history.surface](history, self.timeline)
        self.crm = Crm()
        self.disk = new_disk()
        self.network = Network(history, self.timeline, self.tenant, self.crm)
        self.referee = Referee(history, self.timeline, self.tenant, self.crm, self.disk)
        self.network.heard = self.referee.heard
        self.archive = SqliteArchive(self.disk, PATH)
        self.outcome = Outcome(history, self.referee.violations)
        self._disk_failed = False
        for jump in history.jumps:
            self.timeline.at(jump.at, lambda by=jump.seconds: self.timeline.jump(by))  # type: ignore[misc]

    def live(self) -> Outcome:
        """Let the whole history happen."""
        with stepped(self.history.rows_at_once):
            while self._work_left() and self.outcome.processes < PROCESSES_MAX:
                self._process()
                gap = self.network.chance("gap", self.outcome.processes)
                self.timeline.pass_by(0.05 + 60.0 * gap**4)
                if self.referee.violations:
                    return self._told()
            self.network.calm = True
            for pause in CALM_PAUSES:
                self.timeline.pass_by(pause)
                self._process()
                if self.referee.violations:
                    return self._told()
                if not self._work_left() and not self._events_left():
                    break
        Books(self.history, self.disk, self.tenant, self.crm, self.referee).balance()
        return self._told()

    def _told(self) -> Outcome:
        outcome = self.outcome
        outcome.requests = self.referee.requests
        outcome.seconds = self.timeline.now
        outcome.firsts = self.referee.firsts
        outcome.fired = self.network.fired
        for row in self.disk.ask("SELECT status, reason FROM row"):
            outcome.statuses[f"{row['status']} {row['reason']}".strip()] += 1
        self.disk.close()
        return outcome

    @property
    def fed(self) -> int:
        """How many inputs the journal knows of."""
        return len(self.archive.runs())

    def _work_left(self) -> bool:
        return self.fed < len(self.history.inputs) or self.archive.newest_open_run() is not None

    def _events_left(self) -> bool:
        return bool(self.disk.ask("SELECT 1 FROM outbox WHERE state = 'waiting' LIMIT 1"))

    def _process(self) -> None:
        """Start a process, as a user does: go on with what is open, or feed the next input."""
        number, self.outcome.processes = self.outcome.processes, self.outcome.processes + 1
        end = None
        if not self.network.calm:
            end = next((one for one in self.history.ends if one.process == number), None)
        self.disk.powered_up()
        self.referee.begin_process(lost_pauses=self._disk_failed)
        steps = end.count if end is not None and end.kind == "step" else None
        loop = VirtualLoop(self.timeline, steps)
        self.timeline.after(RUN_SECONDS_MAX, lambda: _stuck(loop))
        writer = SteppedWriter(self.disk, loop, lambda: self.network.chance("disk", loop.steps))
        run = self._run(writer, loop)
        if end is not None and end.kind == "stop":
            self._stop_later(run, loop, end.count / 10)
        work = self._work(run, writer, self._opening(run))
        self._arm(end)
        how = self._run_process(loop, work, end)
        self.referee.end_process()
        self._disk_failed = how == "journal"
        if how == "done" and run.halt.thrown:
            how = "stopped"
        self.disk.powered_up()
        self.outcome.ends[how] += 1
        self.outcome.steps += loop.steps
        for trouble in loop.troubles:
            self.referee.broken("traceback", repr(trouble))

    def _run_process(
        self, loop: VirtualLoop, work: Coroutine[Any, Any, None], end: End | None
    ) -> str:
        """Run a process to its end and say how it ended."""
        how = "done"
        try:
            loop.run_until_complete(work)
        except Ended as gone:
            if type(gone).__name__ != "Died":
                self.referee.broken(type(gone).__name__.lower(), str(gone))
            abandon(loop)
            return type(gone).__name__
        except JournalError as trouble:
            how = "journal"
            if end is None or end.kind not in {"full", "locked"}:
                self.referee.broken("journal", trouble.message)
        except Interrupted:
            how = "stopped"
        except Paused as reason:
            how = type(reason).__name__
            if self.network.calm:
                self.referee.broken("liveness", reason.message)
        except Exception as trouble:  # noqa: BLE001 - whatever it is, it is a finding
            how = "traceback"
            self.referee.broken("traceback", repr(trouble))
        _wind_up(loop)
        loop.close()
        return how

    async def _work(self, run: Run, writer: SteppedWriter, opening: Opening) -> None:
        """Work on a run as `aftercall.wiring.Session.perform` does."""
        try:
            await run.work(opening)
        finally:
            with suppress(JournalError):
                writer.close()

    def _arm(self, end: End | None) -> None:
        disk = self.disk
        match end:
            case End(kind="statement", count=count):
                disk.dies_at_statement = count
            case End(kind="committed", count=count):
                disk.dies_after_commit = count
            case End(kind="full", count=count):
                disk.fails_at_commit, disk.failure = count, "database or disk is full"
            case End(kind="locked", count=count):
                disk.fails_at_commit, disk.failure = count, "database is locked"

    def _stop_later(self, run: Run, loop: VirtualLoop, seconds: float) -> None:
        def stop() -> None:
            if not loop.is_closed():
                run.halt.throw(Interrupted("stopped"))
                self.timeline.after(STOP_SECONDS_MAX, lambda: _stuck(loop))

        self.timeline.after(seconds, stop)

    def _run(self, writer: SteppedWriter, loop: VirtualLoop) -> Run:
        journal = Journal(
            SqliteIntake(writer),
            SqliteClaims(writer),
            SqlitePacing(writer),
            SqliteOutbox(writer, self.disk, PATH),
            SqliteAuditLog(writer, self.disk, PATH),
            SqliteFollowUps(writer, self.disk, PATH),
        )
        history, wire = self.history, Wire(self.network, self.referee, loop)
        number = self.outcome.processes
        secrets = (CRM_KEY.decode(),)
        endpoint = Endpoint(Subscription("crm"), "https://crm.example/hook", secrets)
        outside = Outside(
            target=target_of(history),
            identity=IDENTITIES[history.surface],
            tenant=wire,
            crm=[Line(endpoint, wire)] if history.crm else [],
            clock=self.timeline,
            chance=lambda: self.network.chance("jitter", number, loop.steps),
            request_id=lambda: f"r-{number}-{loop.steps}",
        )
        return Run(self._run_id(), journal, outside, self._plan())

    def _run_id(self) -> str:
        open_run = self.archive.newest_open_run()
        if self.network.calm:
            # `aftercall resume RUN`: without a name the newest goes on, for as long as it is open.
            unread = [one.run for one in self.archive.runs() if not one.intake_complete]
            open_run = next(iter(unread), open_run)
        if open_run is not None and not self._feeds_next():
            return open_run
        return f"run-{min(self.fed, len(self.history.inputs) - 1)}"

    def _feeds_next(self) -> bool:
        """Say whether the next input is fed, although older rows may be open."""
        if self.fed >= len(self.history.inputs):
            return False
        if self.network.calm:
            return all(one.intake_complete for one in self.archive.runs())
        if self.archive.newest_open_run() is None:
            return True
        return self.network.chance("feeds", self.outcome.processes) < 0.3

    def _plan(self) -> Plan:
        history = self.history
        profile = target_of(history).profile
        total = None if history.tenant_rate is None else Pace(history.tenant_rate)
        retry = RetryPolicy(attempts_max=history.attempts, elapsed_seconds_max=600.0)
        defer = DeferPolicy(elapsed_seconds_max=history.defer_seconds)
        return Plan(
            policy=WritePolicy(profile.active_states, retry=retry, defer=defer),
            pace=lambda _: Pace(history.rate),
            tenant_pace=total,
            concurrency=history.concurrency,
            turns=TurnLimits(history.batch, 1.0, max(60.0, history.defer_seconds), profile.reads),
        )

    def _opening(self, run: Run) -> Opening:
        """Return what brings the input of a run in, or what is left of it."""
        known = self.archive.runs(run.run)

        async def first() -> Sequence[Input]:
            now_ms = self.timeline.now_us() // 1000
            record = SourceRecord(0, run.run, "calls.csv", "/calls.csv", None, {}, ())
            begun = await run.journal.intake.begin(
                run.run, self.history.on_conflict, [record], now_ms
            )
            return [Input(begun[0], self._rows(run.run), self._reader(now_ms))]

        async def rest() -> Sequence[Input]:
            record = known[0]
            reader = self._reader(record.started_ms)
            if record.intake_complete:
                return []
            left = [
                Input(one, islice(self._rows(run.run), one.rows_read, None), reader)
                for one in record.sources
                if not one.complete
            ]
            return left or [Input(record.sources[-1], (), reader)]

        return rest if known else first

    def _rows(self, run: str) -> Iterator[RawRow]:
        rows = self.history.inputs[int(run.removeprefix("run-"))]
        return rows_of(_cells(row) for row in rows)

    def _reader(self, started_ms: int) -> Reader:
        rules = Rules(outcomes=CATEGORIES, now=instant.from_ms(started_ms))
        return Reader(Reading(ColumnMap(), rules))


def _stuck(loop: VirtualLoop) -> None:
    if not loop.is_closed():
        raise Stuck("the run does not end")


def _wind_up(loop: VirtualLoop) -> None:
    """Cancel what is left of a process that has ended in order, as `asyncio.run` does."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))


def play(history: History) -> Outcome:
    """Play a history to its end; the same one takes the same steps each time."""
    return Machine(history).live()


def play_seed(seed: int) -> Outcome:
    """Play the history of a seed, in a process of its own or not."""
    warnings.simplefilter("ignore", RuntimeWarning)  # nobody awaits what a kill leaves behind
    logging.disable(logging.WARNING)
    return play(history_of(seed))
