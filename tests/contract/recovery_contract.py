"""What becomes of rows that a dead process, a former run or a refusal has left."""

import json
from dataclasses import replace

from aftercall.domain.status import Status
from aftercall.ports import AuditFilter

from .rig import (
    BROKEN,
    BUSY,
    ENDPOINT,
    GONE,
    LOST,
    NOON,
    NOW,
    REFUSED,
    RUN,
    SLOW_DOWN,
    WRITTEN,
    Contract,
    Rig,
    Store,
    candidate,
    contacts,
)

LATER = NOW + 3_600_000
CRASHES_MAX = 100


class RecoveryContract(Contract):
    async def test_a_row_that_was_being_written_is_read_back(self, rig: Rig) -> None:
        await rig.admit(candidate("a"), candidate("b"), candidate("c"))
        assert contacts(await rig.turn(rows_max=2)) == ["a", "b"]
        assert await rig.journal.claims.recover(LATER) == 2
        assert rig.statuses() == [Status.DOUBTFUL, Status.DOUBTFUL, Status.PENDING]
        turn = await rig.turn(at_ms=LATER)
        assert contacts(turn) == ["a", "b", "c"]
        assert [(one.doubt, one.attempt, one.serial) for one in turn.claims] == [
            (True, 1, 2),
            (True, 1, 2),
            (False, 1, 1),
        ]
        assert turn.claims[0].first_tried_ms == LATER

    async def test_a_died_process_is_in_the_audit_trail(self, rig: Rig) -> None:
        await rig.admit(candidate())
        await rig.claim()
        await rig.journal.claims.recover(LATER)
        (entry,) = (json.loads(one) for one in rig.journal.archive.entries(AuditFilter()))
        assert (entry["kind"], entry["status"], entry["reason"]) == (
            "in_doubt",
            "doubtful",
            "process_died",
        )
        assert (entry["contact_id"], entry["after"]) == ("P1", None)
        assert [row.reason for row in rig.rows()] == ["process_died"]

    async def test_the_journal_of_a_process_that_ended_is_all_there(self, store: Store) -> None:
        first = store.open()
        rig = Rig(first)
        await rig.bring(WRITTEN)
        await rig.admit(candidate("P2"))
        claim = await rig.claim()
        first.close()
        second = store.open()
        rig = Rig(second)
        assert rig.statuses() == [Status.APPLIED, Status.WRITING]
        assert len(await second.outbox.due_events(ENDPOINT, 10, NOW)) == 1
        assert await second.claims.recover(LATER) == 1
        assert (await rig.claim(at_ms=LATER)).serial == claim.serial + 1
        second.close()

    async def test_nothing_is_recovered_where_nothing_was_left(self, rig: Rig) -> None:
        assert await rig.journal.claims.recover(NOW) == 0
        await rig.bring(WRITTEN)
        await rig.bring(REFUSED, "P2")
        await rig.bring(BROKEN, "P3")
        assert await rig.journal.claims.recover(LATER) == 0
        assert rig.statuses() == [Status.APPLIED, Status.REJECTED, Status.PENDING]

    async def test_parked_rows_are_due_again_with_all_their_time(self, rig: Rig) -> None:
        await rig.bring(BUSY)
        await rig.settle(await rig.claim(at_ms=LATER), BUSY, LATER)
        await rig.bring(SLOW_DOWN, "P2")
        await rig.settle(await rig.claim(at_ms=LATER), SLOW_DOWN, LATER)
        assert await rig.journal.claims.due() == {}
        much_later = LATER + 86_400_000
        assert await rig.journal.claims.recover(much_later) == 2
        assert await rig.journal.claims.due() == {"C1": much_later}
        turn = await rig.turn(at_ms=much_later)
        assert contacts(turn) == ["P1", "P2"]
        for claim in turn.claims:
            assert (claim.deferral, claim.first_deferred_ms) == (0, None)
            assert (claim.first_tried_ms, claim.doubt) == (much_later, False)

    async def test_a_parked_row_in_doubt_stays_in_doubt(self, rig: Rig) -> None:
        await rig.bring(LOST)
        await rig.settle(await rig.claim(at_ms=LATER), SLOW_DOWN, LATER)
        assert rig.statuses() == [Status.DOUBTFUL]
        assert await rig.journal.claims.due() == {}
        assert await rig.journal.claims.recover(LATER) == 1
        assert (await rig.claim(at_ms=LATER)).doubt is True

    async def test_of_two_rows_in_doubt_of_a_contact_the_older_one_is_read_back_first(
        self, rig: Rig
    ) -> None:
        await rig.admit(candidate(timestamp=NOON.replace(hour=11)))
        await rig.settle(await rig.claim(), LOST, LATER)
        await rig.admit(candidate())
        newer = await rig.claim(at_ms=LATER)
        assert await rig.journal.claims.recover(LATER) == 2
        assert rig.statuses() == [Status.DOUBTFUL] * 2
        turn = await rig.turn(at_ms=LATER)
        (older,) = turn.claims
        assert older.row < newer.row
        await rig.settle(older, WRITTEN, LATER)
        assert turn.due_ms is not None
        assert (await rig.claim(at_ms=turn.due_ms)).row == newer.row

    async def test_a_row_that_the_process_dies_of_again_and_again_fails(self, rig: Rig) -> None:
        await rig.admit(candidate())
        for crash in range(1, CRASHES_MAX + 1):
            await rig.claim()
            made_due = await rig.journal.claims.recover(NOW)
            assert made_due == (0 if crash == CRASHES_MAX else 1)
        (row,) = rig.rows()
        assert (row.status, row.reason, row.settled_ms) == (Status.FAILED, "process_died", NOW)
        assert await rig.journal.claims.due() == {}
        last = [json.loads(one) for one in rig.journal.archive.entries(AuditFilter())][-1]
        assert (last["kind"], last["status"]) == ("settled", "failed")

    async def test_refused_rows_are_reopened_as_new(self, rig: Rig) -> None:
        await rig.bring(REFUSED)
        await rig.bring(GONE, "P2")
        await rig.bring(WRITTEN, "P3")
        statuses = (Status.FAILED, Status.REJECTED, Status.MISSING)
        assert await rig.journal.claims.reopen(RUN, statuses, LATER) == 2
        assert rig.statuses() == [Status.PENDING, Status.PENDING, Status.APPLIED]
        assert [row.settled_ms for row in rig.rows()] == [None, None, NOW]
        turn = await rig.turn(at_ms=LATER)
        assert contacts(turn) == ["P1", "P2"]
        assert [(one.attempt, one.first_tried_ms) for one in turn.claims] == [(1, LATER)] * 2

    async def test_only_the_statuses_and_the_run_that_are_asked_for_are_reopened(
        self, rig: Rig
    ) -> None:
        await rig.bring(REFUSED)
        await rig.bring(GONE, "P2")
        await rig.bring(GONE, "P3", run="run-2")
        assert await rig.journal.claims.reopen(RUN, (Status.MISSING,), LATER) == 1
        assert rig.statuses() == [Status.REJECTED, Status.PENDING]
        assert rig.statuses("run-2") == [Status.MISSING]

    async def test_a_row_that_was_fed_again_meanwhile_becomes_a_duplicate(self, rig: Rig) -> None:
        await rig.bring(REFUSED)
        await rig.admit(candidate(), run="run-2")
        assert await rig.journal.claims.reopen(RUN, (Status.REJECTED,), LATER) == 0
        (row,) = rig.rows()
        assert (row.status, row.reason) == (Status.DUPLICATE, "fed_again")
        assert contacts(await rig.turn(at_ms=LATER)) == ["P1"]
        last = [json.loads(one) for one in rig.journal.archive.entries(AuditFilter(run=RUN))][-1]
        assert (last["status"], last["reason"]) == ("duplicate", "fed_again")

    async def test_of_two_refused_rows_of_one_disposition_one_is_reopened(self, rig: Rig) -> None:
        await rig.bring(REFUSED)
        await rig.bring(REFUSED)
        assert await rig.journal.claims.reopen(RUN, (Status.REJECTED,), LATER) == 1
        assert rig.statuses() == [Status.PENDING, Status.DUPLICATE]

    async def test_a_reopened_row_is_a_duplicate_when_it_is_fed_again(self, rig: Rig) -> None:
        await rig.bring(REFUSED)
        await rig.journal.claims.reopen(RUN, (Status.REJECTED,), LATER)
        (settled,) = await rig.admit(candidate(), run="run-2")
        assert settled.status is Status.DUPLICATE

    async def test_a_stale_claim_of_a_reopened_row_settles_nothing(self, rig: Rig) -> None:
        stale = await rig.bring(REFUSED)
        await rig.journal.claims.reopen(RUN, (Status.REJECTED,), LATER)
        assert await rig.settle(stale, WRITTEN) is False
        fresh = await rig.claim(at_ms=LATER)
        assert await rig.settle(replace(fresh, serial=stale.serial), WRITTEN) is False
        assert await rig.settle(fresh, WRITTEN) is True
