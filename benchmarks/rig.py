"""A simulated tenant in a process of its own, settings for it, and rows to write."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "CXONE_CLIENT_ID": "bench",
    "CXONE_CLIENT_SECRET": "bench",
    "AFTERCALL_CRM_SECRET": "bench",
}
OUTCOMES = {"INTERESTED": "positive", "NO_ANSWER": "unreachable", "DO_NOT_CALL": "opt_out"}


@dataclass(frozen=True)
class Peer:
    """A running simulator."""

    url: str
    crm_url: str
    pid: int

    def stats(self) -> dict[str, Any]:
        """Return what it counted."""
        with urllib.request.urlopen(f"{self.url}/_sim/stats") as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextlib.contextmanager
def peer(*flags: str) -> Iterator[Peer]:
    """Run a simulator whose every contact exists."""
    command = [sys.executable, "-m", "aftercall.simulator", "--port", "0", "--open"]
    with subprocess.Popen(
        [*command, "--exit-with-stdin", *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError
        told = json.loads(process.stdout.readline())
        try:
            yield Peer(told["url"], told["crm_url"], process.pid)
        finally:
            process.stdin.close()


@contextlib.contextmanager
def settings(one: Peer, *, rate: float, crm: bool = True) -> Iterator[dict[str, Any]]:
    """Give settings for a peer, with a fresh journal."""
    with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as directory:
        yield {
            "tenant": {"base_url": one.url},
            "outcomes": OUTCOMES,
            "limits": {"requests_per_second": rate},
            "journal": {"url": f"sqlite:///{Path(directory) / 'journal.db'}"},
            **({"crm": {"url": one.crm_url, "concurrency": 50}} if crm else {}),
        }


def rows(count: int, campaigns: int) -> Iterator[dict[str, object]]:
    """Give rows, each of another contact."""
    codes = tuple(OUTCOMES)
    for n in range(count):
        yield {
            "campaign": f"campaign-{n % campaigns}",
            "contact": f"contact-{n}",
            "outcome": codes[n % len(codes)],
            "agent": "a-1",
            "notes": "Spoke about the renewal; asked for the offer in writing.",
            "timestamp": "2026-11-20T10:00:00Z",
        }
