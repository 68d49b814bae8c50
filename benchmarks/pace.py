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


def paced(
    one: Peer, seconds: int, *, campaigns: int = 20, headroom: float = 0.05
) -> tuple[float, int]:
    """Send for about so many seconds at 10 per second.

    Returns:
        Requests sent against those permitted, and how many were answered with 429.
    """
    size = campaigns * seconds * PER_SECOND // 2
    cost = ours(one, size, pace=Pace(PER_SECOND, headroom), campaigns=campaigns, crm=None)
    return 2 * size / (cost.seconds * PER_SECOND * campaigns), one.throttled()


def _used(seconds: int, campaigns: int, headroom: float, *flags: str) -> float:
    """Return the share that was used; a single 429 voids it."""
    with simulator("--rate", str(PER_SECOND), *flags) as one:
        used, throttled = paced(one, seconds, campaigns=campaigns, headroom=headroom)
    return 0.0 if throttled else used


def strict(seconds: int) -> Mapping[str, float]:
    """Return what is used of a strict sliding window, on 1, 20 and 200 campaigns."""
    return {
        f"of a strict window, {campaigns} campaigns": _used(seconds, campaigns, 0.05)
        for campaigns in (1, 20, 200)
    }


def bursting(seconds: int) -> Mapping[str, float]:
    """Return what is used of a token bucket with a burst of 10, without headroom."""
    bucket = ("--limiter", "bucket", "--burst", "10")
    return {
        f"of a token bucket, {campaigns} campaigns": _used(seconds, campaigns, 0.0, *bucket)
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
