"""How a claim is settled: once, as a whole, and by its latest holder only."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from aftercall.domain.commitment import commitments
from aftercall.domain.settlement import Verdict
from aftercall.domain.status import Event, Status
from aftercall.errors import JournalError
from aftercall.ports import Announcement, AuditFilter

from .rig import (
    BROKEN,
    BUSY,
    HELD,
    LOST,
    NOW,
    REFUSED,
    RUN,
    SLOW_DOWN,
    WRITTEN,
    Contract,
    Rig,
    Store,
    announcements_of,
    candidate,
    concluded,
    latencies,
)


def entries(rig: Rig) -> list[dict[str, Any]]:
    return [json.loads(one) for one in rig.journal.archive.entries(AuditFilter())]


class SettleContract(Contract):
    async def test_a_settlement_is_stored_with_its_entry_and_its_event(self, rig: Rig) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        settlement = concluded(claim, WRITTEN, NOW + 5)
        (announcement,) = announcements_of(claim, settlement)
        assert await rig.journal.claims.settle(settlement, [announcement]) is True
        (row,) = rig.rows()
        assert (row.status, row.reason, row.settled_ms) == (Status.APPLIED, "written", NOW + 5)
        assert entries(rig) == [settlement.entry]
        (delivery,) = await rig.due(NOW + 5)
        assert (delivery.event_id, delivery.body, delivery.attempt) == (
            announcement.event_id,
            announcement.body,
            1,
        )
        assert latencies(rig) == {"wait": [95.0], "read": [10.0], "write": [20.0], "row": [30.0]}

    async def test_all_entries_of_a_row_commit_to_its_personal_data_with_one_random_salt(
        self, rig: Rig
    ) -> None:
        given: dict[str, Any] = {"notes": "private", "custom_fields": {"phone": "0555"}}
        await rig.admit(
            candidate("P1", **given), candidate("P2", **given), candidate("P1", **given)
        )
        first, second = (await rig.turn()).claims
        await rig.settle(first, LOST)
        await rig.settle(second, WRITTEN)
        await rig.settle(await rig.claim(at_ms=NOW + 60_000), WRITTEN, NOW + 60_000)
        found = {(one["row_id"], one["status"]): one["commitments"] for one in entries(rig)}
        assert set(found) == {
            (3, "duplicate"),
            (1, "doubtful"),
            (2, "applied"),
            (1, "applied"),
        }
        assert first.salt is not None
        assert found[1, "applied"] == commitments(first.salt, given)
        assert found[1, "doubtful"] == found[1, "applied"]
        assert all(set(made) == {"notes", "custom_fields"} for made in found.values())
        seen = [found[row, status]["notes"] for row, status in ((1, "applied"), (2, "applied"))]
        assert len({*seen, found[3, "duplicate"]["notes"]}) == 3

    async def test_the_same_settlement_is_stored_once(self, rig: Rig) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        assert await rig.settle(claim, WRITTEN) is True
        assert await rig.settle(claim, WRITTEN) is False
        assert await rig.settle(claim, REFUSED) is False
        assert rig.statuses() == [Status.APPLIED]
        assert len(entries(rig)) == 1
        assert len(await rig.due()) == 1

    async def test_a_claim_that_was_taken_over_settles_nothing(self, rig: Rig) -> None:
        await rig.admit(candidate())
        stale = await rig.claim()
        await rig.journal.claims.recover(NOW)
        fresh = await rig.claim()
        assert fresh.serial > stale.serial
        before = entries(rig)
        for verdict in (WRITTEN, REFUSED, LOST, BUSY):
            assert await rig.settle(stale, verdict) is False
        assert rig.statuses() == [Status.WRITING]
        assert entries(rig) == before
        assert await rig.due() == []
        assert await rig.settle(fresh, WRITTEN) is True

    async def test_what_is_settled_at_once_is_settled_each_by_its_latest_holder(
        self, rig: Rig
    ) -> None:
        await rig.admit(*(candidate(f"P{each}", line=each) for each in range(100)))
        stale = list((await rig.turn(rows_max=100)).claims)
        for claim in stale:
            await rig.settle(claim, BROKEN)
        fresh = list((await rig.turn(rows_max=100, at_ms=NOW + 1000)).claims)
        verdicts = [(WRITTEN, REFUSED, BROKEN, LOST, HELD)[each % 5] for each in range(100)]
        settled = await asyncio.gather(
            *(
                rig.settle(claim, verdict)
                for old, new, verdict in zip(stale, fresh, verdicts, strict=True)
                for claim in (old, new, new)
            )
        )
        assert settled == [False, True, False] * 100
        statuses = Counter(row.status for row in rig.rows())
        ends = (Status.APPLIED, Status.REJECTED, Status.PENDING, Status.DOUBTFUL, Status.UNCHANGED)
        assert statuses == dict.fromkeys(ends, 20)
        told = Counter(one["status"] for one in entries(rig))
        assert told == dict.fromkeys(("applied", "rejected", "doubtful", "unchanged"), 20)
        applied = [claim.disposition.contact for claim in fresh[::5]]
        assert sorted(row.contact for row in rig.rows(statuses=[Status.APPLIED])) == sorted(applied)
        assert len(await rig.due(events_max=200)) == 20
        assert latencies(rig)["row"] == [30.0] * 100

    @pytest.mark.parametrize("rows", [3, 64, 200])
    async def test_of_rows_that_are_settled_at_once_each_is_counted(
        self, rig: Rig, rows: int
    ) -> None:
        await rig.admit(*(candidate(f"P{each}", line=each) for each in range(rows)))
        claims = (await rig.turn(rows_max=rows)).claims
        await asyncio.gather(*(rig.settle(claim, WRITTEN) for claim in claims))
        assert latencies(rig) == {
            "wait": [95.0] * rows,
            "read": [10.0] * rows,
            "write": [20.0] * rows,
            "row": [30.0] * rows,
        }
        total = {one.phase: one.total_us for one in rig.journal.archive.latencies(RUN)}
        assert total["row"] == 30_000 * rows

    async def test_a_row_that_nobody_holds_is_not_settled(self, rig: Rig) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        await rig.settle(claim, BROKEN)
        assert await rig.settle(claim, WRITTEN) is False
        assert rig.statuses() == [Status.PENDING]

    async def test_a_failed_attempt_counts_and_is_due_again_when_it_says(self, rig: Rig) -> None:
        await rig.bring(BROKEN)
        (row,) = rig.rows()
        assert (row.status, row.reason, row.attempts) == (Status.PENDING, "status_503", 1)
        assert row.settled_ms is None
        assert await rig.journal.claims.due() == {"C1": NOW + 500}
        again = await rig.claim(at_ms=NOW + 500)
        assert (again.attempt, again.serial, again.first_tried_ms) == (2, 2, NOW)

    async def test_an_attempt_that_was_no_failure_is_given_back(self, rig: Rig) -> None:
        await rig.bring(SLOW_DOWN)
        assert [(row.status, row.attempts) for row in rig.rows()] == [(Status.PENDING, 0)]
        again = await rig.claim(at_ms=NOW + 5000)
        assert (again.attempt, again.serial) == (1, 2)

    async def test_deferrals_are_counted_from_the_first_one_on(self, rig: Rig) -> None:
        await rig.bring(BUSY)
        second = await rig.claim(at_ms=NOW + 2000)
        assert (second.deferral, second.first_deferred_ms, second.attempt) == (1, NOW, 1)
        await rig.settle(second, BUSY, NOW + 2000)
        assert await rig.journal.claims.due() == {"C1": NOW + 6000}
        third = await rig.claim(at_ms=NOW + 6000)
        assert (third.deferral, third.first_deferred_ms) == (2, NOW)
        assert entries(rig) == []

    async def test_a_contact_that_stays_on_a_call_is_parked(self, rig: Rig) -> None:
        await rig.bring(BUSY)
        late = NOW + 3_600_000
        assert await rig.settle(await rig.claim(at_ms=late), BUSY, late)
        assert rig.statuses() == [Status.DEFERRED]
        assert await rig.journal.claims.due() == {}

    async def test_a_lost_answer_leaves_the_row_in_doubt_until_it_is_settled(
        self, rig: Rig
    ) -> None:
        await rig.bring(LOST)
        assert rig.statuses() == [Status.DOUBTFUL]
        assert [one["kind"] for one in entries(rig)] == ["in_doubt"]
        again = await rig.claim(at_ms=NOW + 60_000)
        assert again.doubt is True
        await rig.settle(again, BUSY, NOW + 60_000)
        third = await rig.claim(at_ms=NOW + 120_000)
        assert third.doubt is True
        await rig.settle(third, WRITTEN, NOW + 120_000)
        assert rig.statuses() == [Status.APPLIED]

    async def test_a_row_that_failed_in_doubt_is_still_in_doubt_when_it_is_tried_again(
        self, rig: Rig
    ) -> None:
        await rig.admit(candidate())
        await rig.settle(replace(await rig.claim(), attempt=3), LOST)
        assert rig.statuses() == [Status.DOUBTFUL]
        read_back = await rig.claim(at_ms=NOW + 60_000)
        assert read_back.words == LOST.words, "what was said last is told again at the end"
        await rig.settle(read_back, Verdict(Event.EXHAUST, "attempts_used_up"))
        assert rig.statuses() == [Status.FAILED]
        await rig.journal.claims.reopen(RUN, (Status.FAILED,), NOW)
        assert (await rig.claim()).doubt is True

    async def test_an_entry_that_cannot_be_stored_leaves_the_row_unsettled(
        self, rig: Rig, store: Store
    ) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        store.refuse("audit")
        with pytest.raises(JournalError):
            await rig.settle(claim, WRITTEN)
        assert rig.statuses() == [Status.WRITING]
        assert await rig.due() == []

    async def test_an_event_that_cannot_be_stored_leaves_the_row_unsettled(
        self, rig: Rig, store: Store
    ) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        store.refuse("outbox")
        with pytest.raises(JournalError):
            await rig.settle(claim, WRITTEN)
        assert rig.statuses() == [Status.WRITING]
        assert entries(rig) == []

    async def test_one_settlement_that_cannot_be_stored_spoils_no_other(self, rig: Rig) -> None:
        await rig.admit(candidate("P1"), candidate("P2"))
        first, second = (await rig.turn()).claims
        settlement = concluded(first, WRITTEN)
        (announcement,) = announcements_of(first, settlement)
        assert await rig.journal.claims.settle(settlement, [announcement])
        twice = [Announcement(announcement.endpoint, announcement.event_id, "{}")]
        with pytest.raises(JournalError):
            await rig.journal.claims.settle(concluded(second, WRITTEN), twice)
        assert rig.statuses() == [Status.APPLIED, Status.WRITING]
        assert await rig.settle(second, WRITTEN) is True

    async def test_rows_that_are_refused_on_entering_need_their_entry_too(
        self, rig: Rig, store: Store
    ) -> None:
        await rig.admit(candidate())
        store.refuse("audit")
        with pytest.raises(JournalError):
            await rig.admit(candidate("P2"), candidate())
        assert rig.statuses() == [Status.PENDING]
