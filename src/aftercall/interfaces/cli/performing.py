"""One command's run: it is worked on, watched, and stopped by signals."""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from aftercall.domain.report import Report
from aftercall.engine.progress import ListTally
from aftercall.errors import AftercallError, Interrupted
from aftercall.interfaces.cli.stopping import Stopper
from aftercall.interfaces.cli.terminal import err, plain
from aftercall.interfaces.cli.watching import Watcher
from aftercall.settings import Settings
from aftercall.wiring import Job, Session, open_session
from aftercall.wiring.collector import spared_collector

Prepare = Callable[[Session], Job]


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of it: the report, why the run ended early if it did, what lists were good for."""

    report: Report
    trouble: AftercallError | None
    lists: ListTally


@dataclass(frozen=True, slots=True)
class Performance:
    """How a job is performed.

    Attributes:
        settings: the configuration.
        prepare: makes the job.
        quiet: show no progress.
        wait_crm: end only once no event for the CRM waits any more.
        environment: where the secrets are read from.
    """

    settings: Settings
    prepare: Prepare
    quiet: bool = False
    wait_crm: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def run(self) -> Performed:
        """Perform the job.

        Raises:
            AftercallError: it could not be begun, or the journal failed.
        """
        return asyncio.run(self._run())

    async def _run(self) -> Performed:
        async with open_session(self.settings, self.environment) as session:
            # Only once all modules are there: they are what is not to be looked through.
            with spared_collector():
                return await self._performed(session)

    async def _performed(self, session: Session) -> Performed:
        stopper = Stopper(err())
        with stopper.listening():
            try:
                job = await self._prepared(session, stopper)
                job.run.wait_crm = self.wait_crm
                for words in () if self.quiet else job.unused:
                    err().print(f"note: {plain(words)}", soft_wrap=True)
                report = await self._work(session, job, stopper)
            except asyncio.CancelledError:
                if not stopper.asked:
                    raise
                message = "The run was stopped before anything was read or sent."
                raise Interrupted(message) from None
        for words in job.unread:
            err().print(f"warning: {plain(words)}", soft_wrap=True)
        return Performed(report, job.run.halt.reason, job.run.progress.lists)

    async def _prepared(self, session: Session, stopper: Stopper) -> Job:
        """Make the job in a thread that nobody has to wait for: a pipe may never begin."""
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Job] = loop.create_future()

        def tell(job: Job | None, trouble: Exception | None) -> None:
            if made.done():
                return
            if trouble is not None:
                made.set_exception(trouble)
            elif job is not None:
                made.set_result(job)

        def make() -> None:
            job, trouble = None, None
            try:
                job = self.prepare(session)
            except Exception as caught:  # noqa: BLE001 - it is raised where the job is awaited
                trouble = caught
            with suppress(RuntimeError):  # The loop is closed: it was stopped meanwhile.
                loop.call_soon_threadsafe(tell, job, trouble)

        stopper.by(made.cancel)
        threading.Thread(target=make, name="prepare", daemon=True).start()
        return await made

    async def _work(self, session: Session, job: Job, stopper: Stopper) -> Report:
        work = asyncio.create_task(session.perform(job), name="run")

        def stop() -> None:
            if job.run.progress.stage == "signing in":
                work.cancel()  # Nothing was read or sent yet, so there is nothing to finish.
            job.run.halt.throw(Interrupted("The run was stopped; what was begun is finished."))

        stopper.by(stop)
        async with AsyncExitStack() as stack:
            if not self.quiet:
                watcher = Watcher(job, session, err())
                await stack.enter_async_context(watcher.showing())
            return await work
