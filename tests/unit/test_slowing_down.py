"""How long a tenant can make a campaign wait."""

from collections.abc import Sequence

import pytest

from aftercall.adapters.clock import SystemClock
from aftercall.domain.pacing import SECOND_US, Pace, Slots
from aftercall.domain.report import CampaignPace
from aftercall.engine.halt import Halt
from aftercall.engine.lane import RETRY_AFTER_SECONDS_MAX, Gates, Lane
from aftercall.engine.permits import Permits
from aftercall.engine.queue import TenantQueue
from aftercall.engine.slots import SlotBook


class Kept:
    """Keeps the pauses."""

    def __init__(self) -> None:
        self.pauses: list[int] = []

    async def reserve(self, campaign: str, epoch: int, pace: Pace, now_us: int) -> Slots | None:
        raise AssertionError

    async def pause(self, campaign: str, until_us: int) -> None:
        self.pauses.append(until_us)

    async def note_pace(self, run: str, figures: Sequence[CampaignPace], worked_ms: int) -> None:
        raise AssertionError


@pytest.mark.parametrize(("asked", "waited"), [(3600.0, 3600.0), (1e12, RETRY_AFTER_SECONDS_MAX)])
async def test_a_wait_of_more_than_a_day_is_cut(asked: float, waited: float) -> None:
    clock, kept = SystemClock(), Kept()
    gates = Gates(Permits(1), Halt(), clock, None, TenantQueue())
    lane = Lane(SlotBook("C1", Pace(10, 0.05), kept, clock), gates)
    before_us = clock.now_us()
    assert await lane.throttled(asked, clock.seconds()) == waited
    assert 0 <= kept.pauses[0] - before_us - waited * SECOND_US < SECOND_US
