"""What becomes of the cost when the input grows: memory, cost per row, time to go on."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.peers import ENVIRONMENT, Peer, fast_server, simulator
from benchmarks.rig import OUTCOMES, ours, rows

COMMAND = Path(sys.executable).with_name("aftercall")
WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""
"""Runs a command and prints its peak memory, which a child of this process would inherit."""
WAIT_SECONDS_MAX = 600.0


def flat_cost(size: int) -> Mapping[str, float]:
    """Return the CPU per row of ten times `size` rows against that of `size`, written in full."""
    with fast_server() as one:
        small = ours(one, size)
        large = ours(one, 10 * size)
    ratio = large.cpu_seconds / large.rows / (small.cpu_seconds / small.rows)
    return {"cost per row, ten times the rows": ratio}


def memory(size: int) -> Mapping[str, float]:
    """Return the peak memory of the command at `size` rows, and how much a tenth needs less."""
    with fast_server() as one:
        small, large = (_peak_mib(one, count) for count in (size // 10, size))
    return {"peak memory, MiB": large, "more than at a tenth of the rows, MiB": large - small}


def _peak_mib(one: Peer, size: int) -> float:
    with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as name:
        path = _prepare(Path(name), one, size, per_second=1_000_000)
        done = subprocess.run(
            [sys.executable, "-c", WATCH, COMMAND, "sync", path.name, "--json", "--quiet"],
            cwd=path.parent,
            env=os.environ | ENVIRONMENT,
            stdout=subprocess.PIPE,
            check=True,
        )
    return int(done.stdout) / 1024


def resumption(size: int) -> Mapping[str, float]:
    """Kill a run at `size` open rows; return the seconds from `resume` to its first request."""
    with (
        simulator("--rate", "0") as one,
        tempfile.TemporaryDirectory(prefix="aftercall-bench-") as name,
    ):
        path = _prepare(Path(name), one, size, per_second=10)
        environment = os.environ | ENVIRONMENT
        with subprocess.Popen(
            [COMMAND, "sync", path.name, "--quiet"],
            cwd=path.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as run:
            _until(lambda: _requests(one) > 0)
            run.send_signal(signal.SIGKILL)
        before = _requests(one)
        began = time.perf_counter()
        with subprocess.Popen(
            [COMMAND, "resume", "--quiet"],
            cwd=path.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as resumed:
            _until(lambda: _requests(one) > before)
            seconds = time.perf_counter() - began
            resumed.send_signal(signal.SIGKILL)
        left = sqlite3.connect(path.parent / "aftercall.db").execute(
            "SELECT count(*) FROM row WHERE status IN ('pending', 'writing', 'doubtful')"
        )
        if left.fetchone()[0] < size * 0.9:
            message = "the run was not in the middle of its rows"
            raise RuntimeError(message)
    return {"resume after a kill, seconds to a request": seconds}


def _requests(one: Peer) -> int:
    return sum(campaign["requests"] for campaign in one.stats()["campaigns"].values())


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not true():
        if time.monotonic() > deadline:
            message = "nothing was sent"
            raise RuntimeError(message)
        time.sleep(0.005)


def _prepare(directory: Path, one: Peer, size: int, *, per_second: int) -> Path:
    """Write a configuration and a file of `size` rows."""
    outcomes = "\n".join(f'{code} = "{category}"' for code, category in OUTCOMES.items())
    directory.joinpath("aftercall.toml").write_text(
        f'[tenant]\nbase_url = "{one.url}"\n[outcomes]\n{outcomes}\n'
        f'[limits]\nrequests_per_second = {per_second}\n[crm]\nurl = "{one.crm_url}"\n'
    )
    path = directory / "calls.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(
            file, ["campaign", "contact", "outcome", "agent", "notes", "timestamp"]
        )
        writer.writeheader()
        writer.writerows(rows(size))
    return path


def start_up(rounds: int) -> Mapping[str, float]:
    """Return the seconds of `aftercall --help`, and the same against an empty Python."""
    help_seconds = min(_seconds([COMMAND, "--help"]) for _ in range(rounds))
    empty = min(_seconds([sys.executable, "-c", "pass"]) for _ in range(rounds))
    return {"--help, seconds": help_seconds, "--help against an empty Python": help_seconds / empty}


def _seconds(command: list[str | Path]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
