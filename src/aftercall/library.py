"""The library's two verbs: `sync` does all and blocks; `open` gives a session that streams."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aftercall.adapters.sources import SourceOptions
from aftercall.domain.audit import Settled
from aftercall.domain.report import Report
from aftercall.errors import Interrupted
from aftercall.settings import Settings, settings_from
from aftercall.wiring import Job, Rows, Session, open_session

Config = Settings | Mapping[str, object] | str | Path | None
"""Settings, their tables, the path of a file, or None for ``aftercall.toml`` if there is one."""

SETTLED_AHEAD = 1000
"""Settled rows that wait for a slow reader before the work waits, too."""


def sync(
    source: str | Path | Rows, config: Config = None, environment: Mapping[str, str] = os.environ
) -> Report:
    """Write dispositions to the tenant and return what became of each.

    Args:
        source: the path of a file, or dispositions, or mappings with the same names.
        config: settings, their tables, a file, or None for ``aftercall.toml`` if there is one.
        environment: where the secrets are read from.

    Raises:
        ConfigInvalid: the configuration or a secret is wrong; nothing was sent.
        SourceUnreadable: the file cannot be used as given; nothing was sent.
        Paused: the tenant cannot be signed in to; nothing was sent.
        JournalError: the journal cannot be used.

    A report with rows still open says so in `Report.open`; they are gone on with by the next
    `sync` with the same journal, or by ``aftercall resume``.
    """

    async def whole() -> Report:
        async with open(config, environment) as session:
            async for _ in session.sync(source):
                pass
            return session.report

    return asyncio.run(whole())


@asynccontextmanager
async def open(  # noqa: A001 - read as aftercall.open
    config: Config = None, environment: Mapping[str, str] = os.environ
) -> AsyncIterator["OpenSession"]:
    """Open the journal and make ready to talk to the tenant.

    Args:
        config: settings, their tables, a file, or None for ``aftercall.toml`` if there is one.
        environment: where the secrets are read from.

    Raises:
        ConfigInvalid: the configuration or a secret is wrong.
        JournalError: the journal cannot be used, or another process works on it.
    """
    settings = settings_from(config, environment)
    async with open_session(settings, environment) as session:
        yield OpenSession(session)


class OpenSession:
    """A session with the tenant; runs are made with it one after the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._report: Report | None = None

    @property
    def report(self) -> Report:
        """The report of the latest run.

        Raises:
            RuntimeError: there was none yet.
        """
        if self._report is None:
            message = "there is no report before a run has ended"
            raise RuntimeError(message)
        return self._report

    async def sync(self, source: str | Path | Rows) -> AsyncIterator[Settled]:
        """Write dispositions to the tenant, yielding each row as it reaches its status.

        Leaving the loop early stops the run after what is under way; its open rows are gone on
        with by the next run. `report` is there once the loop has ended.

        Raises:
            SourceUnreadable: the file cannot be used as given; nothing was sent.
            Paused: the tenant cannot be signed in to; nothing was sent.
            JournalError: the journal cannot be used.
        """
        if isinstance(source, str | Path):
            job = self._session.files([str(source)], SourceOptions())
        else:
            job = self._session.objects(source)
        async for settled in self._stream(job):
            yield settled

    async def _stream(self, job: Job) -> AsyncIterator[Settled]:
        queue: asyncio.Queue[Settled | None] = asyncio.Queue(SETTLED_AHEAD)
        left = False

        async def told(rows: Sequence[Settled]) -> None:
            for row in rows:
                if not left:
                    await queue.put(row)

        async def work() -> Report:
            try:
                return await self._session.perform(job)
            finally:
                if not left:
                    await queue.put(None)

        job.run.told = told
        task = asyncio.create_task(work())
        try:
            while (settled := await queue.get()) is not None:
                yield settled
        finally:
            left = True
            if not task.done():
                job.run.halt.throw(Interrupted("The reader left."))
                while not queue.empty():
                    queue.get_nowait()
            self._report = await task
