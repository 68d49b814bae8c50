"""How much of a tenant's limit is used, and whether it is ever exceeded."""

from collections.abc import Mapping

from benchmarks.peers import Peer, simulator
from benchmarks.rig import Pace, ours

PER_SECOND = 10


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
