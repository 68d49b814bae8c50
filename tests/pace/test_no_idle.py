"""While rows are due no slot goes unused."""

import pytest

from aftercall.domain.pacing import SECOND_US, Pace
from aftercall.domain.retry import DeferPolicy
from aftercall.wire.http import HttpResponse

from .rig import Limit, Sent, World, gaps, per_second

LIMIT = 10.0
PACE = Pace(LIMIT)
SPACING = PACE.spacing_us / SECOND_US
USED = 0.94
HELD_UP = 1.45
"""So many spacings may lie between two requests."""


def strict(campaign: str) -> Limit:
    return Limit(LIMIT)


def assert_busy(world: World, campaign: str, *, after: float = 0.0) -> None:
    """Assert that a campaign never stood still as long as it had rows to read."""
    pace = world.paces.get(campaign, world.pace)
    times = [at for at in world.busy(campaign) if at >= after]
    assert max(gaps(times)) <= HELD_UP * pace.spacing_us / SECOND_US
    assert per_second(times) >= USED * pace.per_second


@pytest.mark.parametrize("batch", [1, 2, 5, 50])
@pytest.mark.parametrize("per_second", [0.3, 1.0, 10.0, 150.0])
def test_nothing_is_lost_between_two_turns(batch: int, per_second: float) -> None:
    rows = int(12 + 4 * per_second)
    world = World.of(1, rows, pace=Pace(per_second), batch=batch).play()

    assert world.statuses() == {"applied": rows}
    assert_busy(world, "C0")


@pytest.mark.parametrize("seconds", [0.2, 0.5, 0.9, 2.0, 4.0])
def test_answers_that_take_long_hold_no_other_row_up(seconds: float) -> None:
    world = World.of(1, 150, limits=strict, latency=lambda _: seconds).play()

    assert not world.refused
    # Until the first read and the first write are answered nobody knows how long that takes, and
    # what it means that no answer comes: it holds its place in the window.
    assert_busy(world, "C0", after=2.1 + 2 * seconds)


def test_a_contact_whose_answer_never_comes_holds_no_other_row_up() -> None:
    def latency(sent: Sent) -> float:
        return 100.0 if sent.method == "GET" and sent.contact == "run-0-C0-30" else 0.02

    world = World.of(1, 80, limits=strict, latency=latency).play()
    times = [at for at in world.busy("C0") if at < 16.0]
    assert len(times) >= 150
    # It may arrive up to a second later than it left, and holds its place as long.
    assert max(gaps(times)) <= 2 * SPACING
    assert max(gaps([at for at in times if at > 8.0])) <= HELD_UP * SPACING


@pytest.mark.parametrize("seconds", [0.05, 0.1, 0.2])
def test_a_slow_journal_holds_no_row_up(seconds: float) -> None:
    """Slots, claims and settlements all wait for commits that take so long."""
    world = World.of(2, 60, limits=strict, commit_seconds=lambda now: seconds).play()

    assert not world.refused
    for campaign in world.rows:
        assert_busy(world, campaign)


def test_a_slow_crm_holds_no_row_up() -> None:
    world = World.of(2, 60, limits=strict, crm_seconds=20.0).play()

    for campaign in world.rows:
        assert_busy(world, campaign)


def test_a_campaign_whose_answers_hang_leaves_permits_for_the_others() -> None:
    def latency(sent: Sent) -> float:
        return 29.0 if sent.campaign == "HANGS" else 0.02

    world = World({"HANGS": 150, "C0": 150, "C1": 150}, latency=latency).play()

    assert world.in_flight_peak == 50
    for campaign in ("C0", "C1"):
        assert_busy(world, campaign)


def test_more_campaigns_than_have_turns_at_once_are_all_kept_busy() -> None:
    world = World.of(600, 4, pace=Pace(0.5)).play()

    for campaign in world.rows:
        assert_busy(world, campaign)


def test_permits_that_are_what_bounds_never_lie_idle() -> None:
    # Ten in flight for 0.1 s each: 100 requests a second, of the 380 that the pace would allow.
    world = World.of(40, 20, concurrency=10, latency=lambda _: 0.1).play()

    times = world.busy()
    assert per_second(times) >= 0.99 * 100.0
    assert max(gaps(times)) <= 0.1 + 0.001


def test_more_work_than_the_processor_can_do_is_done_as_fast_as_it_can() -> None:
    """Slots that pass unused for want of the processor must not cost more of it."""
    unlimited = World.of(200, 12, pace=Pace(10_000.0), step_seconds=0.0001).play()
    paced = World.of(200, 12, pace=PACE, limits=strict, step_seconds=0.0001).play()

    assert not paced.refused
    assert per_second(paced.busy()) < 0.8 * 200 * LIMIT
    assert per_second(paced.busy()) >= 0.8 * per_second(unlimited.busy())


def test_rows_that_wait_hold_none_up_that_are_due() -> None:
    def on_call(campaign: str, contact: str) -> float:
        return 9.0 if int(contact.rpartition("-")[2]) % 3 else 0.0

    world = World.of(2, 80, limits=strict, on_call=on_call).play()
    assert world.statuses() == {"applied": 160}
    for campaign in world.rows:
        first = world.busy(campaign)
        # Eighty rows are read at least once: so long, rows are due.
        assert max(gaps(first[:80])) <= HELD_UP * SPACING


def test_a_row_that_comes_back_is_looked_at_when_it_is_due() -> None:
    # Its campaign is busy with others, and so are all lanes beside it.
    def on_call(campaign: str, contact: str) -> float:
        return 1e9 if contact.endswith("-C0-3") else 0.0

    world = World.of(20, 100, limits=strict, on_call=on_call)
    world.timeline.at(18.0, lambda: setattr(world, "on_call", lambda campaign, contact: 0.0))
    world.play()
    looks = [one.at for one in world.sent if one.contact == "run-0-C0-3" and one.method == "GET"]
    waits = DeferPolicy()
    for number, gap in enumerate(gaps(looks)):
        wanted = min(waits.wait_seconds_initial * 2**number, waits.wait_seconds_max)
        assert wanted <= gap <= wanted + 1.5
    assert len(looks) >= 4


def test_rows_that_failed_and_are_due_again_are_no_reason_to_stand_still() -> None:
    seen: set[str] = set()

    def instead(sent: Sent) -> HttpResponse | None:
        if sent.method == "PATCH" or sent.contact in seen:
            return None
        seen.add(sent.contact)
        return HttpResponse(503, {}, b"")

    world = World.of(1, 60, limits=strict, instead=instead).play()
    assert world.statuses() == {"applied": 60}
    times = world.busy("C0")
    assert max(gaps(times[:60])) <= HELD_UP * SPACING
    assert max(gaps(times)) <= 1.0
