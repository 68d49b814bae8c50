"""Settings for a run against a peer, rows to write, and what that cost."""

import contextlib
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aftercall
from benchmarks.peers import ENVIRONMENT, Peer

OUTCOMES = {"INTERESTED": "positive", "NO_ANSWER": "unreachable", "DO_NOT_CALL": "opt_out"}
UNLIMITED = 1_000_000.0
CAMPAIGNS = 20
CONCURRENCY = 50
CRM: Mapping[str, object] = {"concurrency": CONCURRENCY}


@dataclass(frozen=True)
class Pace:
    """The limits of a run."""

    per_second: float = UNLIMITED
    headroom: float = 0.05


@contextlib.contextmanager
def settings(
    one: Peer, pace: Pace | None, crm: Mapping[str, object] | None
) -> Iterator[dict[str, Any]]:
    """Give settings for a peer, with a fresh journal.

    No limit unless a pace is given, and no CRM where its further settings are None.
    """
    pace = pace or Pace()
    with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as directory:
        yield {
            "tenant": {"base_url": one.url, "profile": one.profile},
            "outcomes": OUTCOMES,
            "limits": {"requests_per_second": pace.per_second, "headroom": pace.headroom},
            "journal": {"url": f"sqlite:///{Path(directory) / 'journal.db'}"},
            **({} if crm is None else {"crm": {"url": one.crm_url, **CRM, **crm}}),
        }


def rows(count: int, campaigns: int = CAMPAIGNS) -> Iterator[dict[str, object]]:
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


@dataclass(frozen=True)
class Cost:
    """What a run of so many rows took, in seconds of the clock and of this process's CPU."""

    rows: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


@contextlib.contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Give a list that holds, afterwards, the seconds and the CPU seconds that were spent."""
    spent: list[float] = []
    began, cpu = time.perf_counter(), _cpu_seconds()
    yield spent
    spent += [time.perf_counter() - began, _cpu_seconds() - cpu]


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ours(
    one: Peer,
    size: int,
    *,
    pace: Pace | None = None,
    campaigns: int = CAMPAIGNS,
    crm: Mapping[str, object] | None = CRM,
) -> Cost:
    """Write `size` rows with the product.

    Raises:
        RuntimeError: not every row was applied.
    """
    with settings(one, pace, crm) as config, stopwatch() as spent:
        report = aftercall.sync(rows(size, campaigns), config, ENVIRONMENT)
    if report.successful != size:
        message = f"{report.successful} of {size} rows were applied"
        raise RuntimeError(message)
    return Cost(size, report.elapsed_seconds, spent[1])
