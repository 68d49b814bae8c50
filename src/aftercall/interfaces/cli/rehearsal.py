"""A simulator in a process of its own, for as long as a demo or a rehearsal takes."""

import json
import os
import selectors
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from aftercall.errors import AftercallError
from aftercall.interfaces.cli.proof import Witness

START_SECONDS = 20.0
END_SECONDS = 5.0
LATENCY_MS = ("--latency-ms", "25", "--jitter-ms", "30")
"""About what an API over the internet takes."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How the simulator is to be.

    Attributes:
        options: its command line, which holds no secret.
        log: where it writes what goes wrong.
    """

    options: Sequence[str]
    log: Path


@dataclass(frozen=True, slots=True)
class Simulator:
    """A simulator that listens."""

    url: str
    crm_url: str

    def witness(self) -> Witness:
        """Ask it what it saw.

        Raises:
            AftercallError: it has ended.
        """
        ledger = [json.loads(line) for line in self._asked("ledger").splitlines()]
        followed = [json.loads(line) for line in self._asked("follow-ups").splitlines()]
        return Witness.of(self.stats(), ledger, followed)

    def stats(self) -> Mapping[str, Any]:
        """Ask it for its counts.

        Raises:
            AftercallError: it has ended.
        """
        counts: Mapping[str, Any] = json.loads(self._asked("stats"))
        return counts

    def heard(self) -> set[str]:
        """Ask its CRM for the ids of the events that it took.

        Raises:
            AftercallError: it has ended.
        """
        return {json.loads(line)["id"] for line in self._asked("crm").splitlines()}

    def _asked(self, what: str) -> bytes:
        # Always this machine: a proxy of the environment has no business here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/_sim/{what}", timeout=START_SECONDS) as answer:
                body: bytes = answer.read()
        except OSError as trouble:
            message = f"The simulator ended before it was asked: {trouble}."
            raise AftercallError(message, fix="Its log may say why.") from None
        return body


@contextmanager
def rehearsing(rehearsal: Rehearsal, environment: Mapping[str, str]) -> Iterator[Simulator]:
    """Run a simulator while the block runs.

    Args:
        rehearsal: how it is to be.
        environment: the credentials that it is to expect; never on its command line.

    Raises:
        AftercallError: it does not start.
    """
    command = [
        sys.executable, "-m", "aftercall.simulator", "--port", "0", "--exit-with-stdin",
        *rehearsal.options,
    ]  # fmt: skip
    with rehearsal.log.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **environment},
            # Ctrl-C is for the run, which drains first; the simulator ends with this process.
            start_new_session=True,
        )
    try:
        yield _announced(process, rehearsal.log)
    finally:
        _end(process)


def _announced(process: "subprocess.Popen[bytes]", log: Path) -> Simulator:
    told = _first_line(process.stdout)
    if not told:
        # The log may lie in a directory that is thrown away.
        said = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
        said = said.removeprefix("python -m aftercall.simulator: ")
        message = f"The simulator did not start: {said or 'it said nothing'}."
        raise AftercallError(
            message, fix="docs/rehearse.md says what it serves; aftercall plan needs none."
        )
    addresses = json.loads(told)
    return Simulator(addresses["url"], addresses["crm_url"])


def _first_line(stream: IO[bytes] | None) -> bytes:
    if stream is None:
        return b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(START_SECONDS) else b""


def _end(process: "subprocess.Popen[bytes]") -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
