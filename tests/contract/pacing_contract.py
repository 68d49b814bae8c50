"""The limiter and the fence."""

import itertools

from aftercall.domain.pacing import SECOND_US, Pace, Slots
from aftercall.domain.report import CampaignPace

from .rig import NOW, RUN, Contract, Rig, Store, candidate

NOW_US = NOW * 1000
PACE = Pace(10, 0.05)
TENANT = ""


def moments(slots: Slots | None) -> list[int]:
    assert slots is not None
    return [slots.first_us + each * slots.spacing_us for each in range(slots.count)]


class PacingContract(Contract):
    async def test_slots_are_evenly_spaced_across_calls(self, rig: Rig) -> None:
        await rig.admit(candidate())
        epoch = (await rig.turn()).epoch
        got: list[int] = []
        for late_us in (0, 1, 400_000, 1_000_000):
            got += moments(await rig.journal.pacing.reserve("C1", epoch, PACE, NOW_US + late_us))
        gaps = {later - earlier for earlier, later in itertools.pairwise(got)}
        assert len(got) == 4 * PACE.block
        assert got[0] == NOW_US
        assert gaps == {PACE.spacing_us}

    async def test_slots_are_never_in_the_past(self, rig: Rig) -> None:
        await rig.admit(candidate())
        epoch = (await rig.turn()).epoch
        await rig.journal.pacing.reserve("C1", epoch, PACE, NOW_US)
        late = NOW_US + 60 * SECOND_US
        assert moments(await rig.journal.pacing.reserve("C1", epoch, PACE, late))[0] == late

    async def test_the_pace_goes_on_over_turns_and_over_processes(self, store: Store) -> None:
        first = store.open()
        rig = Rig(first)
        await rig.admit(candidate())
        before = moments(await first.pacing.reserve("C1", (await rig.turn()).epoch, PACE, NOW_US))
        first.close()
        second = store.open()
        epoch = (await Rig(second).turn()).epoch
        after = moments(await second.pacing.reserve("C1", epoch, PACE, NOW_US))
        assert after[0] == before[-1] + PACE.spacing_us
        second.close()

    async def test_only_the_latest_epoch_gets_slots(self, rig: Rig) -> None:
        await rig.admit(candidate())
        stale = (await rig.turn()).epoch
        fresh = (await rig.turn()).epoch
        reserve = rig.journal.pacing.reserve
        assert await reserve("C1", stale, PACE, NOW_US) is None
        assert moments(await reserve("C1", fresh, PACE, NOW_US))[0] == NOW_US
        assert await reserve("C1", fresh + 1, PACE, NOW_US) is None

    async def test_a_campaign_that_the_journal_does_not_know_gets_no_slot(self, rig: Rig) -> None:
        assert await rig.journal.pacing.reserve("nowhere", 0, PACE, NOW_US) is None

    async def test_campaigns_do_not_hold_each_other_up(self, rig: Rig) -> None:
        await rig.admit(candidate(), candidate(campaign="C2"))
        one, two = (await rig.turn("C1")).epoch, (await rig.turn("C2")).epoch
        await rig.journal.pacing.pause("C1", NOW_US + 60 * SECOND_US)
        await rig.journal.pacing.reserve("C1", one, PACE, NOW_US)
        assert moments(await rig.journal.pacing.reserve("C2", two, PACE, NOW_US))[0] == NOW_US

    async def test_a_paused_campaign_gets_no_slot_before_its_time(self, rig: Rig) -> None:
        await rig.admit(candidate())
        epoch = (await rig.turn()).epoch
        until = NOW_US + 90 * SECOND_US
        await rig.journal.pacing.pause("C1", until)
        await rig.journal.pacing.pause("C1", NOW_US + SECOND_US)
        first = moments(await rig.journal.pacing.reserve("C1", epoch, PACE, NOW_US))
        second = moments(await rig.journal.pacing.reserve("C1", epoch, PACE, NOW_US + 1))
        assert first[0] == until
        assert second[0] == first[-1] + PACE.spacing_us

    async def test_a_pause_outlives_the_turn_and_ends_by_itself(self, rig: Rig) -> None:
        await rig.admit(candidate())
        await rig.turn()
        until = NOW_US + 90 * SECOND_US
        await rig.journal.pacing.pause("C1", until)
        epoch = (await rig.turn()).epoch
        after = until + 5 * SECOND_US
        assert moments(await rig.journal.pacing.reserve("C1", epoch, PACE, after))[0] == after

    async def test_a_clock_that_was_set_back_does_not_stop_a_campaign(self, rig: Rig) -> None:
        await rig.admit(candidate())
        epoch = (await rig.turn()).epoch
        await rig.journal.pacing.reserve("C1", epoch, PACE, NOW_US + 3600 * SECOND_US)
        assert moments(await rig.journal.pacing.reserve("C1", epoch, PACE, NOW_US))[0] == NOW_US

    async def test_the_tenant_as_a_whole_is_paced_without_an_epoch(self, rig: Rig) -> None:
        first = moments(await rig.journal.pacing.reserve(TENANT, 0, PACE, NOW_US))
        second = moments(await rig.journal.pacing.reserve(TENANT, 0, PACE, NOW_US))
        assert second[0] == first[-1] + PACE.spacing_us
        assert await rig.journal.claims.due() == {}

    async def test_requests_and_working_time_add_up_over_invocations(self, rig: Rig) -> None:
        await rig.source()
        note = rig.journal.pacing.note_pace
        await note(RUN, [CampaignPace("C1", 10, 1, 9, 1.5, 10.0)], 2000)
        await note(
            RUN,
            [CampaignPace("C1", 5, 0, 7, 0.5, 20.0), CampaignPace("C0", 1, 0, 1, 0.0, 10.0)],
            500,
        )
        assert rig.journal.archive.pace(RUN) == [
            CampaignPace("C0", 1, 0, 1, 0.0, 10.0),
            CampaignPace("C1", 15, 1, 9, 2.0, 20.0),
        ]
        assert rig.journal.archive.runs(RUN)[0].worked_ms == 2500
