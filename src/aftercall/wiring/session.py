"""A session: an open journal and a tenant to talk to; runs are made with it."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import islice

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.signing import load_signer
from aftercall.adapters.sources import Source, SourceOptions, open_source, rows_of
from aftercall.adapters.transport import HttpTransport
from aftercall.domain import instant
from aftercall.domain.disposition import Disposition
from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.engine.intake import Reader, Reading
from aftercall.engine.overview import find_run
from aftercall.engine.run import Input, Journal, Outside, Run
from aftercall.errors import Paused, SourceUnreadable
from aftercall.ports import RunRecord, SourceRecord
from aftercall.settings import Settings
from aftercall.wiring.crm import endpoints_of, open_lines
from aftercall.wiring.inputs import check_columns, record_of, reopen, unused_columns
from aftercall.wiring.opt_outs import terms_of
from aftercall.wiring.results import report_at
from aftercall.wiring.values import (
    columns_of,
    follow_ups_in,
    identity_of,
    plan_of,
    rules_of,
    target_of,
    transport_options,
)

Rows = Iterable[Disposition | Mapping[str, object]]
"""Rows that a program gives: dispositions, or mappings with the same names."""

OBJECTS = "<objects>"


@dataclass(slots=True)
class Job:
    """A run that is about to be worked on, or is.

    Attributes:
        run: the run; its `progress` can be watched and its `halt` stops it.
        opening: records the run's inputs in the journal and returns them.
        sources: the files that are being read, for their share in bytes.
        unread: inputs of an interrupted run that cannot be read on, and why.
        unused: what is said of columns that are no field, for each input that has some.
        reopened: how many rows or follow-ups are tried again, once that is known.
    """

    run: Run
    opening: Callable[[], Awaitable[Sequence[Input]]]
    sources: list[Source] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    reopened: int | None = None

    @property
    def share_read(self) -> float | None:
        """How much of the inputs was read, 0 to 1; None if their size is not known."""
        sizes = [source.bytes_total for source in self.sources]
        if not sizes or None in sizes:
            return None
        total = sum(size or 0 for size in sizes)
        return min(1.0, sum(source.bytes_read for source in self.sources) / total) if total else 1.0


class Session:
    """An open journal and a tenant to talk to. Made by `open_session`."""

    def __init__(self, settings: Settings, journal: SqliteJournal, outside: Outside) -> None:
        self.settings = settings
        self.journal = journal
        self._outside = outside
        self._columns = columns_of(settings)

    def files(self, paths: Sequence[str], options: SourceOptions) -> Job:
        """Open files for a new run; nothing is stored or sent yet.

        Args:
            paths: the files; ``-`` is standard input.
            options: how they are written, where that cannot be found out.

        Raises:
            SourceUnreadable: one cannot be used, or lacks a column.
        """
        run = self._new_run_id()
        opened = [open_source(path, options) for path in paths]
        for source in opened:
            check_columns(source, self._columns)

        async def opening() -> Sequence[Input]:
            records = [
                await asyncio.to_thread(record_of, run, source, path, options)
                for source, path in zip(opened, paths, strict=True)
            ]
            begun, reader = await self._begin(run, records)
            return [
                Input(record, source.rows(), reader)
                for record, source in zip(begun, opened, strict=True)
            ]

        unused = [words for one in opened if (words := unused_columns(one, self._columns))]
        return Job(self._run(run), opening, opened, unused=unused)

    def objects(self, rows: Rows) -> Job:
        """Take a program's own rows for a new run; nothing is stored or sent yet."""
        run = self._new_run_id()

        async def opening() -> Sequence[Input]:
            record = SourceRecord(0, run, OBJECTS, None, None, {}, ())
            (begun,), reader = await self._begin(run, [record])
            return [Input(begun, rows_of(rows), reader)]

        return Job(self._run(run), opening)

    def resume(self, run: str | None) -> Job:
        """Go on with a run and with what else is open; by default the newest with open rows.

        Raises:
            JournalError: there is no such run.
        """
        archive = self.journal.archive
        record = find_run(archive, run or archive.newest_open_run())
        job = Job(self._run(record.run), _nothing)

        async def opening() -> Sequence[Input]:
            reader = self._reader(record.started_ms)
            return [] if record.intake_complete else self._rest_of(record, reader, job)

        job.opening = opening
        return job

    def retry(self, run: str, statuses: tuple[Status, ...]) -> Job:
        """Try rows of a run again that were settled with one of `statuses`.

        Raises:
            JournalError: there is no such run.
        """
        return self._reopening(
            run, lambda run, now_ms: self.journal.claims.reopen(run, statuses, now_ms)
        )

    def retry_follow_ups(self, run: str, states: tuple[FollowUpState, ...]) -> Job:
        """Try follow-ups of a run again that ended in one of `states`.

        Raises:
            JournalError: there is no such run.
        """
        return self._reopening(
            run, lambda run, now_ms: self.journal.follow_ups.reopen(run, states, now_ms)
        )

    def _reopening(self, run: str, reopen: Callable[[str, int], Awaitable[int]]) -> Job:
        record = find_run(self.journal.archive, run)

        async def opening() -> Sequence[Input]:
            job.reopened = await reopen(record.run, self._outside.clock.now_us() // 1000)
            return []

        job = Job(self._run(record.run), opening)
        return job

    async def perform(self, job: Job) -> Report:
        """Work on a job, and on what else is open in the journal, as far as it goes now.

        Raises:
            JournalError: the journal could not be written; what was settled before is on disk.
            Paused: the tenant cannot be signed in to; nothing was read or sent.
        """
        try:
            await job.run.work(job.opening)
            if job.unread:
                job.run.halt.throw(_broken_off(job.unread))
        finally:
            for source in job.sources:
                source.close()
        seconds = job.run.progress.crm_wait_seconds
        return replace(self.report(job.run.run), crm_wait_seconds=seconds)

    def report(self, run: str) -> Report:
        """Return the report of a run.

        Raises:
            JournalError: there is no such run.
        """
        terms = terms_of(self.settings.opt_outs, self.settings.outcomes)
        return report_at(self.settings.journal.path, run, terms)

    def _run(self, run: str) -> Run:
        ports = self.journal
        journal = Journal(
            ports.intake,
            ports.claims,
            ports.pacing,
            ports.outbox,
            ports.audit,
            ports.follow_ups,
        )
        plan = plan_of(self.settings, self._outside.target.profile)
        return Run(run, journal, self._outside, plan)

    async def _begin(
        self, run: str, records: Sequence[SourceRecord]
    ) -> tuple[Sequence[SourceRecord], Reader]:
        now_ms = self._outside.clock.now_us() // 1000
        on_conflict = self.settings.rows.on_conflict
        begun = await self.journal.intake.begin(run, on_conflict, records, now_ms)
        return begun, self._reader(now_ms)

    def _reader(self, started_ms: int) -> Reader:
        return Reader(Reading(self._columns, rules_of(self.settings, started_ms)))

    def _new_run_id(self) -> str:
        moment = instant.from_ms(self._outside.clock.now_us() // 1000)
        return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"

    def _rest_of(self, record: RunRecord, reader: Reader, job: Job) -> list[Input]:
        """Open the inputs that a run has not read to their end."""
        rest: list[Input] = []
        for source in record.sources:
            if source.complete:
                continue
            try:
                opened = reopen(source)
            except SourceUnreadable as trouble:
                job.unread.append(trouble.message)
                continue
            job.sources.append(opened)
            rows = islice(opened.rows(), source.rows_read, None)
            rest.append(Input(source, rows, reader))
        if not rest and not job.unread and record.sources:
            # The process ended after the last row came in, before it was recorded that all did.
            rest.append(Input(record.sources[-1], (), reader))
        return rest


def _broken_off(unread: Sequence[str]) -> Paused:
    return Paused(
        "An input was not read to its end. " + " ".join(unread),
        fix="Feed it again with aftercall sync: rows that came in are recognised.",
    )


async def _nothing() -> Sequence[Input]:
    """Read nothing."""
    return []


@asynccontextmanager
async def open_session(
    settings: Settings, environment: Mapping[str, str]
) -> AsyncIterator[Session]:
    """Open the journal for work and make ready to talk to the tenant and the CRM.

    Raises:
        ConfigInvalid: a secret or a certificate is missing or wrong.
        JournalBusy: another process works on the journal.
        JournalError: the journal cannot be opened.
    """
    target = target_of(settings)
    follow_ups_in(settings, target.profile)  # Before anything is opened: it may be wrong.
    identity = identity_of(target.profile, environment)
    endpoints = endpoints_of(settings, environment)
    signer = load_signer(settings.audit.key_file)
    async with AsyncExitStack() as stack:
        tenant = await stack.enter_async_context(HttpTransport(transport_options(settings)))
        crm = await stack.enter_async_context(open_lines(settings, endpoints))
        journal = SqliteJournal(settings.journal.path)
        stack.callback(journal.close)
        outside = Outside(
            target=target,
            identity=identity,
            tenant=tenant,
            crm=crm,
            clock=SystemClock(),
            chance=random.random,
            request_id=lambda: secrets.token_hex(8),
            signer=signer,
        )
        yield Session(settings, journal, outside)
