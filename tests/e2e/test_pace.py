"""The pace with the default settings, against a tenant whose limiter forgives nothing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.pace import paced
from benchmarks.peers import simulator

ROOT = Path(__file__).parents[2]
USED_LEAST = 0.85
"""A machine that others use loses slots; the benchmarks hold the measure against 0.94."""


@contextlib.contextmanager
def stalls(pid: int, *, every: float, seconds: float) -> Iterator[None]:
    """Stop a process for so many seconds again and again."""
    over = threading.Event()

    def stall() -> None:
        while not over.wait(every):
            os.kill(pid, signal.SIGSTOP)
            over.wait(seconds)
            os.kill(pid, signal.SIGCONT)

    stalling = threading.Thread(target=stall)
    stalling.start()
    try:
        yield
    finally:
        over.set()
        stalling.join()


@pytest.mark.alone
def test_twenty_campaigns_use_their_limits_without_one_429() -> None:
    with simulator("--rate", "10") as one:
        used, throttled = paced(one, 10)
    assert throttled == 0
    assert used >= USED_LEAST


@pytest.mark.alone
def test_a_tenant_that_stalls_never_counts_more_than_its_limit() -> None:
    # What left during a stall is counted at its end, all at once, beside what leaves after it.
    with simulator("--rate", "10") as one, stalls(one.pid, every=1.3, seconds=0.25):
        used, throttled = paced(one, 6)
    assert throttled == 0
    assert used >= 0.6


def test_benchmarks_do_not_rot(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smoke", "--record", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[") >= 15
    found = json.loads((tmp_path / "performance.json").read_text())
    assert set(found["bars"]) - {"against wrk"} <= set(found["figures"])
    assert [one["over"] for one in found["curves"][0]] == ["rows", "latency, ms", "campaigns"]
    assert sum(found["stages"].values()) == pytest.approx(1.0)
    assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")
