"""The events that the CRM is still to hear."""

import json

from aftercall.ports import Delivery, DeliveryResult

from .rig import NOW, RUN, WRITTEN, Contract, Rig


def waiting(number: int, due_ms: int) -> DeliveryResult:
    return DeliveryResult(number, "waiting", due_ms, "status 503", NOW)


class OutboxContract(Contract):
    async def three(self, rig: Rig) -> list[Delivery]:
        """Bring three rows to the CRM's queue, one millisecond after the other."""
        for each in range(3):
            await rig.bring(WRITTEN, f"P{each}", at_ms=NOW + each)
        return list(await rig.journal.outbox.due_events(10, NOW + 2))

    async def test_events_are_due_at_once_and_the_oldest_goes_first(self, rig: Rig) -> None:
        events = await self.three(rig)
        bodies = [json.loads(event.body)["data"]["contact_id"] for event in events]
        assert bodies == ["P0", "P1", "P2"]
        assert [event.attempt for event in events] == [1, 1, 1]
        assert len({event.event_id for event in events}) == 3

    async def test_as_many_are_given_as_asked_and_none_before_its_time(self, rig: Rig) -> None:
        events = await self.three(rig)
        assert list(await rig.journal.outbox.due_events(2, NOW + 2)) == events[:2]
        assert list(await rig.journal.outbox.due_events(10, NOW)) == events[:1]
        assert list(await rig.journal.outbox.due_events(10, NOW - 1)) == []

    async def test_a_delivered_event_is_due_no_more(self, rig: Rig) -> None:
        first, *others = await self.three(rig)
        done = DeliveryResult(first.number, "delivered", None, "status 200", NOW + 9)
        await rig.journal.outbox.record(done)
        assert list(await rig.journal.outbox.due_events(10, NOW + 99)) == others
        listed = rig.journal.archive.list_events(state="delivered", run=None, events_max=10)
        assert [(one.number, one.attempts, one.delivered_ms, one.words) for one in listed] == [
            (first.number, 1, NOW + 9, "status 200")
        ]

    async def test_an_event_that_is_tried_again_keeps_its_id_and_counts_up(self, rig: Rig) -> None:
        first, *others = await self.three(rig)
        await rig.journal.outbox.record(waiting(first.number, NOW + 5000))
        assert list(await rig.journal.outbox.due_events(10, NOW + 4999)) == others
        again = (await rig.journal.outbox.due_events(10, NOW + 5000))[-1]
        assert (again.event_id, again.body, again.attempt) == (first.event_id, first.body, 2)

    async def test_a_dead_event_is_kept_for_the_list(self, rig: Rig) -> None:
        first, *others = await self.three(rig)
        dead = DeliveryResult(first.number, "dead", None, "status 410", NOW)
        await rig.journal.outbox.record(dead)
        assert list(await rig.journal.outbox.due_events(10, NOW + 99)) == others
        assert rig.journal.archive.events(RUN) == {"dead": 1, "waiting": 2}
        (listed,) = rig.journal.archive.list_events(state="dead", run=RUN, events_max=10)
        assert (listed.event_id, listed.words, listed.delivered_ms) == (
            first.event_id,
            "status 410",
            None,
        )

    async def test_what_became_of_an_event_is_not_changed_by_a_late_result(self, rig: Rig) -> None:
        first, *_ = await self.three(rig)
        done = DeliveryResult(first.number, "delivered", None, "status 200", NOW)
        await rig.journal.outbox.record(done)
        await rig.journal.outbox.record(waiting(first.number, NOW))
        assert len(await rig.journal.outbox.due_events(10, NOW + 99)) == 2
        (listed,) = rig.journal.archive.list_events(state="delivered", run=None, events_max=10)
        assert (listed.attempts, listed.words) == (1, "status 200")

    async def test_events_are_listed_the_newest_first(self, rig: Rig) -> None:
        await self.three(rig)
        await rig.bring(WRITTEN, "P9", run="run-2", at_ms=NOW + 9)
        listed = rig.journal.archive.list_events(state=None, run=None, events_max=3)
        assert [(one.contact, one.run) for one in listed] == [
            ("P9", "run-2"),
            ("P2", RUN),
            ("P1", RUN),
        ]
        assert [one.created_ms for one in listed] == [NOW + 9, NOW + 2, NOW + 1]
        assert (listed[0].campaign, listed[0].outcome, listed[0].state) == ("C1", "SALE", "waiting")
        only = rig.journal.archive.list_events(state="waiting", run="run-2", events_max=9)
        assert [one.contact for one in only] == ["P9"]

    async def test_events_are_counted_by_state_of_one_run_or_of_all(self, rig: Rig) -> None:
        first, *_ = await self.three(rig)
        await rig.bring(WRITTEN, "P9", run="run-2", at_ms=NOW + 9)
        await rig.journal.outbox.record(
            DeliveryResult(first.number, "delivered", None, "status 204", NOW)
        )
        assert rig.journal.archive.events() == {"delivered": 1, "waiting": 3}
        assert rig.journal.archive.events(RUN) == {"delivered": 1, "waiting": 2}
        assert rig.journal.archive.events("run-2") == {"waiting": 1}
