"""How much of a tenant's limit is used, and whether it is ever exceeded."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aftercall.adapters.profiles import read_profile
from benchmarks.peers import Peer, simulator
from benchmarks.rig import Pace, ours

PER_SECOND = 10
LISTS = """

[read.bulk]
url = "/api/v1/outbound/campaigns/{campaign}/contacts"
ids_in = "query_each"
ids = "id"
items = "contacts"
id = "contactId"
etag = "version"
"""
STRICT = Pace(PER_SECOND)
BURSTING = Pace(PER_SECOND, headroom=0.0)


SLOWLY = 2
"""At so many a second the processor does not bound 200 campaigns."""


def paced(
    one: Peer, seconds: int, *, campaigns: int = 20, pace: Pace = STRICT
) -> tuple[float, int]:
    """Send for about so many seconds at a pace.

    Returns:
        Requests sent against those permitted, and how many were answered with 429.
    """
    size = int(campaigns * seconds * pace.per_second) // 2
    cost = ours(one, size, pace=pace, campaigns=campaigns, crm=None)
    return 2 * size / (cost.seconds * pace.per_second * campaigns), one.throttled()


def _used(seconds: int, campaigns: int, pace: Pace, *flags: str) -> float:
    """Return the share that was used; a single 429 voids it."""
    with simulator("--rate", str(int(pace.per_second)), *flags) as one:
        used, throttled = paced(one, seconds, campaigns=campaigns, pace=pace)
    return 0.0 if throttled else used


def strict(seconds: int) -> Mapping[str, float]:
    """Return what is used of a strict sliding window, on 1, 20 and 200 campaigns."""
    found = {
        f"of a strict window, {campaigns} campaigns": _used(seconds, campaigns, STRICT)
        for campaigns in (1, 20, 200)
    }
    slowly = f"of a strict window, 200 campaigns at {SLOWLY} a second"
    return found | {slowly: _used(seconds, 200, Pace(SLOWLY))}


def bursting(seconds: int) -> Mapping[str, float]:
    """Return what is used of a token bucket with a burst of 10, without headroom."""
    bucket = ("--limiter", "bucket", "--burst", "10")
    return {
        f"of a token bucket, {campaigns} campaigns": _used(seconds, campaigns, BURSTING, *bucket)
        for campaigns in (1, 20, 200)
    }


def listed(seconds: int) -> Mapping[str, float]:
    """Return how many more rows a pace lets through where contacts are read in lists."""
    size = seconds * PER_SECOND // 2
    with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as directory:
        file = Path(directory) / "lists.toml"
        file.write_text(read_profile("outbound-v1").text + LISTS, encoding="utf-8")
        with simulator("--rate", str(PER_SECOND), "--profile", str(file)) as one:
            paces = Pace(PER_SECOND)
            alone = ours(one, size, pace=paces, campaigns=1, crm=None)
        with simulator("--rate", str(PER_SECOND), "--profile", str(file)) as one:
            spoken = replace(one, profile=str(file))
            together = ours(spoken, size, pace=paces, campaigns=1, crm=None)
            throttled = one.throttled()
    gain = 0.0 if throttled else together.per_second / alone.per_second
    return {"rows at 10 requests/s with lists, against without": gain}
