"""Peers that the product is measured against, in processes of their own."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import nginx

ENVIRONMENT = {
    "CXONE_CLIENT_ID": "bench",
    "CXONE_CLIENT_SECRET": "bench",
    "AFTERCALL_CRM_SECRET": "no-secret-but-long-enough",
}


@dataclass(frozen=True)
class Peer:
    """A running tenant and CRM, and the profile in whose language it is spoken to."""

    url: str
    crm_url: str
    pid: int
    profile: str = "outbound-v1"

    def stats(self) -> dict[str, Any]:
        """Return what a simulator counted."""
        with urllib.request.urlopen(f"{self.url}/_sim/stats") as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def throttled(self) -> int:
        """Return how many requests a simulator answered with 429."""
        return sum(campaign["throttled"] for campaign in self.stats()["campaigns"].values())


def simulator(*flags: str) -> contextlib.AbstractContextManager[Peer]:
    """Run a simulator whose every contact exists."""
    return _peer("aftercall.simulator", "--port", "0", "--open", "--exit-with-stdin", *flags)


def fast_server(latency_ms: float = 0.0) -> contextlib.AbstractContextManager[Peer]:
    """Run a server that costs as little as can be, so that the client is what is measured.

    nginx where the machine has it; it cannot answer late, so with a latency, as without nginx, it
    is one of ours.
    """
    if nginx.PROGRAM is not None and not latency_ms:
        return _nginx(nginx.PROGRAM)
    return _peer("benchmarks.fast_server", str(latency_ms))


@contextlib.contextmanager
def _nginx(program: str) -> Iterator[Peer]:
    with nginx.serving(program) as (address, pid):
        yield Peer(address, f"{address}/crm", pid)


@contextlib.contextmanager
def _peer(module: str, *flags: str) -> Iterator[Peer]:
    with subprocess.Popen(
        [sys.executable, "-m", module, *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **ENVIRONMENT},
        cwd=Path(__file__).parents[1],
    ) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError
        told = json.loads(process.stdout.readline())
        try:
            yield Peer(told["url"], told["crm_url"], process.pid)
        finally:
            process.stdin.close()
