"""Any size of input: the last row is treated like the first, and memory stays flat."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.e2e.acceptance_rig import COLUMNS, COMMAND, ENVIRONMENT, Tenant, prepare, tenant

GROWTH_MIB_MAX = 20
"""The journal's page cache of 16 MiB, which the small input does not fill, and some slack."""
PEAK_MIB_MAX = 120
SMALL, LARGE = 5_000, 51_000
TOLD = (1, 51, SMALL, LARGE)
"""Rows that are unlike all others; the rest is the same outcome again and again."""


def rows_of(size: int, told: tuple[int, ...]) -> list[dict[str, str]]:
    plain = dict.fromkeys(COLUMNS, "") | {
        "campaign": "campaign-1",
        "contact": "contact-0",
        "outcome": "INTERESTED",
        "agent": "a-1",
        "notes": "A note of the usual length, as agents write them after a call.",
    }
    return [
        {**plain, "contact": f"contact-{number}"} if number in told else plain
        for number in range(1, size + 1)
    ]


WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""
"""Runs a command and prints its peak memory. A child of the tests would count their own, too."""


def peak_mib(directory: Path, path: Path) -> tuple[int, dict[str, int]]:
    """Run a sync; return the most memory that it held, and its statuses."""
    done = subprocess.run(
        [sys.executable, "-c", WATCH, COMMAND, "sync", str(path), "--json", "--quiet"],
        cwd=directory,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1]) // 1024, json.loads(done.stdout)["statuses"]


def test_rows_51_and_51000_are_treated_like_row_1(tmp_path: Path, soak_factor: int) -> None:
    large = LARGE * min(soak_factor, 20)
    told = (*TOLD, large)
    peaks = []
    with tenant(tmp_path, {"contacts": [], "open": True}, {}) as one:
        for size in (SMALL, large):
            directory = tmp_path / str(size)
            directory.mkdir()
            peak, statuses = peak_mib(directory, prepare(directory, one, rows_of(size, told)))
            wanted = len({number for number in told if number <= size}) + 1
            peaks.append(peak)
            assert statuses["applied"] + statuses.get("unchanged", 0) == wanted
            assert sum(statuses.values()) == size
        held(one, told)
    assert peaks[1] <= PEAK_MIB_MAX
    assert peaks[1] - peaks[0] <= GROWTH_MIB_MAX


def held(one: Tenant, told: tuple[int, ...]) -> None:
    """Check that each of the telling rows has reached the tenant, once."""
    changed = one.effective()
    assert {(f"contact-{number}") for number in (*told, 0)} == {key[1] for key in changed}
    assert set(changed.values()) == {1}


def test_the_result_files_hold_every_row(tmp_path: Path) -> None:
    with tenant(tmp_path, {"contacts": [], "open": True}, {}) as one:
        _, statuses = peak_mib(tmp_path, prepare(tmp_path, one, rows_of(2_000, TOLD)))
        (result,) = tmp_path.glob("*-success.csv")
        with result.open(newline="") as file:
            lines = [int(row["aftercall_line"]) for row in csv.DictReader(file)]
    assert sum(statuses.values()) == 2_000
    assert lines == list(range(2, 2_002))
