"""Follow-ups: stored with their rows, taken right before they are sent, settled, reopened."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from aftercall.domain import answer
from aftercall.domain.acts import Act, Deed, Scope
from aftercall.domain.answer import WriteAnswer
from aftercall.domain.audit import Exchange
from aftercall.domain.follow_ups import (
    Action,
    EntryKind,
    FollowUp,
    FollowUpKind,
    FollowUpState,
    IllegalFollowUp,
    NewFollowUp,
    Terms,
    Told,
    concluded,
    follow_up_entry,
)
from aftercall.domain.settlement import Claim, Moment, Verdict
from aftercall.domain.status import Status
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter
from aftercall.ports.follow_ups import FollowUpFilter, FollowUpRecord

from .rig import NOON, NOW, POLICY, REFUSED, RUN, WRITTEN, Contract, Rig, Store, candidate
from .rig import concluded as row_concluded

GROUP = Action(FollowUpKind.DNC_GROUP, "301")
CALLBACK = Action(FollowUpKind.CALLBACK)
LATER = NOW + 10**7
DONE = answer.Accepted()
LOST = answer.Uncertain("timeout", "no answer in time")
DOWN = answer.Unavailable("status_503", "down")


async def followed(
    rig: Rig,
    contact: str = "P1",
    *actions: Action,
    verdict: Verdict = WRITTEN,
    due_ms: int = NOW,
    **given: Any,
) -> Claim:
    """Bring a row in, and settle it with follow-ups."""
    await rig.admit(candidate(contact, **given))
    claim = await rig.claim(at_ms=LATER)
    new = [
        NewFollowUp(action=action, told={"skill": "9"}, due_ms=due_ms)
        for action in actions or (GROUP,)
    ]
    settlement = row_concluded(claim, verdict)
    assert await rig.journal.claims.settle(settlement, (), new)
    return claim


async def due(rig: Rig, kind: FollowUpKind = GROUP.kind, at_ms: int = NOW) -> list[FollowUp]:
    return await rig.journal.follow_ups.due(kind, 100, at_ms, at_ms)


async def take(rig: Rig, *several: FollowUp, repeatable: bool = True) -> bool:
    return await rig.journal.follow_ups.take(several, NOW, repeatable=repeatable)


async def end(rig: Rig, one: FollowUp, got: WriteAnswer, at_ms: int = NOW) -> None:
    terms = Terms(repeatable=True, retry=POLICY.retry)
    settled = concluded(one, got, Exchange(), terms, Moment(at_ms, 0.5))
    await rig.journal.follow_ups.store([settled])


def found(rig: Rig, **asked: Any) -> list[FollowUpRecord]:
    return list(rig.journal.archive.follow_ups.find(FollowUpFilter(**asked), 100))


def entries(rig: Rig) -> list[dict[str, Any]]:
    read = map(json.loads, rig.journal.archive.entries(AuditFilter()))
    return [one for one in read if "follow_up" in one]


def states(rig: Rig) -> Sequence[str]:
    return [one.state for one in reversed(found(rig))]


class FollowUpsContract(Contract):
    async def test_one_is_stored_with_its_row_or_not_at_all(self, store: Store) -> None:
        rig = Rig(store.open())
        await followed(rig, "P1", GROUP, CALLBACK, notes="hello")
        (one,) = await due(rig)
        assert (one.action, one.told, one.attempt) == (GROUP, {"skill": "9"}, 1)
        assert (one.row.contact, one.row.notes, one.status) == ("P1", "hello", Status.APPLIED)
        assert one.subject.origin.run == RUN
        store.refuse("follow_up")
        with pytest.raises(JournalError):
            await followed(rig, "P2")
        assert rig.statuses() == [Status.APPLIED, Status.WRITING]
        rig.journal.close()

    async def test_it_is_due_at_its_time_by_its_kind_and_the_oldest_first(self, rig: Rig) -> None:
        await followed(rig, "P1", GROUP, due_ms=NOW + 2)
        await followed(rig, "P2", GROUP, CALLBACK, due_ms=NOW + 1)
        assert await due(rig) == []
        assert [one.row.contact for one in await due(rig, at_ms=NOW + 2)] == ["P2", "P1"]
        assert [one.row.contact for one in await due(rig, CALLBACK.kind, NOW + 2)] == ["P2"]
        assert len(await rig.journal.follow_ups.due(GROUP.kind, 1, NOW + 2, NOW + 2)) == 1
        assert await rig.journal.follow_ups.next_due() == NOW + 1

    async def test_fresh_ones_go_with_one_that_is_due_and_not_by_themselves(self, rig: Rig) -> None:
        await followed(rig, "P1", due_ms=NOW + 5)
        await followed(rig, "P2", due_ms=NOW + 9)
        desk = rig.journal.follow_ups
        assert await desk.due(GROUP.kind, 9, NOW, NOW + 9) == []
        assert len(await desk.due(GROUP.kind, 9, NOW + 5, NOW + 9)) == 2
        first, second = await desk.due(GROUP.kind, 9, NOW + 5, NOW + 9)
        await take(rig, second)
        await end(rig, second, DOWN)
        assert [one.number for one in await desk.due(GROUP.kind, 9, NOW + 5, LATER)] == [
            first.number
        ]

    async def test_all_are_taken_or_none(self, rig: Rig) -> None:
        await followed(rig, "P1")
        await followed(rig, "P2")
        first, second = await due(rig)
        assert await take(rig, first)
        assert not await take(rig, first, second)
        assert states(rig) == ["sending", "waiting"]
        assert [one.number for one in await due(rig)] == [second.number]

    async def test_only_the_latest_claim_settles(self, rig: Rig) -> None:
        await followed(rig)
        (one,) = await due(rig)
        await take(rig, one)
        await end(rig, one, DOWN)
        (again,) = await due(rig, at_ms=LATER)
        assert (again.attempt, again.first_tried_ms) == (2, NOW)
        await take(rig, again)
        await end(rig, one, answer.Refused("refused_400", "late"))
        assert states(rig) == ["sending"]
        await end(rig, again, DONE)
        (record,) = found(rig)
        assert (record.state, record.attempts, record.settled_ms) == ("done", 2, NOW)
        assert await rig.journal.follow_ups.next_due() is None
        assert [entry["kind"] for entry in entries(rig)] == [EntryKind.SETTLED]

    async def test_one_for_which_nothing_could_leave_is_due_later_and_never_sooner(
        self, rig: Rig
    ) -> None:
        await followed(rig, due_ms=NOW + 50)
        (one,) = await due(rig, at_ms=NOW + 50)
        await rig.journal.follow_ups.delay([one], NOW + 20)
        assert await rig.journal.follow_ups.next_due() == NOW + 50
        await rig.journal.follow_ups.delay([one], NOW + 90)
        assert await rig.journal.follow_ups.next_due() == NOW + 90
        assert found(rig)[0].attempts == 0

    async def test_what_a_dead_process_was_sending_waits_again_if_it_may_be_repeated(
        self, store: Store
    ) -> None:
        rig = Rig(store.open())
        await followed(rig, "P1", GROUP, CALLBACK)
        await take(rig, *await due(rig))
        await take(rig, *await due(rig, CALLBACK.kind), repeatable=False)
        rig.journal.close()
        rig = Rig(store.open())
        await rig.journal.follow_ups.recover(tuple(FollowUpKind), NOW + 7)
        assert states(rig) == ["waiting", "unknown"]
        (again,) = await due(rig, at_ms=NOW + 7)
        assert again.attempt == 1
        told = [(entry["kind"], entry["reason"]) for entry in entries(rig)]
        assert told == [
            (EntryKind.IN_DOUBT, "process_died"),
            (EntryKind.SETTLED, "process_died"),
        ]
        await rig.journal.follow_ups.recover(tuple(FollowUpKind), NOW + 8)
        assert len(entries(rig)) == 2
        rig.journal.close()

    async def test_what_the_profile_declares_no_more_is_impossible(self, rig: Rig) -> None:
        await followed(rig, "P1", GROUP, CALLBACK)
        await rig.journal.follow_ups.recover([CALLBACK.kind], NOW)
        assert states(rig) == ["impossible", "waiting"]
        (entry,) = entries(rig)
        assert (entry["reason"], entry["status"]) == ("no_such_follow_up", "impossible")

    async def test_one_that_cannot_be_sent_is_given_up_unless_it_is_under_way(
        self, rig: Rig
    ) -> None:
        await followed(rig, "P1")
        await followed(rig, "P2")
        first, second = await due(rig)
        await take(rig, second)
        lacking = Told(FollowUpState.IMPOSSIBLE, "missing_value", "no number")
        await rig.journal.follow_ups.give_up([(first, lacking), (second, lacking)], NOW + 4)
        assert states(rig) == ["impossible", "sending"]
        assert [entry["message"] for entry in entries(rig)] == ["no number"]
        assert await rig.journal.follow_ups.next_due() is None

    @pytest.mark.parametrize("action", [GROUP, Action(FollowUpKind.TAGS, "17"), CALLBACK])
    async def test_only_a_callback_is_overtaken_by_what_is_said_later(
        self, rig: Rig, action: Action
    ) -> None:
        overtaken = action is CALLBACK
        await followed(rig, "P1", action)
        await followed(rig, "P2", action)
        before = await due(rig, action.kind)
        await rig.admit(candidate("P1", line=3, timestamp=NOON + timedelta(seconds=1)))
        await rig.admit(candidate("P2", line=4, timestamp=NOON - timedelta(seconds=1)))
        first, second = await due(rig, action.kind)
        assert [one.overtaken for one in (*before, first, second)] == [
            False, False, overtaken, False,
        ]  # fmt: skip
        assert await take(rig, before[0]) is not overtaken
        assert await take(rig, second)

    async def test_one_that_is_withdrawn_has_its_entry_and_stays_so(self, rig: Rig) -> None:
        await followed(rig, "P1", CALLBACK)
        (one,) = await due(rig, CALLBACK.kind)
        withdrawn = Told(FollowUpState.WITHDRAWN, "newer_in_journal", "newer")
        await rig.journal.follow_ups.give_up([(one, withdrawn)], NOW)
        assert states(rig) == ["withdrawn"]
        (entry,) = entries(rig)
        assert (entry["kind"], entry["status"]) == (EntryKind.SETTLED, "withdrawn")
        with pytest.raises(IllegalFollowUp):
            await rig.journal.follow_ups.reopen(RUN, [FollowUpState.WITHDRAWN], NOW)

    async def test_what_was_parked_is_due_again(self, rig: Rig) -> None:
        await followed(rig)
        (one,) = await due(rig)
        await take(rig, one)
        await end(rig, one, answer.Busy("busy"))
        (again,) = await due(rig, at_ms=LATER)
        await take(rig, again)
        # It was first tried so long ago that only a person has it tried again.
        await end(rig, again, answer.Busy("busy"), LATER)
        assert await rig.journal.follow_ups.next_due() is None
        assert states(rig) == ["waiting"]
        await rig.journal.follow_ups.recover(tuple(FollowUpKind), LATER)
        assert await rig.journal.follow_ups.next_due() == LATER

    async def test_a_row_that_is_settled_again_has_the_follow_ups_of_the_first_time(
        self, rig: Rig
    ) -> None:
        await followed(rig, verdict=REFUSED)
        (one,) = await due(rig)
        await take(rig, one)
        await end(rig, one, DONE)
        assert await rig.journal.claims.reopen(RUN, (Status.REJECTED,), NOW) == 1
        claim = await rig.claim(at_ms=LATER)
        told = Told(FollowUpState.IMPOSSIBLE, "missing_value")
        made = (EntryKind.SETTLED, NOW)
        new = NewFollowUp(
            action=GROUP,
            told={},
            state=told.state,
            reason=told.reason,
            entry=follow_up_entry(claim.subject, Status.APPLIED, GROUP, told, made),
        )
        assert await rig.journal.claims.settle(row_concluded(claim, WRITTEN), (), [new])
        assert states(rig) == ["done"]
        assert len(entries(rig)) == 1

    async def test_an_impossible_one_has_its_entry_and_is_never_due(self, rig: Rig) -> None:
        await rig.admit(candidate())
        claim = await rig.claim()
        told = Told(FollowUpState.IMPOSSIBLE, "missing_value", "no number")
        made = (EntryKind.SETTLED, NOW)
        entry = follow_up_entry(claim.subject, Status.APPLIED, GROUP, told, made)
        new = NewFollowUp(
            action=GROUP,
            told={},
            state=told.state,
            reason=told.reason,
            words=told.words,
            entry=entry,
        )
        assert await rig.journal.claims.settle(row_concluded(claim, WRITTEN), (), [new])
        assert await due(rig, at_ms=LATER) == []
        (record,) = found(rig)
        assert (record.state, record.words, record.settled_ms) == ("impossible", "no number", NOW)
        assert entries(rig) == [json.loads(json.dumps(entry))]

    async def test_ended_ones_of_a_run_are_reopened_by_state(self, rig: Rig) -> None:
        for contact, got in (("P1", DONE), ("P2", answer.Refused("x", "no")), ("P3", LOST)):
            await followed(rig, contact)
            (one,) = await due(rig)
            await take(rig, one)
            settled = concluded(one, got, Exchange(), Terms(repeatable=False), Moment(NOW, 0.5))
            await rig.journal.follow_ups.store([settled])
        assert states(rig) == ["done", "refused", "unknown"]
        desk = rig.journal.follow_ups
        assert await desk.reopen(RUN, [FollowUpState.UNKNOWN], NOW + 3) == 1
        assert states(rig) == ["done", "refused", "waiting"]
        (again,) = await due(rig, at_ms=NOW + 3)
        assert (again.row.contact, again.attempt, again.first_tried_ms) == ("P3", 1, None)
        assert entries(rig)[-1]["kind"] == EntryKind.REOPENED
        assert await desk.reopen(RUN, [FollowUpState.UNKNOWN], NOW) == 0

    async def test_they_are_listed_and_counted(self, rig: Rig) -> None:
        await followed(rig, "P1", GROUP, CALLBACK)
        await followed(rig, "P2")
        (first, _) = await due(rig)
        await take(rig, first)
        await end(rig, first, DONE)
        archive = rig.journal.archive.follow_ups
        assert archive.count(RUN) == {
            "dnc_group": {"waiting": 1, "done": 1},
            "callback": {"waiting": 1},
        }
        newest = found(rig)[0]
        assert (newest.contact, newest.kind, newest.target) == ("P2", "dnc_group", "301")
        assert (newest.run, newest.row_status, newest.outcome) == (RUN, "applied", "SALE")
        assert archive.one(newest.number) == newest
        assert archive.one(4711) is None
        asked = {"states": (FollowUpState.WAITING,), "kind": FollowUpKind.DNC_GROUP}
        assert [one.contact for one in found(rig, **asked)] == ["P2"]
        assert [one.kind for one in found(rig, run=RUN, contact="P1")] == ["callback", "dnc_group"]
        assert archive.tally(FollowUpFilter(contact="P2")) == {"dnc_group": {"waiting": 1}}
        shown = [row.follow_ups for row in rig.rows()]
        assert shown == ["callback: waiting; dnc_group 301: done", "dnc_group 301: waiting"]

    async def test_a_run_with_open_ones_is_one_to_go_on_with(self, rig: Rig) -> None:
        await followed(rig)
        source = await rig.source()
        await rig.journal.intake.close_source(source)
        await rig.journal.intake.finish(source.run, NOW)
        assert rig.journal.archive.newest_open_run() == RUN
        (one,) = await due(rig)
        await take(rig, one)
        await end(rig, one, DONE)
        assert rig.journal.archive.newest_open_run() is None

    async def test_erasing_waits_for_open_ones_then_leaves_no_number(self, rig: Rig) -> None:
        await followed(rig, custom_fields={"phone_number": "+12025550123"})
        deed = Deed(Act.ERASED, Scope("P1"), "asked for", "carol")
        with pytest.raises(JournalError, match="1 follow-up of contact P1 still open") as caught:
            await rig.journal.keeping.erase(deed, NOW)
        assert caught.value.next_command == "aftercall resume"
        (one,) = await due(rig)
        assert one.row.custom_fields == {"phone_number": "+12025550123"}
        await take(rig, one)
        await end(rig, one, answer.Refused("item_refused", "Kim's telephone is no number"))
        await rig.journal.keeping.erase(deed, NOW)
        (record,) = found(rig)
        assert (record.state, record.words) == ("refused", "")
        # Without its number it cannot be sent, so it cannot be tried again.
        assert await rig.journal.follow_ups.reopen(RUN, [FollowUpState.REFUSED], NOW) == 0
