"""The library's two verbs: `sync` does all and blocks; `open` gives a session that streams."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

from aftercall.adapters.sources import SourceOptions
from aftercall.domain.audit import Settled
from aftercall.domain.report import Report
from aftercall.errors import AftercallError, Interrupted
from aftercall.settings import Settings, settings_from
from aftercall.wiring import Job, Rows, Session, open_session
from aftercall.wiring.collector import spared_collector

Config = Settings | Mapping[str, object] | str | Path | None
"""Settings, their tables, the path of a file, or None for ``aftercall.toml`` if there is one."""

SETTLED_AHEAD = 1000
"""Settled rows that wait for a slow reader before the work waits, too."""


def sync(
    source: str | Path | Rows, config: Config = None, environment: Mapping[str, str] | None = None
) -> Report:
    """Write dispositions to the tenant and return what became of each.

    Args:
        source: the path of a file, or dispositions, or mappings with the same names.
        config: settings, their tables, a file, or None for ``aftercall.toml`` if there is one.
        environment: where the secrets are read from; None for the process's own environment.

    Raises:
        ConfigInvalid: the configuration or a secret is wrong; nothing was sent.
        SourceUnreadable: the file cannot be used as given; nothing was sent.
        Paused: the tenant cannot be signed in to; nothing was sent.
        JournalError: the journal cannot be used.

    A report with rows still open says so in `Report.open`; they are gone on with by the next
    `sync` with the same journal, or by ``aftercall resume``.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        message = "aftercall.sync blocks, and an event loop is running here."
        raise AftercallError(message, fix="Use `async with aftercall.open(config)` instead.")

    async def whole() -> Report:
        async with open(config, environment) as session:
            with spared_collector():
                async for _ in session.sync(source):
                    pass
            return session.report

    return asyncio.run(whole())


@asynccontextmanager
async def open(  # noqa: A001 - read as aftercall.open
    config: Config = None, environment: Mapping[str, str] | None = None
) -> AsyncIterator["OpenSession"]:
    """Open the journal and make ready to talk to the tenant.

    Args:
        config: settings, their tables, a file, or None for ``aftercall.toml`` if there is one.
        environment: where the secrets are read from; None for the process's own environment.

    Raises:
        ConfigInvalid: the configuration or a secret is wrong.
        JournalError: the journal cannot be used, or another process works on it.
    """
    # Not a default value: a signature that is printed would show all of the environment.
    given = os.environ if environment is None else environment
    settings = settings_from(config, given)
    async with open_session(settings, given) as session:
        opened = OpenSession(session)
        try:
            yield opened
        finally:
            await opened.stop()


class OpenSession:
    """A session with the tenant; runs are made with it one after the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._report: Report | None = None
        self._running: _Running | None = None

    @property
    def report(self) -> Report:
        """The report of the latest run.

        Raises:
            RuntimeError: there was none yet.
        """
        if self._report is None:
            message = "there is no report before a run has ended: leave `async with` first"
            raise RuntimeError(message)
        return self._report

    async def sync(self, source: str | Path | Rows) -> AsyncGenerator[Settled, None]:
        """Write dispositions to the tenant, yielding each row as it reaches its status.

        Leaving the loop early stops the run after what is under way; its open rows are gone on
        with by the next run. `report` is there once the loop has ended.

        Raises:
            SourceUnreadable: the file cannot be used as given; nothing was sent.
            Paused: the tenant cannot be signed in to; nothing was sent.
            JournalError: the journal cannot be used.
        """
        if isinstance(source, Mapping) or hasattr(source, "read") or not _is_source(source):
            message = "give the path of a file, or an iterable of dispositions or mappings"
            raise TypeError(message)
        if isinstance(source, str | Path):
            job = self._session.files([str(source)], SourceOptions())
        else:
            job = self._session.objects(source)
        async with aclosing(self._stream(job)) as stream:
            async for settled in stream:
                yield settled

    async def stop(self) -> None:
        """Stop a run whose loop was left, and wait for what is under way. `open` calls it."""
        running, self._running = self._running, None
        if running is None:
            return
        if not running.work.done():
            running.job.run.halt.throw(Interrupted("The loop over the run's rows was left."))
        while await running.next_row() is not None:
            pass  # Whoever waits for room in the queue has to get on.
        self._report = None
        with suppress(Interrupted):  # Before the tenant had let us in: there is no run to report.
            self._report = await running.work

    async def _stream(self, job: Job) -> AsyncGenerator[Settled, None]:
        await self.stop()
        running = self._running = _Running(job, self._session)
        try:
            while (settled := await running.next_row()) is not None:
                yield settled
        finally:
            await self.stop()


def _is_source(source: object) -> bool:
    return isinstance(source, str | Path | Iterable)


class _Running:
    """A run under way, and the rows that it has settled and nobody has seen yet."""

    def __init__(self, job: Job, session: Session) -> None:
        self.job = job
        self._rows: asyncio.Queue[Settled] = asyncio.Queue(SETTLED_AHEAD)
        job.run.told = self._told
        self.work = asyncio.create_task(session.perform(job))

    async def _told(self, rows: Sequence[Settled]) -> None:
        for row in rows:
            await self._rows.put(row)

    async def next_row(self) -> Settled | None:
        """Return the next settled row; None once the run has ended and all were returned."""
        if self._rows.empty() and not self.work.done():
            get = asyncio.ensure_future(self._rows.get())
            await asyncio.wait({get, self.work}, return_when=asyncio.FIRST_COMPLETED)
            if get.done():
                return get.result()
            get.cancel()
        return None if self._rows.empty() else self._rows.get_nowait()
