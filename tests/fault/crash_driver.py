"""A process that works on a journal and, if it is told to, kills itself at a named point.

Started with one JSON object as its argument::

    {"config": {...}, "files": [...], "point": "before write", "passage": 3, "file_bytes": 300000}

It takes the files in if the journal knows no run that has read from them, else it resumes. At the
end it prints one JSON object: the report or the error. A kill leaves nothing printed.
"""

import asyncio
import json
import os
import resource
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aftercall.adapters.journal.sqlite.claims import SqliteClaims
from aftercall.adapters.journal.sqlite.intake import SqliteIntake
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.adapters.sources import SourceOptions
from aftercall.engine import intake
from aftercall.errors import AftercallError
from aftercall.ports import Transport
from aftercall.settings import settings_from
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wiring import Job, Session, open_session

ROWS_AT_ONCE = 25
"""Small batches, so that the intake passes its points more than once."""

ANY = "any"
"""The name of all points together: a passage counts whichever it is."""

DIED = "died: "
"""What the last line of a killed process begins with on its standard error."""

POINTS = (
    "before begin",
    "after begin",
    "before admit",
    "inside admit",
    "after admit",
    "before close_source",
    "after close_source",
    "inside finish",
    "after finish",
    "before take_turn",
    "inside take_turn",
    "after take_turn",
    "before read",
    "after read",
    "before write",
    "after write",
    "before settle",
    "inside settle",
    "after settle",
    "before delivery",
    "after delivery",
    "inside record",
    "after record",
    "before seal",
    "inside seal",
    "after seal",
)


def die(place: str) -> None:
    """Say where, and be killed there."""
    os.write(2, f"{DIED}{place}\n".encode())
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Points:
    """Counts passages, and kills the process at the one that it was told."""

    wanted: str
    passage: int
    passed: Counter[str] = field(default_factory=Counter)

    def reach(self, point: str) -> None:
        self.passed[point] += 1
        passed = self.passed.total() if self.wanted == ANY else self.passed[point]
        if self.wanted in {point, ANY} and passed == self.passage:
            die(point)


class Port:
    """A port of the journal with points before and after each of its calls."""

    def __init__(self, port: Any, points: Points) -> None:
        self._port = port
        self._points = points

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._port, name)

        async def passing(*given: object, **named: object) -> object:
            self._points.reach(f"before {name}")
            result = await call(*given, **named)
            self._points.reach(f"after {name}")
            return result

        return passing


class Closing(Port):
    """A port with its points; closing it is none."""

    def close(self) -> None:
        self._port.close()


@dataclass(frozen=True)
class _Sealing:
    """The one call of the audit log that changes something."""

    seal: Callable[..., Any]


class InsideWriter:
    """The journal's writer with a point between an operation and its commit."""

    def __init__(self, writer: Writer, points: Points, names: dict[str, str]) -> None:
        self._writer = writer
        self._points = points
        self._names = names
        self._joint: dict[Callable[..., Any], Callable[..., Any]] = {}

    async def run(self, operation: Callable[..., Any], *, patient: bool = False) -> object:
        def passing(db: sqlite3.Connection) -> object:
            result = operation(db)
            place = getattr(operation, "__qualname__", "").split(".<locals>")[0]
            for marker, name in self._names.items():
                if marker in place:
                    self._points.reach(f"inside {name}")
            return result

        return await self._writer.run(passing, patient=patient)

    async def join(
        self, operation: Callable[..., Any], item: object, *, patient: bool = False
    ) -> object:
        joint = self._joint.get(operation)
        if joint is None:
            joint = self._joint[operation] = self._passing(operation)
        return await self._writer.join(joint, item, patient=patient)

    def _passing(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def passing(db: sqlite3.Connection, items: Sequence[object]) -> object:
            results = operation(db, items)
            for _ in items:
                self._points.reach(f"inside {operation.__name__}")
            return results

        return passing


class Wire:
    """A transport with points before a request leaves and after its answer came."""

    def __init__(
        self, transport: Transport, points: Points, name: Callable[[HttpRequest], str]
    ) -> None:
        self._transport = transport
        self._points = points
        self._name = name

    async def send(self, request: HttpRequest) -> HttpResponse:
        name = self._name(request)
        self._points.reach(f"before {name}")
        try:
            return await self._transport.send(request)
        finally:
            self._points.reach(f"after {name}")


def named(request: HttpRequest) -> str:
    """Return what a request to the tenant is, on any surface."""
    if not request.headers.get("Authorization", "").startswith("Bearer "):
        return "token"
    if any(part in request.url for part in ("/tags", "/dnc-groups/", "/scheduled-callbacks")):
        return "follow_up"
    return "read" if request.method == "GET" else "write"


INSIDE = {
    ".admit": "admit",
    ".finish": "finish",
    ".take_turn": "take_turn",
    ".seal": "seal",
    ".store": "store",
}


def wrap(session: Session, points: Points) -> None:
    """Put the points into an open session."""
    journal: Any = session.journal
    writer: Any = InsideWriter(journal._writer, points, INSIDE)
    journal.intake = Port(SqliteIntake(writer), points)
    journal.claims = Port(SqliteClaims(writer), points)
    journal.outbox._writer = writer
    journal.outbox = Closing(journal.outbox, points)
    journal.follow_ups._writer = writer
    journal.follow_ups = Closing(journal.follow_ups, points)
    journal.pacing = Port(journal.pacing, points)
    journal.audit._writer = writer
    # Its other calls are made in threads, and wait for nothing.
    journal.audit.seal = Port(_Sealing(journal.audit.seal), points).seal
    outside = session._outside
    tenant = Wire(outside.tenant, points, named)
    crm = [
        replace(line, transport=Wire(line.transport, points, lambda _: "delivery"))
        for line in outside.crm
    ]
    session._outside = replace(outside, tenant=tenant, crm=crm)


def job_of(session: Session, files: list[str]) -> Job:
    """Resume the newest run if it has begun to read, else take the files in."""
    runs = session.journal.archive.runs()
    if runs and runs[0].sources:
        return session.resume(None)
    return session.files(files, SourceOptions())


async def work(task: dict[str, Any]) -> dict[str, Any]:
    points = Points(task.get("point", ""), task.get("passage", 1))
    settings = settings_from(task["config"], os.environ)
    async with open_session(settings, os.environ) as session:
        wrap(session, points)
        job = job_of(session, task["files"])
        sys.stderr.write("working\n")
        sys.stderr.flush()
        report = await session.perform(job)
        return {"report": report.as_json(), "passed": dict(points.passed)}


def perform(task: dict[str, Any]) -> None:
    """Work as a task says and print what came of it."""
    intake.ROWS_AT_ONCE = ROWS_AT_ONCE
    if "file_bytes" in task:
        limit = int(task["file_bytes"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if "handles" in task:
        handles = int(task["handles"])
        resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles))
    try:
        told = asyncio.run(work(task))
    except AftercallError as error:
        told = {"error": type(error).__name__, "message": error.message, "fix": error.fix}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    perform(json.loads(sys.argv[1]))
