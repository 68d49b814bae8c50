"""Processes that are born ready: a parent has imported everything, each child is a fork of it.

To start Python and to import the program takes most of a short life. A fork has all that at once
and is a process like any other: it has its own files, locks and threads, and SIGKILL ends it in
the midst of whatever it does.

The parent reads tasks from its standard input, one JSON object a line, and answers each by one
line. A task is one for the crash driver, or a command that is typed::

    {"words": ["audit", "seal"], "directory": "...", "environment": {...}, "step": 17}
"""

import asyncio
import atexit
import gc
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import connection

from .crash_driver import DIED, die, perform

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 60.0
DAY_US = 86_400_000_000
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FILE_EVENTS = {"os.rename", "os.remove", "os.truncate", "os.mkdir", "os.chmod"}


@dataclass(frozen=True)
class Life:
    """How a process ended: its exit code, or the signal as a negative number, and its words.

    Attributes:
        steps: how many steps it took, if they were counted and it was not killed.
    """

    code: int
    out: str
    err: str
    steps: int = 0

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def place(self) -> str:
        """Where it died; empty if it was killed from outside."""
        return self.err.rpartition(DIED)[2].strip() if DIED in self.err else ""


@contextmanager
def later_schemas(more: int) -> Iterator[None]:
    """Have this aftercall know some schemas more than it does: each touches every row."""
    known = connection._steps
    steps = [
        *known(),
        *(
            f"CREATE TABLE later_{number} (id INTEGER);UPDATE row SET words = words;"  # noqa: S608
            for number in range(more)
        ),
    ]
    connection._steps = lambda: steps
    try:
        yield
    finally:
        connection._steps = known


class Steps:
    """Counts SQL statements and changes of files; kills the process before the one it was told.

    That one is told by its number, or by what it is.
    """

    def __init__(self, last: int | str) -> None:
        self.taken = 0
        self._last = last
        self._connect = sqlite3.connect
        sqlite3.connect = self._connected  # type: ignore[assignment]
        sys.addaudithook(self._hear)

    def _connected(self, *given: Any, **options: Any) -> sqlite3.Connection:
        self._step("connect")
        db: sqlite3.Connection = self._connect(*given, **options)
        db.set_trace_callback(self._step)
        return db

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if event in FILE_EVENTS or (event == "open" and given[2] & WRITES):
            self._step(event)

    def _step(self, what: str) -> None:
        self.taken += 1
        if self._last in {self.taken, what}:
            words = [line for line in what.splitlines() if not line.lstrip().startswith("--")]
            die(" ".join(" ".join(words).split()[:3]))


def _live(task: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> None:
    """Be a child: do the task, and end as a process does."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.environ |= task.get("environment", {})
    os.chdir(task["directory"])
    ahead_us = int(task.get("days_ahead", 0)) * DAY_US
    if ahead_us:
        now_us = SystemClock.now_us
        SystemClock.now_us = lambda self: now_us(self) + ahead_us  # type: ignore[method-assign]
    code = 0
    with later_schemas(int(task.get("later_schemas", 0))):
        steps = Steps(task["step"]) if "step" in task else None
        if "words" in task:
            from aftercall.interfaces.cli.main import main  # noqa: PLC0415 - the parent has it

            sys.argv = ["aftercall", *task["words"]]
            code = main(task["words"])
        else:
            perform(task)
    if steps is not None:
        sys.stderr.write(f"\n{steps.taken}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _bear(task: dict[str, Any]) -> dict[str, object]:
    """Have a child do a task, kill it if it is not done in time, and tell how it ended."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            try:
                _live(task, out, err)
            except BaseException:  # noqa: BLE001 - it ends here, and may not return
                sys.excepthook(*sys.exc_info())
                sys.stderr.flush()
                os._exit(1)
        handle = os.pidfd_open(child)
        try:
            ended, _, _ = select.select([handle], [], [], task.get("seconds", SECONDS_MAX))
            if not ended:
                os.kill(child, signal.SIGKILL)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        finally:
            os.close(handle)
        out.seek(0)
        err.seek(0)
        told, words = out.read().decode(), err.read().decode()
    return {"code": code, "out": told, "err": words}


class Nursery:
    """The parent, seen from the test: started when it is first needed, and kept."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._one_at_a_time = threading.Lock()

    async def live(self, task: dict[str, Any]) -> Life:
        """Have a process live through a task."""
        told = await asyncio.to_thread(self._ask, task)
        words = str(told["err"])
        steps = 0
        if "step" in task and told["code"] != -signal.SIGKILL:
            words, _, number = words.rpartition("\n")
            steps = int(number)
        return Life(told["code"], told["out"], words, steps)

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        with self._one_at_a_time:
            parent = self._parent()
            assert parent.stdin is not None
            assert parent.stdout is not None
            parent.stdin.write(json.dumps(task) + "\n")
            parent.stdin.flush()
            answer: dict[str, Any] = json.loads(parent.stdout.readline())
        return answer

    def _parent(self) -> "subprocess.Popen[str]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._close)
        return self._process

    def _close(self) -> None:
        if self._process is not None and self._process.stdin and self._process.stdout:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait(10)


NURSERY = Nursery()


def main() -> None:
    """Bear children until nobody asks for more."""
    from aftercall.interfaces.cli import (  # noqa: F401, PLC0415 - they import when they are run
        audit,
        keeping,
        main,
        runs,
    )

    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_bear(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
