"""One thread that does all writing, many operations to a commit (group commit)."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from aftercall.adapters.journal.sqlite.connection import journal_error

Item = TypeVar("Item")
Result = TypeVar("Result")
Operation = Callable[[sqlite3.Connection], Result]
JointOperation = Callable[[sqlite3.Connection, Sequence[Item]], Sequence[Result]]
"""Does one thing for each of many items, with fewer statements than one at a time would take."""

GROUP_MAX = 500
"""Operations in one commit at the most: what a failed commit has to be told to."""

LINGER_SECONDS = 0.02
"""How long a commit waits for company when nobody is held up by it."""


class Manner(Enum):
    """How an operation is done."""

    SINGLE = 0
    JOINT = 1
    ALONE = 2


@dataclass(slots=True)
class _Job:
    operation: Callable[..., Any]
    patient: bool
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    manner: Manner = Manner.SINGLE
    item: Any = None

    def do(self, db: sqlite3.Connection) -> Any:
        if self.manner is Manner.JOINT:
            return self.operation(db, [self.item])[0]
        return self.operation(db)


class Writer:
    """Runs operations on a connection of its own, in order, and commits them in groups.

    An operation's future is resolved only after the commit that holds it is on disk. An
    operation that raises undoes itself alone; a commit that fails fails all of its group. For
    that a group in which one raised is done once more, so an operation changes nothing else than
    the database.
    """

    _END = object()

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    async def run(self, operation: Operation[Result], *, patient: bool = False) -> Result:
        """Run `operation` in a transaction; return its result once that is durable.

        Args:
            operation: what to do with the connection.
            patient: nobody waits for it; its commit may wait a moment for company.

        Raises:
            JournalError: the database could not do it.
        """
        result: Result = await self._handed_over(operation, patient=patient)
        return result

    async def join(
        self, operation: JointOperation[Item, Result], item: Item, *, patient: bool = False
    ) -> Result:
        """Run `operation` for an item, together with the others of its commit, like `run`.

        Who hands an item over is still waiting for the ones before it, so those of one commit
        have no order among themselves.

        Args:
            operation: what to do for items, each with a result of its own.
            item: one of them.
            patient: nobody waits for it; its commit may wait a moment for company.

        Raises:
            JournalError: the database could not do it.
        """
        result: Result = await self._handed_over(operation, Manner.JOINT, item, patient=patient)
        return result

    async def alone(self, operation: Operation[Result]) -> Result:
        """Run `operation`, in its turn, outside of any transaction, which some things need.

        Raises:
            JournalError: the database could not do it.
        """
        result: Result = await self._handed_over(operation, Manner.ALONE)
        return result

    async def _handed_over(
        self,
        operation: Callable[..., Any],
        manner: Manner = Manner.SINGLE,
        item: object = None,
        *,
        patient: bool = False,
    ) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(_Job(operation, patient, future, loop, manner, item))
        return await future

    def _put(self, job: _Job) -> None:
        """Have a job done in its turn."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish what was handed over and end the thread."""
        self._jobs.put(None)
        self._thread.join()
        self._db.close()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            if job.manner is Manner.ALONE:
                _tell([self._bare(job)])
                continue
            group = [job]
            after = self._gather(group)
            self._commit(group)
            if after is self._END:
                return
            if isinstance(after, _Job):
                _tell([self._bare(after)])

    def _gather(self, group: list[_Job]) -> _Job | object | None:
        """Add to `group` what else is waiting; return what stopped that: the end, or a loner."""
        deadline = time.monotonic() + LINGER_SECONDS
        patient = group[0].patient
        while len(group) < GROUP_MAX:
            wait = deadline - time.monotonic() if patient else 0.0
            try:
                job = self._jobs.get(timeout=wait) if wait > 0 else self._jobs.get_nowait()
            except queue.Empty:
                return None
            if job is None:
                return self._END
            if job.manner is Manner.ALONE:
                return job
            group.append(job)
            patient = patient and job.patient
        return None

    def _bare(self, job: _Job) -> tuple[_Job, Any, BaseException | None]:
        try:
            return job, job.do(self._db), None
        except sqlite3.Error as trouble:
            return job, None, journal_error(self._path, trouble)
        except Exception as trouble:  # noqa: BLE001 - it is raised where the result is awaited
            return job, None, trouble

    def _commit(self, group: list[_Job]) -> None:
        outcomes: list[tuple[_Job, Any, BaseException | None]]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                outcomes = self._done(group)
            except Exception:  # noqa: BLE001 - which one it was, and why, is found out below
                # Savepoints tell them apart; a group in which none raises does without their cost.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                self._db.execute("BEGIN IMMEDIATE")
                outcomes = [self._attempt(job) for job in group]
            self._db.execute("COMMIT")
        except sqlite3.Error as trouble:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            error = journal_error(self._path, trouble)
            outcomes = [(job, None, error) for job in group]
        _tell(outcomes)

    def _done(self, group: list[_Job]) -> list[tuple[_Job, Any, BaseException | None]]:
        """Do the operations in their order, and what is done jointly after them."""
        outcomes: list[tuple[_Job, Any, BaseException | None]] = []
        joint: dict[Callable[..., Any], list[_Job]] = {}
        for job in group:
            if job.manner is Manner.JOINT:
                joint.setdefault(job.operation, []).append(job)
            else:
                outcomes.append((job, job.do(self._db), None))
        for operation, jobs in joint.items():
            results = operation(self._db, [job.item for job in jobs])
            outcomes += ((job, one, None) for job, one in zip(jobs, results, strict=True))
        return outcomes

    def _attempt(self, job: _Job) -> tuple[_Job, Any, BaseException | None]:
        self._db.execute("SAVEPOINT operation")
        try:
            result = job.do(self._db)
        except sqlite3.Error as trouble:
            if not self._db.in_transaction:
                # The database itself gave the whole transaction up (disk full, I/O error).
                raise
            self._undo()
            return job, None, journal_error(self._path, trouble)
        except Exception as trouble:  # noqa: BLE001 - it is raised where the result is awaited
            self._undo()
            return job, None, trouble
        self._db.execute("RELEASE operation")
        return job, result, None

    def _undo(self) -> None:
        self._db.execute("ROLLBACK TO operation")
        self._db.execute("RELEASE operation")


def _tell(outcomes: list[tuple[_Job, Any, BaseException | None]]) -> None:
    """Resolve the futures of a group, with one wake-up for each event loop."""
    loops = {id(job.loop): job.loop for job, _, _ in outcomes}
    for loop in loops.values():
        mine = [outcome for outcome in outcomes if outcome[0].loop is loop]
        try:
            loop.call_soon_threadsafe(_resolve, mine)
        except RuntimeError:
            # The loop was closed while its work was on the way to disk: nobody waits any more.
            continue


def _resolve(outcomes: list[tuple[_Job, Any, BaseException | None]]) -> None:
    for job, result, error in outcomes:
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
