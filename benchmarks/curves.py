"""Throughput over rows, over latency and over campaigns, each beside what limits it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from benchmarks.baselines import plain_asyncio, script, wrk_rows_per_second
from benchmarks.pace import PER_SECOND, paced
from benchmarks.peers import fast_server, simulator
from benchmarks.rig import CONCURRENCY, ours

ROWS = (300, 1000, 3000, 10_000, 30_000)
LATENCIES_MS = (2, 5, 10, 20, 50, 100)
CAMPAIGNS = (1, 5, 20, 50, 100, 200)
SECONDS_A_POINT = 3.0
ROWS_A_POINT_MAX = 4000


@dataclass(frozen=True)
class Curve:
    """What one round measured along one axis.

    Attributes:
        over: what the axis is.
        at: where on the axis it was measured.
        unit: what is counted in each second.
        series: the values by what they are of, the limit among them.
    """

    over: str
    at: tuple[int, ...]
    unit: str
    series: Mapping[str, tuple[float, ...]]


LIMIT = "the limit"


def over_rows(at: tuple[int, ...] = ROWS) -> Curve:
    """Return rows per second by the size of the input; `wrk` on the same server is the limit."""
    mine, plain, limit = [], [], []
    with fast_server() as one:
        for size in at:
            plain.append(plain_asyncio(one, min(size, 1000)).per_second)
            limit.append(wrk_rows_per_second(one) or 0.0)
            mine.append(ours(one, size).per_second)
    series = {"aftercall": tuple(mine), "plain asyncio and httpx2": tuple(plain)}
    if all(limit):
        series[LIMIT] = tuple(limit)
    return Curve("rows", at, "rows", series)


def over_latency(at: tuple[int, ...] = LATENCIES_MS) -> Curve:
    """Return rows per second by the tenant's latency in ms; 50 in flight are the limit."""
    mine, plain, slow, limit = [], [], [], []
    for latency_ms in at:
        ceiling = CONCURRENCY / (2 * latency_ms / 1000)
        size = min(ROWS_A_POINT_MAX, int(ceiling * SECONDS_A_POINT))
        with fast_server(latency_ms) as one:
            slow.append(script(one, 20).per_second)
            plain.append(plain_asyncio(one, size // 4).per_second)
            mine.append(ours(one, size, crm=None).per_second)
        limit.append(ceiling)
    series = {
        "aftercall": mine,
        "plain asyncio and httpx2": plain,
        "a sequential script": slow,
        LIMIT: limit,
    }
    found = {name: tuple(values) for name, values in series.items()}
    return Curve("latency, ms", at, "rows", found)


def over_campaigns(at: tuple[int, ...] = CAMPAIGNS, seconds: int = 10) -> Curve:
    """Return requests per second by campaigns, each of which may have 10 per second."""
    mine, limit = [], []
    for campaigns in at:
        permitted = float(PER_SECOND * campaigns)
        with simulator("--rate", str(PER_SECOND)) as one:
            used, throttled = paced(one, seconds, campaigns=campaigns)
        if throttled:
            message = f"{throttled} requests were refused"
            raise RuntimeError(message)
        mine.append(used * permitted)
        limit.append(permitted)
    return Curve("campaigns", at, "requests", {"aftercall": tuple(mine), LIMIT: tuple(limit)})


def measured(*, small: bool = False) -> list[dict[str, object]]:
    """Return one round of each curve, as JSON has it; a few points of them if it is `small`."""
    if small:
        return [
            asdict(over_rows((50,))),
            asdict(over_latency((2,))),
            asdict(over_campaigns((5,), 1)),
        ]
    return [asdict(curve()) for curve in (over_rows, over_latency, over_campaigns)]
