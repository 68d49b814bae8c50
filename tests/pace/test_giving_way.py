"""A tenant that grants less than is configured: the pace gives way, and comes back with care."""

from collections.abc import Sequence

import pytest

from aftercall.domain.pacing import Pace

from .rig import Limit, Sent, World, gaps, per_second

SETTLED = 40.0
"""Seconds within which the pace has found what is granted."""


def count(sent: Sequence[Sent], start: float, end: float) -> int:
    return sum(start <= one.at < end for one in sent)


def rate(world: World, start: float, end: float) -> float:
    """Return how many requests a second were granted."""
    return (count(world.sent, start, end) - count(world.refused, start, end)) / (end - start)


@pytest.mark.parametrize(
    ("grants", "style"),
    [(2.0, "seconds"), (5.0, "seconds"), (8.0, "seconds"), (5.0, "date"), (5.0, "none")],
)
def test_what_is_granted_is_found_and_kept_to(grants: float, style: str) -> None:
    rows = int(150 * grants)
    world = World.of(1, rows, limits=lambda _: Limit(grants), retry_after=style).play()

    assert world.statuses() == {"applied": rows}
    end = max(world.busy())
    assert end > 250.0
    assert rate(world, SETTLED, end) >= 0.85 * grants
    assert count(world.refused, 0.0, SETTLED) <= 15
    # Not one every few seconds: each costs a pause.
    assert count(world.refused, SETTLED, end) <= (end - SETTLED) / 45.0
    assert min(gaps([one.at for one in world.refused if one.at > SETTLED])) >= 20.0


def test_the_whole_pace_comes_back_when_the_tenant_grants_it_again() -> None:
    limit = Limit(5.0)
    world = World.of(1, 1400, limits=lambda _: limit)
    world.timeline.at(150.0, lambda: setattr(limit, "per_second", 10.0))
    world.play()

    assert rate(world, 140.0, 150.0) <= 5.0
    assert rate(world, 380.0, 400.0) >= 9.4
    # With care: near what was refused it is a step a minute.
    assert rate(world, 150.0, 200.0) <= 6.5
    assert count(world.refused, 150.0, 1e9) <= 1


def test_each_of_several_campaigns_finds_its_own() -> None:
    grants = {"C0": 3.0, "C1": 6.0, "C2": 10.0}
    rows = {name: int(120 * much) for name, much in grants.items()}
    world = World(rows, limits=lambda campaign: Limit(grants[campaign])).play()

    for name, much in grants.items():
        refused = [one.at for one in world.refused if one.campaign == name]
        assert len(refused) <= (0 if name == "C2" else 20)
        times = [at for at in world.busy(name) if at > SETTLED]
        assert per_second(times) >= 0.85 * much


def test_where_the_tenant_as_a_whole_grants_less_its_limit_gives_way() -> None:
    world = World.of(8, 110, total=Pace(40.0), whole=Limit(20.0)).play()

    end = 0.85 * max(world.busy())
    assert rate(world, SETTLED, end) >= 0.85 * 20.0
    assert count(world.refused, SETTLED, end) <= 1 + (end - SETTLED) / 20.0


def test_capacity_that_ended_campaigns_leave_is_used_under_a_lower_limit_as_well() -> None:
    rows = {"BIG": 400} | {f"C{number}": 60 for number in range(6)}
    world = World(rows, pace=Pace(25.0), total=Pace(40.0), whole=Limit(20.0)).play()

    ended = max(world.times(*[name for name in rows if name != "BIG"]))
    assert rate(world, ended + 1.0, ended + 11.0) >= 0.85 * 20.0


def test_a_campaign_with_a_lower_limit_of_its_own_slows_no_other() -> None:
    rows = {"LOW": 60} | {f"C{number}": 170 for number in range(6)}
    limits = {"LOW": Limit(2.0)}
    world = World(rows, total=Pace(40.0), limits=limits.get).play()

    assert {one.campaign for one in world.refused} == {"LOW"}
    end = max(world.times("LOW"))
    assert rate(world, 20.0, min(end, 45.0)) >= 0.93 * 40.0


def test_all_campaigns_together_settle_where_only_the_tenant_knows_its_limit() -> None:
    world = World.of(8, 110, whole=Limit(20.0)).play()

    end = 0.8 * max(world.busy())
    assert rate(world, SETTLED, end) >= 0.85 * 20.0
    # Each campaign is refused once in a minute or more.
    assert count(world.refused, SETTLED, end) <= 8 * (end - SETTLED) / 60.0


@pytest.mark.parametrize("style", ["seconds", "date"])
def test_retry_after_stops_that_campaign_for_as_long_and_no_other(style: str) -> None:
    world = World.of(3, 60, retry_after=style)
    world.instead = lambda sent: (
        world.refusal(7.0) if sent.campaign == "C1" and len(world.times("C1")) == 20 else None
    )
    world.play()

    (refused,) = world.refused
    after = [at for at in world.times("C1") if at > refused.at + 0.021]
    assert 6.9 <= after[0] - refused.at <= 8.2
    for name in ("C0", "C2"):
        assert max(gaps(world.busy(name))) <= 0.107
