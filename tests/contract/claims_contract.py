"""How rows are taken: which ones, in which order, and which are not."""

from aftercall.domain.status import Status
from aftercall.ports import AuditFilter

from .rig import (
    BROKEN,
    BUSY,
    GONE,
    LOST,
    NOON,
    NOW,
    REFUSED,
    WRITTEN,
    Contract,
    Rig,
    candidate,
    contacts,
)

EARLIER, LATER = NOON.replace(hour=11), NOON.replace(hour=13)


class ClaimsContract(Contract):
    async def test_a_claimed_row_is_being_written_and_not_due(self, rig: Rig) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        assert (claim.attempt, claim.deferral, claim.doubt, claim.newer) == (1, 0, False, False)
        assert (claim.first_tried_ms, claim.first_deferred_ms) == (NOW, None)
        assert [(row.status, row.attempts) for row in rig.rows()] == [(Status.WRITING, 1)]
        assert (await rig.turn()).claims == ()

    async def test_opt_outs_go_first_then_what_was_begun_then_the_order_of_the_input(
        self, rig: Rig
    ) -> None:
        await rig.bring(BROKEN, "begun")
        await rig.admit(candidate("a"), candidate("b"), candidate("c", outcome="DO_NOT_CALL"))
        turn = await rig.turn(at_ms=NOW + 60_000)
        assert contacts(turn) == ["c", "begun", "a", "b"]

    async def test_an_opt_out_stays_first_when_it_is_tried_again(self, rig: Rig) -> None:
        await rig.admit(candidate("out", outcome="DO_NOT_CALL"))
        await rig.settle(await rig.claim(), BROKEN)
        await rig.bring(BROKEN, "begun")
        assert contacts(await rig.turn(at_ms=NOW + 60_000)) == ["out", "begun"]

    async def test_a_turn_takes_at_most_as_many_rows_as_asked(self, rig: Rig) -> None:
        await rig.admit(*(candidate(f"P{each}", line=each) for each in range(2, 12)))
        first, second = await rig.turn(rows_max=4), await rig.turn(rows_max=100)
        assert contacts(first) == ["P2", "P3", "P4", "P5"]
        assert len(second.claims) == 6
        assert (first.due_ms, second.due_ms) == (NOW, None)

    async def test_opt_outs_and_others_share_the_limit(self, rig: Rig) -> None:
        await rig.admit(candidate("a"), candidate("b", outcome="DO_NOT_CALL"), candidate("c"))
        assert contacts(await rig.turn(rows_max=2)) == ["b", "a"]

    async def test_each_turn_raises_the_epoch_of_its_campaign_alone(self, rig: Rig) -> None:
        await rig.admit(candidate(), candidate(campaign="C2"))
        epochs = [(await rig.turn()).epoch for _ in range(3)]
        assert epochs == [1, 2, 3]
        assert (await rig.turn("C2")).epoch == 1

    async def test_a_turn_takes_rows_of_its_campaign_alone(self, rig: Rig) -> None:
        await rig.admit(candidate("a"), candidate("b", campaign="C2"))
        assert contacts(await rig.turn("C2")) == ["b"]
        assert contacts(await rig.turn("C1")) == ["a"]

    async def test_what_is_due_later_waits_and_the_turn_says_for_how_long(self, rig: Rig) -> None:
        await rig.bring(BUSY)
        early = await rig.turn(at_ms=NOW + 1999)
        assert (early.claims, early.due_ms) == ((), NOW + 2000)
        assert contacts(await rig.turn(at_ms=NOW + 2000)) == ["P1"]

    async def test_each_campaign_with_waiting_rows_is_told_with_its_next_time(
        self, rig: Rig
    ) -> None:
        assert await rig.journal.claims.due() == {}
        await rig.bring(BUSY)
        await rig.admit(candidate(campaign="C2"), candidate(campaign="C3"), at_ms=NOW + 7)
        await rig.turn("C3", at_ms=NOW + 7)
        assert await rig.journal.claims.due() == {"C1": NOW + 2000, "C2": NOW + 7}

    async def test_the_soonest_row_of_any_lane_is_the_next(self, rig: Rig) -> None:
        await rig.admit(candidate("out", outcome="DO_NOT_CALL"))
        await rig.settle(await rig.claim(), BUSY)
        await rig.admit(candidate("fresh"), at_ms=NOW + 1)
        assert await rig.journal.claims.due() == {"C1": NOW + 1}

    async def test_a_row_is_superseded_by_a_newer_one_of_its_contact(self, rig: Rig) -> None:
        await rig.admit(
            candidate(timestamp=LATER, line=2),
            candidate(timestamp=EARLIER, line=3),
            candidate("P2", timestamp=EARLIER, line=4),
            candidate(campaign="C2", timestamp=EARLIER, line=5),
        )
        turn = await rig.turn()
        assert contacts(turn) == ["P1", "P2"]
        (settled,) = turn.settled
        assert (settled.line, settled.status, settled.reason) == (
            3,
            Status.SUPERSEDED,
            "newer_in_journal",
        )
        assert rig.statuses()[1] is Status.SUPERSEDED
        assert len(list(rig.journal.archive.entries(AuditFilter(contact="P1")))) == 1

    async def test_of_two_rows_with_one_time_the_later_in_the_input_is_newer(
        self, rig: Rig
    ) -> None:
        await rig.admit(candidate(line=2), candidate(agent="A2", line=3))
        turn = await rig.turn()
        assert [claim.origin.line for claim in turn.claims] == [3]
        assert [one.line for one in turn.settled] == [2]

    async def test_a_newer_row_of_another_run_supersedes_also_when_it_is_applied(
        self, rig: Rig
    ) -> None:
        await rig.admit(candidate(timestamp=LATER))
        await rig.settle(await rig.claim(), WRITTEN)
        await rig.admit(candidate(timestamp=EARLIER), run="run-2")
        turn = await rig.turn()
        assert (turn.claims, [one.run for one in turn.settled]) == ((), ["run-2"])

    async def test_a_newer_row_supersedes_also_when_it_failed_or_was_refused(
        self, rig: Rig
    ) -> None:
        for contact, verdict in (("P1", REFUSED), ("P2", GONE)):
            await rig.admit(candidate(contact, timestamp=LATER))
            await rig.settle(await rig.claim(), verdict)
        await rig.admit(candidate("P3", timestamp=LATER))
        claim = await rig.claim()
        for _ in range(2):
            await rig.settle(claim, BROKEN)
            claim = await rig.claim(at_ms=NOW + 60_000)
        await rig.settle(claim, BROKEN)
        older = [candidate(contact, timestamp=EARLIER) for contact in ("P1", "P2", "P3")]
        await rig.admit(*older, run="run-2")
        turn = await rig.turn()
        assert contacts(turn) == []
        assert [one.contact for one in turn.settled] == ["P1", "P2", "P3"]

    async def test_no_row_is_taken_while_another_of_its_contact_is_being_written(
        self, rig: Rig
    ) -> None:
        await rig.admit(candidate(timestamp=EARLIER))
        first = await rig.claim()
        await rig.admit(candidate(timestamp=LATER))
        turn = await rig.turn()
        assert turn.claims == ()
        assert turn.due_ms is not None
        assert NOW < turn.due_ms <= NOW + 1000
        await rig.settle(first, WRITTEN)
        assert contacts(await rig.turn(at_ms=turn.due_ms)) == ["P1"]

    async def test_a_row_waits_for_a_doubtful_one_of_its_contact_to_be_read_back(
        self, rig: Rig
    ) -> None:
        await rig.admit(candidate(timestamp=EARLIER))
        await rig.settle(await rig.claim(), LOST)
        await rig.admit(candidate(timestamp=LATER))
        assert (await rig.turn()).claims == ()
        (doubtful,) = (await rig.turn(at_ms=NOW + 60_000)).claims
        assert (doubtful.doubt, doubtful.newer) == (True, True)
        assert doubtful.disposition.timestamp == EARLIER

    async def test_a_doubtful_row_is_read_back_though_a_newer_one_exists(self, rig: Rig) -> None:
        await rig.bring(LOST)
        await rig.admit(candidate(timestamp=LATER))
        turn = await rig.turn(at_ms=NOW + 60_000)
        assert turn.settled == ()
        assert [(claim.doubt, claim.newer) for claim in turn.claims] == [(True, True)]

    async def test_a_deferred_row_in_doubt_is_read_back_too(self, rig: Rig) -> None:
        await rig.bring(LOST)
        await rig.settle(await rig.claim(at_ms=NOW + 60_000), BUSY, NOW + 60_000)
        await rig.admit(candidate(timestamp=LATER))
        turn = await rig.turn(at_ms=NOW + 120_000)
        assert turn.settled == ()
        assert [(claim.doubt, claim.newer) for claim in turn.claims] == [(True, True)]

    async def test_of_a_contact_one_row_is_taken_though_two_were_due_together(
        self, rig: Rig
    ) -> None:
        old = candidate(outcome="DO_NOT_CALL", timestamp=EARLIER)
        await rig.admit(old)
        await rig.settle(await rig.claim(), LOST)
        await rig.settle(await rig.claim(at_ms=NOW + 60_000), BUSY, NOW + 60_000)
        await rig.admit(candidate(outcome="DO_NOT_CALL", timestamp=LATER))
        turn = await rig.turn(at_ms=NOW + 120_000)
        (first,) = turn.claims
        assert (await rig.turn(at_ms=NOW + 120_000)).claims == ()
        assert turn.due_ms is not None
        await rig.settle(first, WRITTEN)
        (other,) = (await rig.turn(at_ms=turn.due_ms)).claims
        times = {claim.disposition.timestamp for claim in (first, other)}
        assert times == {EARLIER, LATER}

    async def test_contacts_of_other_campaigns_keep_nobody_waiting(self, rig: Rig) -> None:
        await rig.admit(candidate(), candidate(campaign="C2"))
        assert contacts(await rig.turn("C1")) == ["P1"]
        assert contacts(await rig.turn("C2")) == ["P1"]

    async def test_a_thousand_superseded_rows_do_not_hide_those_behind_them(self, rig: Rig) -> None:
        old = [candidate(timestamp=EARLIER, agent=f"A{each}", line=each) for each in range(1000)]
        await rig.admit(*old, candidate(timestamp=LATER, line=1001), candidate("P2", line=1002))
        turn = await rig.turn(rows_max=5)
        assert contacts(turn) == ["P1", "P2"]
        assert len(turn.settled) == 1000
