"""How fast rows are written when no limit holds them back."""

from collections.abc import Mapping

from benchmarks.baselines import plain_asyncio, script, wrk_rows_per_second
from benchmarks.peers import fast_server
from benchmarks.rig import CONCURRENCY, ours

LATENCY_MS = 20
SHARE_OF_SCRIPT = 20
"""The baselines write fewer rows, or the slowest would take up all the time."""


def unthrottled(size: int) -> Mapping[str, float]:
    """Return rows per second against each baseline on the same server, and CPU per row."""
    with fast_server() as one:
        plain = plain_asyncio(one, max(60, size // 10))
        wrk = wrk_rows_per_second(one)
        mine = ours(one, size)
    figures = {
        "against plain asyncio and httpx2": mine.per_second / plain.per_second,
        "CPU per row, microseconds": 1e6 * mine.cpu_seconds / mine.rows,
    }
    if wrk is not None:
        figures["against wrk"] = mine.per_second / wrk
    return figures


def with_latency(size: int) -> Mapping[str, float]:
    """Return rows per second, all answers 20 ms late, against a script and against the ceiling."""
    with fast_server(LATENCY_MS) as one:
        slow = script(one, max(10, size // SHARE_OF_SCRIPT // 10))
        plain = plain_asyncio(one, size // 4)
        with_crm = ours(one, size)
        without_crm = ours(one, size, crm=None)
    # Both requests to the tenant; the CRM has connections of its own and is nobody's ceiling.
    ceiling = CONCURRENCY / (2 * LATENCY_MS / 1000)
    return {
        "against a sequential script, 20 ms": with_crm.per_second / slow.per_second,
        "against plain asyncio and httpx2, 20 ms": with_crm.per_second / plain.per_second,
        "of the latency ceiling, 20 ms, 50 in flight": without_crm.per_second / ceiling,
        "the same with a CRM": with_crm.per_second / ceiling,
    }
