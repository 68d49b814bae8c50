"""The composition root: settings and secrets become a session that runs are made with."""

import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Literal, cast

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal, open_archive
from aftercall.adapters.profiles import load_profile
from aftercall.adapters.results import ResultFiles
from aftercall.adapters.sources import Source, SourceOptions, open_source, rows_of
from aftercall.adapters.transport import HttpTransport, TransportOptions
from aftercall.domain import instant
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Disposition, Rules
from aftercall.domain.report import Report
from aftercall.domain.settlement import WritePolicy
from aftercall.domain.status import Status
from aftercall.domain.webhook import secret_bytes
from aftercall.engine.delivery import Endpoint
from aftercall.engine.intake import Reader, Reading
from aftercall.engine.overview import AuditTrail, find_run, report_of
from aftercall.engine.rounds import TurnLimits
from aftercall.engine.run import Input, Journal, Outside, Plan, Run
from aftercall.errors import SourceUnreadable
from aftercall.ports import AuditFilter, RunRecord, SourceRecord
from aftercall.settings import Settings, load_credentials, load_crm_secrets
from aftercall.wire.requests import Identity, Target

Rows = Iterable[Disposition | Mapping[str, object]]
"""Rows that a program gives: dispositions, or mappings with the same names."""

STDIN = "-"
OBJECTS = "<objects>"

Kind = Literal["auto", "csv", "jsonl", "json"]


@dataclass(slots=True)
class Job:
    """A run that is about to be worked on, or is.

    Attributes:
        run: the run; its `progress` can be watched and its `halt` stops it.
        opening: records the run's inputs in the journal and returns them.
        sources: the files that are being read, for their share in bytes.
        unread: inputs of an interrupted run that cannot be read on, and why.
    """

    run: Run
    opening: Callable[[], Awaitable[Sequence[Input]]]
    sources: list[Source] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

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
            reader = await self._begin(run)
            records = [
                record_of(run, source, path, options)
                for source, path in zip(opened, paths, strict=True)
            ]
            return [
                Input(await self.journal.intake.open_source(record), source.rows(), reader)
                for source, record in zip(opened, records, strict=True)
            ]

        return Job(self._run(run), opening, opened)

    def objects(self, rows: Rows) -> Job:
        """Take a program's own rows for a new run; nothing is stored or sent yet."""
        run = self._new_run_id()

        async def opening() -> Sequence[Input]:
            reader = await self._begin(run)
            record = SourceRecord(0, run, OBJECTS, None, None, {}, ())
            return [Input(await self.journal.intake.open_source(record), rows_of(rows), reader)]

        return Job(self._run(run), opening)

    def resume(self, run: str | None) -> Job:
        """Go on with a run, the newest if it is None, and with what else is open.

        Raises:
            JournalError: there is no such run.
        """
        record = find_run(self.journal.archive, run)
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
        record = find_run(self.journal.archive, run)

        async def opening() -> Sequence[Input]:
            now_ms = self._outside.clock.now_us() // 1000
            await self.journal.claims.reopen(record.run, statuses, now_ms)
            return []

        return Job(self._run(record.run), opening)

    async def perform(self, job: Job) -> Report:
        """Work on a job, and on what else is open in the journal, as far as it goes now.

        Raises:
            JournalError: the journal could not be written; what was settled before is on disk.
            Paused: the tenant cannot be signed in to; nothing was read or sent.
        """
        try:
            await job.run.work(job.opening)
        finally:
            for source in job.sources:
                source.close()
        return self.report(job.run.run)

    def report(self, run: str) -> Report:
        """Return the report of a run.

        Raises:
            JournalError: there is no such run.
        """
        return report_at(self.settings.journal.path, run)

    def _run(self, run: str) -> Run:
        ports = self.journal
        journal = Journal(ports.intake, ports.claims, ports.pacing, ports.outbox)
        plan = plan_of(self.settings, self._outside.target.profile.active_states)
        return Run(run, journal, self._outside, plan)

    async def _begin(self, run: str) -> Reader:
        now_ms = self._outside.clock.now_us() // 1000
        await self.journal.intake.begin(run, now_ms)
        return self._reader(now_ms)

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
                job.unread.append(f"{trouble.message} {trouble.fix}".strip())
                continue
            job.sources.append(opened)
            rows = islice(opened.rows(), source.rows_read, None)
            rest.append(Input(source, rows, reader))
        return rest


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
    credentials = load_credentials(environment)
    identity = Identity(credentials.client_id, credentials.client_secret.get_secret_value())
    endpoint = endpoint_of(settings, environment)
    async with AsyncExitStack() as stack:
        tenant = await stack.enter_async_context(HttpTransport(transport_options(settings)))
        crm = None
        if endpoint is not None:
            crm = await stack.enter_async_context(HttpTransport(crm_transport_options(settings)))
        journal = SqliteJournal(settings.journal.path)
        stack.callback(journal.close)
        outside = Outside(
            target=target,
            identity=identity,
            tenant=tenant,
            crm=crm,
            endpoint=endpoint,
            clock=SystemClock(),
            chance=random.random,
            request_id=lambda: secrets.token_hex(8),
        )
        yield Session(settings, journal, outside)


def target_of(settings: Settings) -> Target:
    """Return the tenant that the settings name."""
    profile = load_profile(settings.tenant.profile)
    base_url = settings.tenant.base_url
    if base_url is None:
        base_url = profile.base_url.replace("{instance}", settings.tenant.instance or "")
    return Target(profile, base_url.rstrip("/"))


def endpoint_of(settings: Settings, environment: Mapping[str, str]) -> Endpoint | None:
    """Return where the CRM listens; None if there is none.

    Raises:
        ConfigInvalid: its secret is missing or wrong.
    """
    if settings.crm.url is None:
        return None
    secret_texts = load_crm_secrets(environment)
    keys = tuple(secret_bytes(text.get_secret_value()) for text in secret_texts)
    return Endpoint(settings.crm.url, keys, settings.crm.concurrency)


def transport_options(settings: Settings) -> TransportOptions:
    """Return how the tenant is reached."""
    tenant = settings.tenant
    return TransportOptions(
        connections=settings.limits.concurrency,
        connect_seconds=tenant.connect_seconds,
        read_seconds=tenant.read_seconds,
        total_seconds=tenant.total_seconds,
        response_bytes_max=tenant.response_bytes_max,
        ca_file=tenant.ca_file,
        client_cert_file=tenant.client_cert_file,
        client_key_file=tenant.client_key_file,
        proxy=None if tenant.proxy is None else tenant.proxy.get_secret_value(),
    )


def crm_transport_options(settings: Settings) -> TransportOptions:
    """Return how the CRM is reached."""
    return TransportOptions(
        connections=settings.crm.concurrency,
        connect_seconds=settings.crm.timeout_seconds,
        read_seconds=settings.crm.timeout_seconds,
        total_seconds=settings.crm.timeout_seconds,
        response_bytes_max=65_536,
    )


def columns_of(settings: Settings) -> ColumnMap:
    """Return which column of an input is which field."""
    rows = settings.rows
    return ColumnMap(rows.columns, rows.constants, rows.defaults)


def rules_of(settings: Settings, started_ms: int) -> Rules:
    """Return what a valid row is for a run that started at `started_ms`."""
    return Rules(
        outcomes=settings.outcomes,
        now=instant.from_ms(started_ms),
        skew_seconds=settings.rows.clock_skew_seconds,
    )


def plan_of(settings: Settings, active_states: frozenset[str]) -> Plan:
    """Return what a run is to keep to."""
    defer = settings.defer_policy()
    return Plan(
        policy=WritePolicy(
            active_states=active_states,
            same_everything=settings.rows.unchanged_when == "same_everything",
            retry=settings.retry_policy(),
            defer=defer,
        ),
        pace=settings.pace,
        tenant_pace=settings.pace_total(),
        concurrency=settings.limits.concurrency,
        turns=TurnLimits(
            rows=settings.limits.batch,
            seconds=settings.limits.turn_seconds,
            patience_seconds=max(defer.elapsed_seconds_max, defer.wait_seconds_max),
        ),
        on_conflict=settings.rows.on_conflict,
        include=settings.crm.include,
        drain_seconds=settings.crm.drain_seconds,
    )


def check_columns(source: Source, columns: ColumnMap) -> None:
    """Check that an input with a header has what every row needs.

    Raises:
        SourceUnreadable: it lacks a column; says how to name another one.
    """
    header = source.format.columns
    missing = columns.missing(header) if header else ()
    if not missing:
        return
    source.close()
    named = ", ".join(missing)
    told = ", ".join(name for name in header[:12] if name) + (", ..." if len(header) > 12 else "")
    message = f"{source.name} has no column for: {named}. Its columns are: {told}."
    first = missing[0]
    fix = f"Name the column, --map {first}=COLUMN, or one value for all rows, --set {first}=VALUE."
    raise SourceUnreadable(message, fix=fix)


def record_of(run: str, source: Source, path: str, options: SourceOptions) -> SourceRecord:
    """Return what the journal keeps of an input."""
    place = None if path == STDIN else Path(path).absolute()
    return SourceRecord(
        number=0,
        run=run,
        name=source.name,
        path=None if place is None else str(place),
        sha256=None if place is None else digest_of(place),
        options=asdict(options),
        columns=source.format.columns,
    )


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file in hex; None if it is no plain file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def reopen(source: SourceRecord) -> Source:
    """Open an input again that an interrupted run was reading.

    Raises:
        SourceUnreadable: it cannot be read again, or is not the same any more.
    """
    fix = "Feed the input again with aftercall sync: rows that came in are recognised."
    if source.path is None:
        message = f"{source.name} broke off after {source.rows_read} rows."
        raise SourceUnreadable(message, fix=fix)
    opened = open_source(source.path, options_from(source))
    if digest_of(Path(source.path)) != source.sha256:
        opened.close()
        message = f"{source.name} has changed since {source.rows_read} rows of it were read."
        raise SourceUnreadable(message, fix=fix)
    return opened


def options_from(source: SourceRecord) -> SourceOptions:
    """Return how an input was read before."""
    given = {name: str(value) for name, value in source.options.items()}
    return SourceOptions(cast("Kind", given["kind"]), given["encoding"], given["delimiter"])


def report_at(path: Path, run: str) -> Report:
    """Return the report of a run in the journal at `path`.

    Raises:
        JournalError: there is no such journal or run.
    """
    trail = AuditTrail(partial(open_archive, path), AuditFilter(run=run))
    with open_archive(path) as archive:
        return report_of(archive, run, trail)


def write_results(settings: Settings, run: str, directory: Path | None = None) -> dict[str, str]:
    """Write the result files of a run and return their paths by name.

    Raises:
        JournalError: there is no such run.
        AftercallError: the directory cannot be written.
    """
    with open_archive(settings.journal.path) as archive:
        record = find_run(archive, run)
        where = settings.results.directory if directory is None else directory
        rows = partial(archive.rows, record.run)
        return ResultFiles(where, record.run, record.sources, rows).write()
