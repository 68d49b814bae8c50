"""Answers that are no contact, and refusals."""

import tracemalloc

import pytest

from aftercall.domain.status import Status

from .books import assert_books_balance, trail
from .conftest import Rigged
from .rig import Rig, Row, always, hit_on_write, names, on_write, row, rows_for, world_of

CONTACTS = 8
HUGE = 64 * 1024 * 1024
HUGE_HELD_MAX = 12 * 1024 * 1024


@pytest.mark.parametrize("kind", ["garbage", "truncated", "redirect"])
async def test_a_read_answered_with_nonsense_is_made_again(rig_with: Rigged, kind: str) -> None:
    async with rig_with(faults=always(kind)) as rig:
        report = await rig.sync(rows_for(names(CONTACTS)))

        assert report.reasons(Status.APPLIED) == {"written": CONTACTS}
        assert rig.simulator.stats()["faults"] == {kind: CONTACTS}
        assert_books_balance(report, rig.ledger(), rig.crm())


@pytest.mark.parametrize("kind", ["garbage", "redirect"])
async def test_a_write_answered_by_a_login_page_is_made_again(rig_with: Rigged, kind: str) -> None:
    contacts = hit_on_write(kind, 5)
    async with rig_with(faults=on_write(kind)) as rig:
        report = await rig.sync(rows_for(contacts))

        assert report.reasons(Status.APPLIED) == {"written": 5}
        assert sum(rig.answers("PATCH").values()) == 10
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_nonsense_for_ever_fails_the_row_and_says_why(rig_with: Rigged) -> None:
    faults = always("garbage", fault_limit=0)
    async with rig_with(faults=faults) as rig:
        report = await rig.sync(rows_for(["p1"]), retry={"attempts_max": 3})

        assert report.reasons(Status.FAILED) == {"garbage": 1}
        assert "not a contact" in trail(report)[-1]["message"]
        assert rig.answers("GET") == {"200": 3}
        assert_books_balance(report, rig.ledger(), rig.crm())


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_huge_body_is_not_taken_into_memory(rig_with: Rigged, method: str) -> None:
    contacts = hit_on_write("huge", 4) if method == "PATCH" else names(4)
    make = on_write if method == "PATCH" else always
    async with rig_with(faults=make("huge", huge_bytes=HUGE)) as rig:
        tracemalloc.start()
        try:
            report = await rig.sync(rows_for(contacts))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert report.statuses == {Status.APPLIED: 4}
        assert rig.simulator.stats()["faults"] == {"huge": 4}
        assert peak < HUGE_HELD_MAX
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_redirect_is_not_followed(rig_with: Rigged) -> None:
    # The target is a cloud's metadata address: a request to it would hang and time the row out.
    async with rig_with(faults=always("redirect", fault_limit=0)) as rig:
        report = await rig.sync(rows_for(names(2)), retry={"attempts_max": 2})

        assert report.reasons(Status.FAILED) == {"redirected": 2}
        assert rig.answers("GET") == {"302": 4}
        assert "is tenant.base_url right?" in trail(report)[-1]["message"]
        assert rig.ledger() == []
        assert max(entry["latency_ms"] for entry in trail(report)) < 2000


async def test_a_412_means_read_again_and_apply_once(rig_with: Rigged) -> None:
    contacts = hit_on_write("conflict", 6)
    async with rig_with(faults=on_write("conflict")) as rig:
        report = await rig.sync(rows_for(contacts))

        assert report.reasons(Status.APPLIED) == {"written": 6}
        assert rig.answers("PATCH") == {"412": 6, "204": 6}
        assert rig.answers("GET") == {"200": 12}
        assert_books_balance(report, rig.ledger(), rig.crm())


@pytest.mark.parametrize("status", [403, 409, 422])
async def test_a_refused_contact_is_rejected_in_the_tenants_own_words(
    rig_with: Rigged, status: int
) -> None:
    words = "The record is locked by the quality team."
    refusing = {"contact": "locked", "refuse": {"status": status, "message": words}}
    async with rig_with(world=world_of(refusing)) as rig:
        rows = [*rows_for(names(3)), row("locked")]
        report = await rig.sync(rows)

        assert report.statuses == {Status.APPLIED: 3, Status.REJECTED: 1}
        reason = "forbidden" if status == 403 else f"refused_{status}"
        assert report.reasons(Status.REJECTED) == {reason: 1}
        (entry,) = [entry for entry in trail(report) if entry["status"] == "rejected"]
        assert (entry["contact_id"], entry["message"]) == ("locked", words)
        assert entry["http_status"] == status
        assert rig.answers("PATCH")[str(status)] <= 2
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_an_outcome_that_the_tenant_does_not_know_is_rejected(rig_with: Rigged) -> None:
    async with rig_with(refused_codes=frozenset({"CALL_BACK"})) as rig:
        report = await rig.sync([row("p1"), row("p2", outcome="CALL_BACK")])

        assert report.reasons(Status.REJECTED) == {"refused_400": 1}
        (entry,) = [entry for entry in trail(report) if entry["status"] == "rejected"]
        assert "CALL_BACK" in entry["message"]
        assert rig.answers("PATCH") == {"204": 1, "400": 1}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_contact_that_does_not_exist_is_missing(rig_with: Rigged) -> None:
    async with rig_with(world=world_of({"contact": "known"}, open=False)) as rig:
        report = await rig.sync(rows_for(["known", "ghost"]))

        assert report.statuses == {Status.APPLIED: 1, Status.MISSING: 1}
        assert rig.answers("GET") == {"200": 1, "404": 1}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_one_broken_row_does_not_hold_the_others_up(rig: Rig) -> None:
    broken: Row = {"campaign": "C1", "contact": "a/../b", "outcome": "NONSENSE", "agent": ""}
    report = await rig.sync([row("p1"), broken, row("p2")])

    assert report.statuses == {Status.APPLIED: 2, Status.INVALID: 1}
    (entry,) = [entry for entry in trail(report) if entry["status"] == "invalid"]
    assert all(name in entry["message"] for name in ("contact", "outcome", "agent"))
    assert_books_balance(report, rig.ledger(), rig.crm())
