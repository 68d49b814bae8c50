"""The events that the CRM is still to hear."""

import json
from typing import Any

import pytest

from aftercall.domain.delivery import EventState
from aftercall.ports import Delivery, DeliveryResult, EventFilter, EventRecord, EventTally

from .rig import ENDPOINT, NOW, RUN, WRITTEN, Contract, Rig, Store

LATER = NOW + 1_000_000


def result(event: Delivery, state: EventState, **given: Any) -> DeliveryResult:
    values: dict[str, Any] = {"due_ms": None, "words": f"as {state}", "at_ms": NOW} | given
    return DeliveryResult(number=event.number, state=state, **values)


def delivered(event: Delivery, at_ms: int = NOW) -> DeliveryResult:
    return result(event, EventState.DELIVERED, status=204, words="status 204", at_ms=at_ms)


def waiting(event: Delivery, due_ms: int) -> DeliveryResult:
    return result(event, EventState.WAITING, due_ms=due_ms, status=503, words="status 503")


def dead(event: Delivery) -> DeliveryResult:
    return result(event, EventState.DEAD, status=500, words="status 500")


def gone(event: Delivery) -> DeliveryResult:
    words = "status 410"
    return result(event, EventState.WAITING, due_ms=NOW, status=410, words=words, gone=True)


def about(events: list[Delivery]) -> list[str]:
    """Return which outcomes events tell of: contact and code."""
    told = [json.loads(event.body)["data"] for event in events]
    return [f"{one['contact_id']} {one['outcome_code']}" for one in told]


def found(rig: Rig, **asked: Any) -> list[EventRecord]:
    return list(rig.journal.archive.crm.find(EventFilter(**asked), 100))


async def three(rig: Rig) -> list[Delivery]:
    """Bring three rows to the CRM's queue, one millisecond after the other."""
    for each in range(3):
        await rig.bring(WRITTEN, f"P{each}", at_ms=NOW + each)
    return await rig.due(NOW + 2)


async def one_contact(rig: Rig) -> list[str]:
    """Bring three outcomes of one contact to the queue, each newer than the one before."""
    codes = ["ONE", "TWO", "THREE"]
    for each, code in enumerate(codes):
        await rig.bring(WRITTEN, outcome=code, event_id=code, at_ms=NOW + each)
    return [f"P1 {code}" for code in codes]


class DueContract(Contract):
    async def test_events_are_due_at_once_and_the_oldest_goes_first(self, rig: Rig) -> None:
        events = await three(rig)
        assert about(events) == ["P0 SALE", "P1 SALE", "P2 SALE"]
        assert [event.attempt for event in events] == [1, 1, 1]
        assert len({event.event_id for event in events}) == 3

    async def test_as_many_are_given_as_asked_and_none_before_its_time(self, rig: Rig) -> None:
        events = await three(rig)
        assert await rig.due(NOW + 2, events_max=2) == events[:2]
        assert await rig.due(NOW) == events[:1]
        assert await rig.due(NOW - 1) == []

    async def test_a_delivered_event_is_due_no_more(self, rig: Rig) -> None:
        first, *others = await three(rig)
        await rig.journal.outbox.record(delivered(first, NOW + 9))
        assert await rig.due(LATER) == others
        (one,) = found(rig, state=EventState.DELIVERED)
        assert (one.number, one.attempts, one.delivered_ms, one.words) == (
            first.number,
            1,
            NOW + 9,
            "status 204",
        )

    async def test_an_event_that_is_tried_again_keeps_its_id_and_counts_up(self, rig: Rig) -> None:
        first, *others = await three(rig)
        await rig.journal.outbox.record(waiting(first, NOW + 5000))
        assert await rig.due(NOW + 4999) == others
        again = (await rig.due(NOW + 5000))[-1]
        assert (again.event_id, again.body, again.attempt) == (first.event_id, first.body, 2)

    async def test_a_dead_event_is_kept_for_the_list(self, rig: Rig) -> None:
        first, *others = await three(rig)
        await rig.journal.outbox.record(dead(first))
        assert await rig.due(LATER) == others
        assert rig.journal.archive.crm.count(RUN) == {"dead": 1, "waiting": 2}
        (one,) = found(rig, state=EventState.DEAD, run=RUN)
        assert (one.event_id, one.words, one.delivered_ms) == (first.event_id, "status 500", None)

    async def test_what_became_of_an_event_is_not_changed_by_a_late_result(self, rig: Rig) -> None:
        first, *_ = await three(rig)
        await rig.journal.outbox.record(delivered(first))
        await rig.journal.outbox.record(waiting(first, NOW))
        assert len(await rig.due(LATER)) == 2
        (one,) = found(rig, state=EventState.DELIVERED)
        assert (one.attempts, one.words) == (1, "status 204")

    async def test_events_are_owed_until_the_last_is_delivered_or_dead(self, rig: Rig) -> None:
        owes = rig.journal.outbox.owes
        assert not await owes(ENDPOINT)
        first, second, third = await three(rig)
        await rig.journal.outbox.record(delivered(first))
        await rig.journal.outbox.record(waiting(second, LATER))
        await rig.journal.outbox.record(dead(third))
        assert await owes(ENDPOINT)
        assert not await owes("another")
        (again,) = await rig.due(LATER)
        await rig.journal.outbox.record(delivered(again))
        assert not await owes(ENDPOINT)


class EndpointsContract(Contract):
    async def test_each_endpoint_has_an_event_of_its_own(self, rig: Rig) -> None:
        rig.endpoints = ("sales", "billing")
        await rig.bring(WRITTEN)
        (sales,) = await rig.due(endpoint="sales")
        (billing,) = await rig.due(endpoint="billing")
        assert sales.event_id != billing.event_id
        assert await rig.due() == []
        await rig.journal.outbox.record(delivered(sales))
        assert await rig.due(LATER, endpoint="sales") == []
        assert await rig.due(LATER, endpoint="billing") == [billing]
        assert rig.journal.archive.crm.tally(EventFilter()) == [
            EventTally("billing", "waiting", 1),
            EventTally("sales", "delivered", 1),
        ]

    async def test_410_disables_the_endpoint_for_good_and_no_other(self, store: Store) -> None:
        rig = Rig(store.open(), endpoints=("sales", "billing"))
        for contact in ("P1", "P2"):
            await rig.bring(WRITTEN, contact)
        event, _ = await rig.due(endpoint="sales")
        await rig.journal.outbox.record(gone(event))
        assert await rig.due(LATER, endpoint="sales") == []
        assert not await rig.journal.outbox.owes("sales")
        assert len(await rig.due(LATER, endpoint="billing")) == 2
        (one,) = rig.journal.archive.crm.disabled()
        assert (one.name, one.disabled_ms, one.words) == ("sales", NOW, "status 410")
        rig.journal.close()
        again = store.open()
        assert list(await again.outbox.due_events("sales", 9, LATER)) == []
        assert [each.name for each in again.archive.crm.disabled()] == ["sales"]
        again.close()

    async def test_a_second_410_does_not_change_since_when(self, rig: Rig) -> None:
        first, second, _ = await three(rig)
        await rig.journal.outbox.record(gone(first))
        late = result(second, EventState.WAITING, due_ms=NOW, words="late", at_ms=LATER, gone=True)
        await rig.journal.outbox.record(late)
        (one,) = rig.journal.archive.crm.disabled()
        assert (one.disabled_ms, one.words) == (NOW, "status 410")

    async def test_events_come_in_while_an_endpoint_is_disabled_and_go_once_it_is_enabled(
        self, rig: Rig
    ) -> None:
        first, second, third = await three(rig)
        await rig.journal.outbox.record(waiting(second, LATER))
        await rig.journal.outbox.record(gone(first))
        await rig.bring(WRITTEN, "P9")
        assert await rig.journal.outbox.enable(ENDPOINT, NOW + 9) == 1
        due = await rig.due(NOW + 9)
        assert {event.number for event in due} >= {first.number, second.number, third.number}
        assert len(due) == 4
        assert rig.journal.archive.crm.disabled() == []

    async def test_an_endpoint_that_nobody_knows_can_be_enabled(self, rig: Rig) -> None:
        assert await rig.journal.outbox.enable("nobody", NOW) == 0
        await rig.bring(WRITTEN)
        assert len(await rig.due()) == 1


class OrderContract(Contract):
    async def test_a_later_event_of_a_contact_waits_for_the_earlier(self, rig: Rig) -> None:
        expected = await one_contact(rig)
        heard = []
        for _ in expected:
            (event,) = await rig.due(LATER)
            heard += about([event])
            await rig.journal.outbox.record(delivered(event))
        assert heard == expected
        assert await rig.due(LATER) == []

    async def test_it_waits_through_all_attempts_of_the_earlier(self, rig: Rig) -> None:
        await one_contact(rig)
        (event,) = await rig.due(LATER)
        await rig.journal.outbox.record(waiting(event, LATER))
        assert await rig.due(LATER - 1) == []
        assert about(await rig.due(LATER)) == ["P1 ONE"]

    async def test_a_dead_event_lets_the_next_one_by(self, rig: Rig) -> None:
        await one_contact(rig)
        (event,) = await rig.due(LATER)
        await rig.journal.outbox.record(dead(event))
        assert about(await rig.due(LATER)) == ["P1 TWO"]

    async def test_contacts_endpoints_and_campaigns_do_not_wait_for_each_other(
        self, rig: Rig
    ) -> None:
        rig.endpoints = ("sales", "billing")
        await one_contact(rig)
        await rig.bring(WRITTEN, "P2")
        await rig.bring(WRITTEN, "P1", campaign="C2")
        (one, *others) = await rig.due(LATER, endpoint="sales")
        assert about([one, *others]) == ["P1 ONE", "P2 SALE", "P1 SALE"]
        await rig.journal.outbox.record(waiting(one, LATER + 1))
        assert about(await rig.due(LATER, endpoint="billing"))[0] == "P1 ONE"

    async def test_an_event_that_comes_after_the_last_was_delivered_is_due(self, rig: Rig) -> None:
        await rig.bring(WRITTEN, outcome="ONE", event_id="1")
        (event,) = await rig.due()
        await rig.journal.outbox.record(delivered(event))
        await rig.bring(WRITTEN, outcome="TWO", event_id="2")
        assert about(await rig.due()) == ["P1 TWO"]


class ReplayContract(Contract):
    async def test_a_dead_event_starts_its_schedule_anew_under_its_id(self, rig: Rig) -> None:
        first, *_ = await three(rig)
        await rig.journal.outbox.record(waiting(first, NOW))
        await rig.journal.outbox.record(dead(first))
        assert await rig.journal.outbox.replay([first.number], NOW + 9) == 1
        again = (await rig.due(NOW + 9))[-1]
        assert again == first
        await rig.journal.outbox.record(delivered(again))
        (one,) = found(rig, state=EventState.DELIVERED)
        assert one.attempts == 3
        history = rig.journal.archive.crm.history(first.event_id)
        assert history is not None
        assert [attempt.words for attempt in history.attempts] == [
            "status 503",
            "status 500",
            "status 204",
        ]

    async def test_a_delivered_event_can_be_sent_again_and_a_waiting_one_not(
        self, rig: Rig
    ) -> None:
        first, second, _ = await three(rig)
        await rig.journal.outbox.record(delivered(first))
        await rig.journal.outbox.record(waiting(second, LATER))
        numbers = [first.number, second.number, 4711]
        assert await rig.journal.outbox.replay(numbers, NOW + 9) == 1
        assert [event.attempt for event in await rig.due(LATER)] == [1, 1, 2]

    async def test_what_is_sent_again_keeps_its_place_before_later_events(self, rig: Rig) -> None:
        expected = await one_contact(rig)
        (first,) = await rig.due(LATER)
        await rig.journal.outbox.record(dead(first))
        (second,) = await rig.due(LATER)
        await rig.journal.outbox.record(waiting(second, LATER))
        assert await rig.journal.outbox.replay([first.number], NOW + 9) == 1
        heard = []
        for _ in expected:
            (event,) = await rig.due(LATER)
            heard += about([event])
            await rig.journal.outbox.record(delivered(event, LATER))
        assert heard == expected

    async def test_what_is_sent_again_waits_for_an_earlier_event_that_waits(self, rig: Rig) -> None:
        await one_contact(rig)
        (first,) = await rig.due(LATER)
        await rig.journal.outbox.record(dead(first))
        (second,) = await rig.due(LATER)
        await rig.journal.outbox.record(dead(second))
        await rig.journal.outbox.replay([second.number, first.number], NOW + 9)
        assert about(await rig.due(LATER)) == ["P1 ONE"]


class EventArchiveContract(Contract):
    async def test_events_are_listed_the_newest_first(self, rig: Rig) -> None:
        await three(rig)
        await rig.bring(WRITTEN, "P9", run="run-2", at_ms=NOW + 9)
        listed = rig.journal.archive.crm.find(EventFilter(), 3)
        assert [(one.contact, one.run) for one in listed] == [
            ("P9", "run-2"),
            ("P2", RUN),
            ("P1", RUN),
        ]
        assert [one.created_ms for one in listed] == [NOW + 9, NOW + 2, NOW + 1]
        newest = listed[0]
        assert (newest.endpoint, newest.campaign, newest.outcome) == (ENDPOINT, "C1", "SALE")
        assert (newest.state, newest.due_ms) == ("waiting", NOW + 9)

    @pytest.mark.parametrize(
        ("asked", "contacts"),
        [
            ({"state": EventState.WAITING}, ["P9", "P2"]),
            ({"state": EventState.DEAD}, ["P1"]),
            ({"state": EventState.DEAD, "endpoint": "another"}, []),
            ({"state": EventState.DEAD, "run": "run-2"}, []),
            ({"state": EventState.DEAD, "from_ms": NOW + 2}, []),
            ({"state": EventState.DEAD, "until_ms": NOW + 1}, []),
            ({"endpoint": "another"}, []),
            ({"endpoint": ENDPOINT, "run": "run-2"}, ["P9"]),
            ({"from_ms": NOW + 1, "until_ms": NOW + 9}, ["P2", "P1"]),
            ({}, ["P9", "P2", "P1", "P0"]),
        ],
    )
    async def test_events_are_found_by_what_is_asked_and_counted_the_same_way(
        self, rig: Rig, asked: dict[str, Any], contacts: list[str]
    ) -> None:
        first, second, _ = await three(rig)
        await rig.journal.outbox.record(delivered(first))
        await rig.journal.outbox.record(dead(second))
        await rig.bring(WRITTEN, "P9", run="run-2", at_ms=NOW + 9)
        assert [one.contact for one in found(rig, **asked)] == contacts
        tallies = rig.journal.archive.crm.tally(EventFilter(**asked))
        assert sum(one.events for one in tallies) == len(contacts)

    async def test_events_are_counted_by_state_of_one_run_or_of_all(self, rig: Rig) -> None:
        first, *_ = await three(rig)
        await rig.bring(WRITTEN, "P9", run="run-2", at_ms=NOW + 9)
        await rig.journal.outbox.record(delivered(first))
        count = rig.journal.archive.crm.count
        assert count() == {"delivered": 1, "waiting": 3}
        assert count(RUN) == {"delivered": 1, "waiting": 2}
        assert count("run-2") == {"waiting": 1}

    async def test_every_attempt_is_kept_with_what_came_of_it(self, rig: Rig) -> None:
        event, *_ = await three(rig)
        refused = result(
            event,
            EventState.WAITING,
            due_ms=NOW + 7,
            status=500,
            words="status 500",
            latency_ms=12.5,
            answer="something broke",
        )
        await rig.journal.outbox.record(refused)
        lost = result(event, EventState.WAITING, due_ms=NOW + 9, words="no answer in time")
        await rig.journal.outbox.record(lost)
        history = rig.journal.archive.crm.history(event.event_id)
        assert history is not None
        assert (history.event.attempts, history.body) == (2, event.body)
        first, second = history.attempts
        assert (first.attempt, first.at_ms, first.status, first.latency_ms) == (1, NOW, 500, 12.5)
        assert (first.words, first.answer) == ("status 500", "something broke")
        assert (second.attempt, second.status, second.words) == (2, None, "no answer in time")
        assert rig.journal.archive.crm.history("msg_unknown") is None


class OutboxContract(
    DueContract, EndpointsContract, OrderContract, ReplayContract, EventArchiveContract
):
    """Everything about the CRM's events."""
