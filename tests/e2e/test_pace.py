"""The pace with the default settings, against a tenant whose limiter forgives nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.measures import pace_used

ROOT = Path(__file__).parents[2]


@pytest.mark.alone
def test_twenty_campaigns_use_their_limits_without_one_429() -> None:
    # The measure is 0 if the tenant answered 429 even once.
    assert pace_used(10) >= 0.94


def test_benchmarks_do_not_rot() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--smoke"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("[") == 4
