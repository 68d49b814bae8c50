"""Requests leave evenly spaced, whatever held them up, and never in a bunch."""

from collections.abc import Callable

import pytest

from aftercall.domain.pacing import SECOND_US, Pace

from .rig import Limit, Sent, World, gaps, most_in, per_second

LIMIT = 10.0
STRICT = Pace(LIMIT)
BUCKET = Pace(LIMIT, headroom=0.0)
SPACING = STRICT.spacing_us / SECOND_US
NEAREST = (STRICT.gap_us - STRICT.jitter_us) / SECOND_US
"""How close two requests of a campaign come that are late."""

CLOCK = 0.0006
"""What a timer may be early."""


def strict(campaign: str) -> Limit:
    return Limit(LIMIT)


def bucket(campaign: str) -> Limit:
    return Limit(LIMIT, burst=10)


def assert_apart(times: list[float], nearest: float = NEAREST) -> None:
    assert min(gaps(times)) >= nearest - CLOCK


@pytest.mark.parametrize(("campaigns", "rows"), [(1, 100), (20, 40), (200, 20)])
@pytest.mark.parametrize(
    ("pace", "limits", "share"), [(STRICT, strict, 0.94), (BUCKET, bucket, 0.99)]
)
def test_each_campaign_is_even_and_uses_its_limit(
    campaigns: int, rows: int, pace: Pace, limits: Callable[[str], Limit], share: float
) -> None:
    world = World.of(campaigns, rows, pace=pace, limits=limits).play()

    assert world.statuses() == {"applied": campaigns * rows}
    assert not world.refused
    spacing = pace.spacing_us / SECOND_US
    paces = [per_second(world.busy(campaign)) for campaign in world.rows]
    assert sum(paces) >= share * LIMIT * campaigns
    assert min(paces) >= (share - 0.01) * LIMIT
    for campaign in world.rows:
        times = world.busy(campaign)
        # Two hundred that wait for fifty permits leave up to 40 ms after their slots.
        assert 0.55 * spacing <= min(gaps(times))
        assert max(gaps(times)) <= 1.45 * spacing
        if pace is STRICT:
            assert most_in(world.times(campaign)) <= LIMIT


@pytest.mark.parametrize(("campaigns", "rows"), [(1, 100), (20, 30)])
def test_without_contention_the_gaps_are_the_spacing(campaigns: int, rows: int) -> None:
    world = World.of(campaigns, rows).play()

    for campaign in world.rows:
        found = gaps(world.busy(campaign))
        assert min(found[2:]) >= SPACING - 0.0015
        assert max(found) <= SPACING + 0.0015


@pytest.mark.parametrize(("campaigns", "rows"), [(3, 100), (20, 30), (200, 5)])
def test_what_is_shared_by_campaigns_is_even_as_a_whole(campaigns: int, rows: int) -> None:
    total = Pace(50.0)
    world = World.of(campaigns, rows, pace=Pace(40.0), total=total, whole=Limit(50.0)).play()

    assert world.statuses() == {"applied": campaigns * rows}
    assert not world.refused
    spacing = total.spacing_us / SECOND_US
    times = world.busy()
    assert per_second(times) >= 0.94 * 50.0
    assert 0.7 * spacing <= min(gaps(times))
    assert max(gaps(times)) <= 1.3 * spacing


@pytest.mark.parametrize("seconds", [0.03, 0.08, 0.3, 0.9, 2.5])
@pytest.mark.parametrize("pace", [STRICT, BUCKET, Pace(200.0)])
def test_a_stall_of_the_process_is_followed_by_no_bunch(pace: Pace, seconds: float) -> None:
    world = World.of(1, int(6 * pace.per_second), pace=pace, limits=lambda _: Limit(200.0))
    for at in range(1, 12, 3):
        world.stall(at + 0.019, seconds)
        world.stall(at + 0.019 + seconds + 0.2, 0.04)
    times = world.play().times("C0")

    assert_apart(times, (pace.gap_us - pace.jitter_us) / SECOND_US)
    assert most_in(times, 1.0) <= (pace.per_second if pace.headroom else 14)


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("total", [None, Pace(LIMIT)])
def test_a_stall_anywhere_on_the_way_out_is_followed_by_no_bunch(
    total: Pace | None, steps: int
) -> None:
    undisturbed = World.of(1, 10, total=total).play().times("C0")
    world = World.of(1, 10, total=total)
    world.stall(undisturbed[8], 0.4, steps)
    times = world.play().times("C0")

    assert max(gaps(times)) >= 0.3
    assert_apart(times)


def test_what_stalls_cost_is_made_up_for() -> None:
    world = World.of(1, 300, limits=strict)
    for at in range(2, 60, 6):
        world.stall(at, 0.15)
    world.play()

    assert not world.refused
    assert per_second(world.busy("C0")) >= 0.945 * LIMIT


@pytest.mark.parametrize("pace", [STRICT, BUCKET])
def test_there_is_no_bunch_at_the_start_nor_at_the_next_one(pace: Pace) -> None:
    world = World.of(3, 12, pace=pace, limits=strict if pace is STRICT else bucket)
    world.play()
    for _ in range(3):
        world.again({f"C{number}": 7 for number in range(3)})

    assert not world.refused
    for campaign in world.rows:
        assert min(gaps(world.times(campaign))) >= pace.spacing_us / SECOND_US - 0.0015


def test_rows_that_were_all_waited_for_come_back_evenly() -> None:
    # Every contact is on a call, and free at the same instant.
    world = World.of(2, 30, limits=strict, on_call=lambda campaign, contact: 4.0).play()

    assert not world.refused
    for campaign in world.rows:
        assert_apart(world.times(campaign))


@pytest.mark.parametrize("style", ["seconds", "date", "none"])
def test_after_a_pause_that_the_tenant_asked_for_requests_are_apart(style: str) -> None:
    world = World.of(1, 60, limits=strict, retry_after=style)
    refusing = World.of(1, 60, limits=strict, retry_after=style)
    refusing.instead = lambda sent: refusing.refusal(1.0) if len(refusing.sent) == 20 else None
    world.play()
    refusing.play()

    assert len(refusing.refused) == 1
    assert_apart(refusing.times("C0"))
    held = max(gaps(refusing.times("C0")))
    assert (1.0 if style != "date" else 0.9) <= held <= 2.0 + SPACING
    # It costs what the pause lasted, and no more.
    assert refusing.timeline.now <= world.timeline.now + held + 0.2


@pytest.mark.parametrize("seconds", [0.1, 0.3, 0.7])
def test_what_arrives_late_and_all_at_once_keeps_to_the_window(seconds: float) -> None:
    """The tenant, or the way to it, stands still: what left meanwhile arrives at the end."""

    def latency(sent: Sent) -> float:
        phase = sent.at % 3.0
        return 0.02 + 2 * (seconds - phase) if phase < seconds and sent.at > 1.0 else 0.02

    world = World.of(5, 60, limits=strict, latency=latency).play()
    assert not world.refused


def test_fifty_permits_are_no_reason_for_a_bunch_either() -> None:
    # Permits are what bounds here: a campaign that gets one is long behind its slots.
    def latency(sent: Sent) -> float:
        return 1.0 if 3.0 < sent.at < 6.0 else 0.01

    world = World.of(60, 30, limits=strict, latency=latency).play()
    assert not world.refused
    for campaign in world.rows:
        assert_apart(world.times(campaign))
