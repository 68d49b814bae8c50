"""The audit log as it is sealed and read, and what is taken out of it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from aftercall.domain.acts import Act, Deed, Scope, holds
from aftercall.domain.settlement import Verdict
from aftercall.domain.status import Event, Status
from aftercall.errors import JournalError
from aftercall.ports import AuditFilter
from aftercall.ports.audit import Seal

from .rig import (
    BROKEN,
    LOST,
    NOW,
    RUN,
    WRITTEN,
    Contract,
    Rig,
    announcements_of,
    broken,
    candidate,
    concluded,
)

HASHES = bytes(range(32)) * 3


def seal(before: int, size: int, **given: Any) -> Seal:
    values: dict[str, Any] = {"at_ms": NOW, "note": f"note {size}\n", "tiles": {(0, 0): HASHES}}
    return Seal(before, size, **(values | given))


def hold(contact: str = "", campaign: str = "") -> Deed:
    return Deed(Act.HOLD_PLACED, Scope(contact, campaign), "case 7", "carol")


def erasure(contact: str = "P1", campaign: str = "") -> Deed:
    return Deed(Act.ERASED, Scope(contact, campaign), "asked for it", "carol")


EXPIRY = Deed(Act.EXPIRED, by="carol", details={"retain_days": 1})


async def bring_private(rig: Rig, contact: str = "P1", at_ms: int = NOW, **given: Any) -> None:
    """Settle a row with personal data, and announce it with that."""
    values: dict[str, Any] = {"notes": "private words", "custom_fields": {"phone": "0555"}}
    await rig.admit(candidate(contact, **(values | given)), at_ms=at_ms)
    claim = await rig.claim(given.get("campaign", "C1"), at_ms=at_ms)
    settlement = concluded(claim, WRITTEN, at_ms)
    (event,) = announcements_of(claim, settlement)
    body = json.loads(event.body)
    body["data"]["notes"] = claim.disposition.notes
    told = replace(event, body=json.dumps(body))
    assert await rig.journal.claims.settle(settlement, [told])


async def hold_in(rig: Rig, deed: Deed) -> None:
    log = rig.journal.audit
    before, after = log.sealed(), len(list(log.entries()))
    assert await log.seal(seal(before, after + 1, deed=deed))


class AuditContract(Contract):
    async def test_entries_are_read_in_their_order_from_a_leaf_on(self, rig: Rig) -> None:
        for contact in ("P1", "P2", "P3"):
            await rig.bring(WRITTEN, contact)
        log = rig.journal.audit
        texts = log.texts(0, 10)
        assert [json.loads(one)["contact_id"] for one in texts] == ["P1", "P2", "P3"]
        assert log.texts(1, 1) == texts[1:2]
        assert log.texts(3, 10) == []
        assert [text.decode() for text in texts] == list(rig.journal.archive.entries(AuditFilter()))

    async def test_a_seal_is_stored_as_a_whole(self, rig: Rig) -> None:
        log = rig.journal.audit
        assert (log.sealed(), log.latest(), log.tile(0, 0)) == (0, None, b"")
        assert await log.seal(seal(0, 3)) is True
        stored = log.latest()
        assert stored is not None
        assert (stored.number, stored.size, stored.at_ms, stored.note) == (1, 3, NOW, "note 3\n")
        assert (log.sealed(), log.tile(0, 0), log.tile(0, 1)) == (3, HASHES, b"")
        assert await log.seal(seal(3, 5, tiles={(0, 0): HASHES * 2, (1, 0): HASHES})) is True
        assert log.tile(0, 0) == HASHES * 2
        assert list(log.tile_keys()) == [(0, 0), (1, 0)]
        assert [one.size for one in log.checkpoints()] == [3, 5]

    async def test_what_was_sealed_by_somebody_else_first_is_not_sealed_again(
        self, rig: Rig
    ) -> None:
        log = rig.journal.audit
        assert await log.seal(seal(0, 3)) is True
        assert await log.seal(seal(0, 4, tiles={(0, 0): b""})) is False
        assert (log.sealed(), log.tile(0, 0)) == (3, HASHES)

    async def test_an_act_is_the_last_entry_under_its_seal_or_is_not_stored(self, rig: Rig) -> None:
        await rig.bring(WRITTEN)
        log = rig.journal.audit
        assert await log.seal(seal(0, 3, deed=hold("P1"))) is False
        assert await log.seal(seal(0, 1, deed=hold("P1"))) is False
        assert (log.sealed(), log.acts()) == (0, [])
        assert await log.seal(seal(0, 2, deed=hold("P1"))) is True
        ((leaf, act),) = log.acts()
        assert (leaf, act["kind"], act["by"], act["contact_id"]) == (
            1,
            "hold_placed",
            "carol",
            "P1",
        )
        assert len(list(log.entries())) == 2

    async def test_entries_come_with_what_opens_their_commitments(self, rig: Rig) -> None:
        await bring_private(rig)
        (entry,) = rig.journal.audit.entries()
        assert entry.personal == {"notes": "private words", "custom_fields": {"phone": "0555"}}
        assert entry.salt is not None
        assert len(entry.salt) == 32
        assert (entry.leaf, entry.run, entry.row, entry.campaign) == (0, RUN, 1, "C1")
        assert rig.journal.audit.of_row(1) == [entry]
        assert rig.journal.audit.of_row(2) == []

    async def test_sealed_entries_are_chosen_as_asked(self, rig: Rig) -> None:
        await rig.bring(WRITTEN, "P1", run="run-P1")
        await rig.bring(WRITTEN, "P2", run="run-P2")
        await rig.admit(candidate("P1"), run="run-P1")
        await rig.bring(WRITTEN, "P3", run="run-P3")
        log = rig.journal.audit

        def chosen(size: int, **asked: Any) -> list[int]:
            return [leaf for leaf, _ in log.chosen(AuditFilter(**asked), size)]

        assert chosen(9) == [0, 1, 2, 3]
        assert chosen(3) == [0, 1, 2]
        assert chosen(9, contact="P1") == [0, 2]
        assert chosen(9, run="run-P2") == [1]
        assert chosen(9, campaign="C2") == []
        assert chosen(9, from_ms=NOW + 1) == []

    async def test_erasing_takes_a_person_out_of_rows_and_events(self, rig: Rig) -> None:
        await bring_private(rig)
        await bring_private(rig, "P2")
        log, keeping = rig.journal.audit, rig.journal.keeping
        texts = log.texts(0, 10)
        found = keeping.held_of(Scope("P1"))
        assert (found.rows, found.events, found.open_rows) == (1, 1, 0)
        assert (found.campaigns, found.inputs) == (("C1",), ((f"{RUN}.csv", (2,)),))
        assert await keeping.erase(erasure(), NOW) == found
        entries = list(log.entries())
        assert (entries[0].salt, entries[0].personal) == (None, {})
        assert entries[1].personal["notes"] == "private words"
        assert [json.loads(row.cells) for row in rig.rows()] == [[], ["P2", "SALE"]]
        bodies = [json.loads(one.body) for one in await rig.due()]
        assert [body["data"].get("notes") for body in bodies] == [None, "private words"]
        assert bodies[0]["data"]["contact_id"] == "P1"
        ((_, act),) = log.acts()
        assert (act["kind"], act["contact_id"], act["message"]) == ("erased", "P1", "asked for it")
        assert act["details"] == {"rows": 1, "events": 1, "unnamed_rows": 0}
        assert log.texts(0, 2) == texts
        again = keeping.held_of(Scope("P1"))
        assert (again.rows, again.events) == (0, 0)

    async def test_erasing_finds_what_was_too_broken_to_say_whose_it_is(self, rig: Rig) -> None:
        said = (
            ["C1;P1;SALE;private words"],
            ["C1", "", "P1 private"],
            [{"contact": {"id": "P1"}}],
            ["C1", "P12", "P1-a", "xP1"],
            ["C1", "p1"],
        )
        for line, cells in enumerate(said, 2):
            await rig.admit(replace(broken(line), cells=json.dumps(cells)), run=f"run-{line}")
        await rig.admit(replace(broken(9, contact="P3"), cells='["P1"]'), run="run-9")
        found = rig.journal.keeping.held_of(Scope("P1"))
        assert (found.rows, found.unnamed) == (3, 3)
        assert [lines for _, lines in found.inputs] == [(2,), (3,), (4,)]
        assert await rig.journal.keeping.erase(erasure(), NOW) == found
        kept = [
            json.loads(row.cells) for n in (*range(2, 7), 9) for row in rig.rows(run=f"run-{n}")
        ]
        assert kept == [[], [], [], said[3], said[4], ["P1"]]
        assert rig.journal.audit.acts()[-1][1]["details"]["unnamed_rows"] == 3
        assert rig.journal.keeping.held_of(Scope("P1")).rows == 0

    async def test_a_campaign_can_be_erased_alone(self, rig: Rig) -> None:
        await bring_private(rig)
        await bring_private(rig, campaign="C2")
        found = await rig.journal.keeping.erase(erasure(campaign="C2"), NOW)
        assert (found.rows, found.campaigns) == (1, ("C2",))
        first, second, _ = rig.journal.audit.entries()
        assert (first.salt is None, second.salt is None) == (False, True)

    async def test_what_is_still_to_be_written_is_not_erased(self, rig: Rig) -> None:
        await rig.bring(BROKEN)
        with pytest.raises(JournalError, match="1 row of contact P1 still open") as refusal:
            await rig.journal.keeping.erase(erasure(), NOW)
        assert refusal.value.next_command == "aftercall resume"
        assert rig.journal.audit.acts() == []
        assert (await rig.claim(at_ms=NOW + 500)).salt is not None

    @pytest.mark.parametrize("deed", [hold("P1"), hold(campaign="C1"), hold("P1", "C1")])
    async def test_what_is_held_is_not_erased(self, rig: Rig, deed: Deed) -> None:
        await bring_private(rig)
        await hold_in(rig, deed)
        with pytest.raises(JournalError, match="case 7"):
            await rig.journal.keeping.erase(erasure(), NOW)
        assert rig.journal.keeping.held_of(Scope("P1")).rows == 1
        (active,) = holds(rig.journal.audit.acts())
        released = Deed(
            Act.HOLD_RELEASED, active.scope, "settled", "carol", {"hold": active.number}
        )
        await hold_in(rig, released)
        assert holds(rig.journal.audit.acts()) == []
        assert (await rig.journal.keeping.erase(erasure(), NOW)).rows == 1

    @pytest.mark.parametrize("deed", [hold("P2"), hold(campaign="C2"), hold("P1", "C2")])
    async def test_a_hold_on_others_is_in_nobody_elses_way(self, rig: Rig, deed: Deed) -> None:
        await bring_private(rig)
        await hold_in(rig, deed)
        assert (await rig.journal.keeping.erase(erasure(), NOW)).rows == 1

    async def test_an_erased_row_is_not_tried_again(self, rig: Rig) -> None:
        await rig.bring(Verdict(Event.EXHAUST, "attempts_used_up"))
        assert rig.statuses() == [Status.FAILED]
        await rig.journal.keeping.erase(erasure(), NOW)
        assert await rig.journal.claims.reopen(RUN, (Status.FAILED,), NOW) == 0

    async def test_sealed_entries_expire_and_leave_their_ranges(self, rig: Rig) -> None:
        for contact in ("P1", "P2", "P3", "P4"):
            await bring_private(rig, contact)
        await hold_in(rig, hold("P3"))
        await bring_private(rig, "P5")
        await bring_private(rig, "P6", at_ms=NOW + 1000)
        log, keeping = rig.journal.audit, rig.journal.keeping
        assert await keeping.expire(EXPIRY, NOW + 500, NOW + 2000) == 3
        left = [(entry.leaf, entry.contact) for entry in log.entries() if entry.run]
        assert left == [(2, "P3"), (5, "P5"), (6, "P6")]
        _, (leaf, act) = log.acts()
        assert (leaf, act["details"]) == (7, {"retain_days": 1, "leaves": [[0, 1], [3, 3]]})
        assert keeping.held_of(Scope("P1")).rows == 0
        assert keeping.held_of(Scope("P3")).rows == 1
        assert keeping.held_of(Scope("P5")).rows == 1
        assert await keeping.expire(EXPIRY, NOW + 500, NOW + 2000) == 0
        assert len(log.acts()) == 2

    async def test_no_number_is_given_twice_when_all_expire(self, rig: Rig) -> None:
        await bring_private(rig)
        await bring_private(rig, "P2")
        log = rig.journal.audit
        await log.seal(seal(0, 2))
        assert await rig.journal.keeping.expire(EXPIRY, NOW + 500, NOW + 2000) == 2
        ((leaf, act),) = log.acts()
        assert (leaf, act["details"]["leaves"]) == (2, [[0, 1]])

    async def test_a_row_goes_with_the_last_of_its_entries(self, rig: Rig) -> None:
        await rig.admit(candidate(notes="private words"))
        await rig.settle(await rig.claim(), LOST)
        await rig.settle(await rig.claim(at_ms=NOW + 60_000), WRITTEN, NOW + 60_000)
        log, keeping = rig.journal.audit, rig.journal.keeping
        await log.seal(seal(0, 2))
        assert await keeping.expire(EXPIRY, NOW + 1000, NOW) == 1
        assert keeping.held_of(Scope("P1")).rows == 1
        await log.seal(seal(2, 3))
        assert await keeping.expire(EXPIRY, NOW + 90_000, NOW) == 1
        assert keeping.held_of(Scope("P1")).rows == 0
