"""What one campaign leaves is used by the others at once, and shared fairly meanwhile."""

import pytest

from aftercall.domain.pacing import SECOND_US, Pace

from .rig import Limit, Sent, World, gaps, per_second

TOTAL = Pace(50.0)
SPACING = TOTAL.spacing_us / SECOND_US
HELD_UP = 1.45


def test_the_tenants_limit_is_used_before_and_after_campaigns_end() -> None:
    rows = {"BIG": 200} | {f"S{number}": 10 + 5 * number for number in range(5)}
    world = World(rows, pace=Pace(60.0), total=TOTAL, whole=Limit(50.0)).play()

    assert not world.refused
    times = world.busy()
    assert per_second(times) >= 0.94 * 50.0
    assert max(gaps(times)) <= HELD_UP * SPACING
    last_of_small = max(world.times(*[name for name in rows if name != "BIG"]))
    alone = [at for at in world.busy("BIG") if at > last_of_small]
    assert len(alone) > 100
    assert max(gaps(alone)) <= HELD_UP * SPACING


def test_what_a_paused_campaign_leaves_is_used_at_once() -> None:
    world = World.of(3, 150, pace=Pace(40.0), total=TOTAL, whole=Limit(50.0))
    world.instead = lambda sent: (
        world.refusal(4.0)
        if sent.campaign == "C0" and len(world.times("C0")) == 40 and not world.refused
        else None
    )
    world.play()

    (refused,) = world.refused
    held = [at for at in world.times("C0") if at > refused.at + 0.1]
    assert 4.0 <= held[0] - refused.at <= 4.5
    # The last one that was let out before the refusal may still be under way.
    assert max(gaps(world.busy())) <= 2 * SPACING
    during = [at for at in world.busy() if refused.at <= at <= held[0]]
    assert per_second(during) >= 0.93 * 50.0


@pytest.mark.parametrize("concurrency", [1, 50])
@pytest.mark.parametrize("number", range(12, 20))
def test_a_campaign_that_is_paused_in_the_queue_takes_no_slot_with_it(
    number: int, concurrency: int
) -> None:
    # At two requests a second for all, a slot that is lost is half a second.
    total = Pace(2.0)
    world = World.of(4, 6, total=total, whole=Limit(2.0), concurrency=concurrency)
    world.latency = lambda _: 0.3
    world.instead = lambda sent: world.refusal(20.0) if len(world.sent) == number else None
    world.play()

    (refused,) = world.refused
    others = [at for at in world.times() if refused.at - 1.0 <= at <= refused.at + 5.0]
    assert len(others) >= 11
    assert max(gaps(others)) <= 1.01 * total.spacing_us / SECOND_US


def test_permits_of_a_campaign_that_ends_are_used_by_the_next_at_once() -> None:
    # Ten in flight for half a second each: twenty a second, of the forty that two might send.
    world = World({"ENDS": 40, "STAYS": 120}, pace=Pace(20.0), concurrency=10)
    world.latency = lambda _: 0.5
    world.play()

    times = world.busy()
    assert per_second([at for at in times if at > 1.0]) >= 0.95 * 19.0
    last = max(world.times("ENDS"))
    after = [at for at in world.busy("STAYS") if at > last + 0.5]
    assert per_second(after) >= 0.94 * 19.0


@pytest.mark.parametrize("campaigns", [5, 20])
def test_the_tenants_limit_is_shared_evenly(campaigns: int) -> None:
    world = World.of(campaigns, 40, pace=Pace(40.0), total=TOTAL, whole=Limit(50.0)).play()

    until = 0.8 * world.timeline.now - 2.0
    counts = [sum(at < until for at in world.times(name)) for name in world.rows]
    mean = sum(counts) / len(counts)
    assert mean > 20
    assert all(0.8 * mean <= count <= 1.2 * mean for count in counts)


def test_permits_are_shared_evenly() -> None:
    world = World.of(30, 30, concurrency=10, latency=lambda _: 0.1).play()

    until = 0.8 * world.timeline.now
    counts = [sum(at < until for at in world.times(name)) for name in world.rows]
    assert max(counts) - min(counts) <= 3


def test_a_small_campaign_gets_on_beside_big_ones_under_the_tenants_limit() -> None:
    rows = {"SMALL": 5} | {f"BIG{number}": 150 for number in range(4)}
    world = World(rows, pace=Pace(40.0), total=TOTAL, whole=Limit(50.0)).play()

    # A fifth of 47 requests a second: ten requests take about one.
    assert max(world.times("SMALL")) <= 2.0


def test_one_campaign_alone_may_have_all_permits() -> None:
    world = World({"BIG": 400}, pace=Pace(200.0), latency=lambda _: 0.5).play()
    assert world.in_flight_peak() == 50
    assert per_second([at for at in world.busy("BIG") if at > 1.5]) >= 0.97 * 100.0


def test_a_campaign_that_ended_long_ago_keeps_no_permit_from_others() -> None:
    def latency(sent: Sent) -> float:
        return 0.5 if sent.at > 2.0 else 0.01

    world = World({"BIG": 3800, "ONCE": 1}, pace=Pace(120.0), latency=latency).play()

    assert world.in_flight_peak(10.0, 60.0) == 49
    assert world.in_flight_peak(65.0) == 50


@pytest.mark.parametrize("total", [None, TOTAL])
def test_a_campaign_whose_answers_take_long_keeps_no_permit_from_a_small_one(
    total: Pace | None,
) -> None:
    world = World({"SLOW": 100, "SMALL": 60}, total=total, concurrency=20)
    world.latency = lambda sent: 20.0 if sent.campaign == "SLOW" else 0.02
    world.play()

    assert world.in_flight_peak() == 20
    assert max(gaps(world.times("SMALL"))) <= HELD_UP * world.pace.spacing_us / SECOND_US
    assert len(world.times("SMALL")) == 120
