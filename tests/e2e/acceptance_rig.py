"""A large awkward input, the tenant that it is for, and the installed command that writes it."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAMPAIGNS = 20
RATE = 25
COMMAND = Path(sys.executable).with_name("aftercall")
ENVIRONMENT = {
    "CXONE_CLIENT_ID": "acceptance",
    "CXONE_CLIENT_SECRET": "not-a-secret",
    "AFTERCALL_CRM_SECRET": "not-a-secret-either",
}
FAULTS = {
    "reset_before": 0.02,
    "reset_after": 0.02,
    "error_before": 0.02,
    "error_after_commit": 0.02,
    "garbage": 0.01,
    "truncated": 0.01,
    "unauthorized": 0.0005,
    "conflict": 0.02,
    "slow": 0.002,
    "crm_error": 0.01,
    "crm_reset_after": 0.01,
}
COLUMNS = ["campaign", "contact", "outcome", "agent", "notes", "custom_fields", "timestamp"]
CODES = ["INTERESTED", "NOT_INTERESTED", "CALLBACK_LATER", "NO_ANSWER", "DO_NOT_CALL"]
BROKEN: list[dict[str, str]] = [
    {"contact": ""},
    {"outcome": "INTERSTED"},
    {"outcome": "interested"},
    {"timestamp": "2026-11-20T10:00:00"},
    {"timestamp": "2031-01-01T00:00:00Z"},
    {"contact": "../../admin"},
    {"custom_fields": "{not json"},
    {"agent": ""},
]

CONFIG = """\
[tenant]
base_url = "{url}"
read_seconds = 1.0
total_seconds = 2.0

[outcomes]
INTERESTED = "positive"
NOT_INTERESTED = "negative"
CALLBACK_LATER = "callback"
NO_ANSWER = "unreachable"
DO_NOT_CALL = "opt_out"

[limits]
requests_per_second = {rate}
# Twice the default: a process that was killed cannot tell the next how late its last requests came.
headroom = 0.1

[retry]
wait_seconds_initial = 0.2
attempts_max = 12

[crm]
url = "{crm_url}"
"""


@dataclass(frozen=True)
class Scene:
    """An input, the world that it is for, and how its rows are meant to end."""

    rows: list[dict[str, str]]
    world: dict[str, Any]
    expected: Counter[str]


def scene(size: int, seed: int) -> Scene:
    """Make `size` rows with every kind of trouble, spread evenly over the campaigns."""
    chance = random.Random(seed)
    rows: list[dict[str, str]] = []
    contacts: list[dict[str, Any]] = []
    expected: Counter[str] = Counter()
    kinds = ["plain"] * 88 + ["duplicate", "conflict", "broken", "missing", "refused"] * 2
    kinds += ["on_call", "held"]
    number = 0
    while len(rows) < size:
        number += 1
        kind = kinds[number % len(kinds)]
        row = _row(number, chance)
        place: dict[str, Any] = {"campaign": row["campaign"], "contact": row["contact"]}
        rows.append(row)
        status = "applied"
        if kind == "duplicate":
            rows.append(dict(row))
            expected["duplicate"] += 1
        elif kind == "conflict":
            older = {**row, "outcome": "NO_ANSWER", "timestamp": "2026-11-19T08:00:00Z"}
            rows.append({**older, "agent": "a-older"})
            expected["superseded"] += 1
        elif kind == "broken":
            row.update(BROKEN[number % len(BROKEN)])
            status = "invalid"
        elif kind == "missing":
            status = "missing"
        elif kind == "refused":
            place["refuse"] = {"status": (403, 409, 422)[number % 3], "message": "not this one"}
            status = "rejected"
        elif kind == "on_call":
            place["timeline"] = [["CONNECTED", 1.0], ["WRAP_UP", 0.5], ["READY", None]]
        elif kind == "held":
            place |= {"outcome": row["outcome"], "timestamp": "2026-11-18T10:00:00Z"}
            status = "unchanged"
        if status not in {"missing", "invalid"}:
            contacts.append({"state": "READY", **place})
        expected[status] += 1
    return Scene(rows, {"contacts": contacts, "open": False}, expected)


def _row(number: int, chance: random.Random) -> dict[str, str]:
    return {
        "campaign": f"campaign-{number % CAMPAIGNS}",
        "contact": f"contact/{number}" if number % 97 == 0 else f"contact-{number}",
        "outcome": chance.choice(CODES),
        "agent": f"a-{number % 40}",
        "notes": chance.choice(["", "Asked for the offer in writing, twice.", 'Said "later".']),
        "custom_fields": chance.choice(["", '{"score": 7}']),
        "timestamp": f"2026-11-20T{10 + number % 8}:{number % 60:02d}:00+01:00",
    }


@dataclass(frozen=True)
class Tenant:
    """A simulated tenant in a process of its own."""

    url: str
    crm_url: str

    def lines(self, path: str) -> list[dict[str, Any]]:
        """Return what an inspection page lists."""
        with urllib.request.urlopen(self.url + path) as answer:
            return [json.loads(line) for line in answer]

    def stats(self) -> dict[str, Any]:
        """Return what it counted."""
        return self.lines("/_sim/stats")[0]

    def effective(self) -> Counter[tuple[str, str, str]]:
        """Return how often each contact's outcome was changed, to what."""
        return Counter(
            (entry["campaign"], entry["contact"], entry["after"]["outcomeCode"])
            for entry in self.lines("/_sim/ledger")
            if entry["effective"]
        )


@contextmanager
def tenant(directory: Path, world: dict[str, Any], faults: dict[str, float]) -> Iterator[Tenant]:
    """Run a tenant with a strict limiter and seeded faults."""
    file = directory / "world.json"
    file.write_text(json.dumps(world))
    flags = [f"--fault={kind}={share}" for kind, share in faults.items()]
    command = [sys.executable, "-m", "aftercall.simulator", "--port", "0", "--world", str(file)]
    command += ["--rate", str(RATE), "--slow-seconds", "1.5", "--seed", "11", *flags]
    with subprocess.Popen(
        [*command, "--exit-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        try:
            yield Tenant(told["url"], told["crm_url"])
        finally:
            process.stdin.close()


def prepare(directory: Path, one: Tenant, rows: list[dict[str, str]]) -> Path:
    """Write the configuration and the input; return the input's path."""
    text = CONFIG.format(url=one.url, crm_url=one.crm_url, rate=RATE)
    (directory / "aftercall.toml").write_text(text)
    path = directory / "calls.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


@dataclass(frozen=True)
class Done:
    """What a command did."""

    code: int
    report: dict[str, Any]
    err: str


def aftercall(directory: Path, *arguments: str) -> Done:
    """Run the installed command with ``--json``."""
    done = subprocess.run(
        [COMMAND, *arguments, "--json"],
        cwd=directory,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    report = json.loads(done.stdout) if done.stdout.strip() else {}
    return Done(done.returncode, report, done.stderr)


def killed_after(directory: Path, seconds: float, *arguments: str) -> None:
    """Start the installed command and kill it, unless it has ended by then."""
    with subprocess.Popen(
        [COMMAND, *arguments, "--quiet"],
        cwd=directory,
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
