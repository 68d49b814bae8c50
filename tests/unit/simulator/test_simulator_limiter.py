from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.simulator import LimitRules, World
from aftercall.simulator.limiter import Gate, SlidingWindow, TokenBucket

from .rig import MovedClock, serving

GAPS = st.lists(st.floats(0, 0.5, allow_subnormal=False), max_size=200)
RATES = st.integers(1, 25)


def arrivals(gaps: list[float]) -> list[float]:
    now, times = 1000.0, []
    for gap in gaps:
        now += gap
        times.append(now)
    return times


@given(gaps=GAPS, rate=RATES)
def test_no_second_holds_more_than_the_rate(gaps: list[float], rate: int) -> None:
    window, passed = SlidingWindow(rate), list[float]()
    for now in arrivals(gaps):
        if window.wait(now) == 0:
            window.take(now)
            passed.append(now)
    for begin in passed:
        assert sum(begin <= time and time - begin < 1.0 for time in passed) <= rate


@given(rate=RATES, count=st.integers(1, 200), extra=st.floats(1e-6, 1))
def test_evenly_spaced_requests_all_pass(rate: int, count: int, extra: float) -> None:
    window, bucket = SlidingWindow(rate), TokenBucket(rate, 1)
    for now in arrivals([1 / rate + extra] * count):
        assert window.wait(now) == 0
        assert bucket.wait(now) == 0
        window.take(now)
        bucket.take(now)


@given(gaps=GAPS, rate=RATES)
def test_window_is_not_stricter_than_it_says(gaps: list[float], rate: int) -> None:
    window = SlidingWindow(rate)
    for now in arrivals(gaps):
        wait = window.wait(now)
        assert 0 <= wait <= 1.0
        assert window.wait(now + wait) == pytest.approx(0, abs=0.001)
        if wait == 0:
            window.take(now)


@given(gaps=GAPS, rate=RATES, burst=st.integers(1, 20))
def test_bucket_never_exceeds_burst_and_rate(gaps: list[float], rate: int, burst: int) -> None:
    bucket, passed = TokenBucket(rate, burst), list[float]()
    for now in arrivals(gaps):
        if bucket.wait(now) == 0:
            bucket.take(now)
            passed.append(now)
    for index, begin in enumerate(passed):
        for last in range(index, len(passed)):
            assert last - index + 1 <= burst + (passed[last] - begin) * rate + 1e-3


def test_tenant_wide_rate_refuses_without_using_up_the_campaign() -> None:
    gate = Gate(LimitRules(rate=2, tenant_rate=3))
    assert [gate.admit(name, 5.0) > 0 for name in "aabb"] == [False, False, False, True]
    assert gate.admit("b", 6.0) == 0
    assert gate.admit("b", 6.0) == 0
    assert gate.stats()["b"] == {"requests": 4, "peak_per_second": 2, "throttled": 1}


async def test_eleventh_request_of_a_second_is_refused() -> None:
    clock = MovedClock()
    async with serving(limits=LimitRules(), clock=clock) as rig:
        reads = await asyncio.gather(*(rig.get(f"p{number}") for number in range(6)))
        writes = await asyncio.gather(*(rig.patch({"notes": "x"}) for _ in range(4)))
        refused = [await rig.get(), await rig.patch({"notes": "y"})]
        other = await rig.get(campaign="c2")
        clock.forward(0.999)
        early = await rig.get()
        clock.forward(0.001)
        free = await rig.get()
        stats = rig.simulator.stats()["campaigns"]
    assert {answer.status for answer in reads + writes} == {200, 204}
    assert [answer.status for answer in refused] == [429, 429]
    assert refused[0].json == {"error": "rate_limited"}
    assert (other.status, early.status, free.status) == (200, 429, 200)
    assert stats["c1"] == {"requests": 14, "peak_per_second": 13, "throttled": 3}


async def test_retry_after_alternates_between_seconds_and_date() -> None:
    clock = MovedClock()
    async with serving(limits=LimitRules(rate=1), clock=clock) as rig:
        await rig.get()
        values = [(await rig.get()).headers["Retry-After"] for _ in range(4)]
    assert values[0] == values[2] == "1"
    for value in values[1::2]:
        wait = parsedate_to_datetime(value) - datetime.fromtimestamp(clock.wall(), UTC)
        assert 1 <= wait.total_seconds() <= 2


async def test_retry_after_in_one_form_or_none() -> None:
    seen = {}
    for style in ("seconds", "date", "none"):
        limits = LimitRules(rate=1)
        async with serving(limits=limits, clock=MovedClock(), retry_after=style) as rig:
            await rig.get()
            seen[style] = [(await rig.get()).headers.get("Retry-After") for _ in range(2)]
    assert seen["seconds"] == ["1", "1"]
    assert all(value is not None and value.endswith("GMT") for value in seen["date"])
    assert seen["none"] == [None, None]


async def test_bucket_allows_a_burst_and_then_the_rate() -> None:
    clock = MovedClock()
    limits = LimitRules(kind="bucket", rate=2, burst=3)
    async with serving(limits=limits, clock=clock) as rig:
        burst = [(await rig.get()).status for _ in range(4)]
        clock.forward(0.5)
        after = [(await rig.get()).status for _ in range(2)]
    assert burst == [200, 200, 200, 429]
    assert after == [200, 429]


async def test_campaign_with_a_rate_of_its_own() -> None:
    world = World.from_json({"open": True, "campaigns": {"slow": {"rate": 1}}})
    async with serving(world=world, clock=MovedClock()) as rig:
        slow = [(await rig.get(campaign="slow")).status for _ in range(2)]
        fast = [(await rig.get(campaign="fast")).status for _ in range(20)]
    assert slow == [200, 429]
    assert set(fast) == {200}


async def test_latency_and_in_flight_peak() -> None:
    async with serving(latency_ms=80, jitter_ms=20) as rig:
        begun = asyncio.get_running_loop().time()
        await asyncio.gather(*(rig.get(f"p{number}") for number in range(7)))
        taken = asyncio.get_running_loop().time() - begun
        peak = rig.simulator.stats()["in_flight_peak"]
    assert taken >= 0.079
    assert peak == 7


@pytest.mark.parametrize("settings", [{"rate": -1}, {"tenant_rate": -1}, {"burst": 0}])
def test_limits_that_make_no_sense(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        LimitRules(**settings)  # type: ignore[arg-type]
