"""What is guaranteed is guaranteed on every surface: sync, faults, crashes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aftercall.domain.status import Status
from aftercall.simulator import Faults
from aftercall.simulator.faults import FaultKind
from tests.fault.books import trail
from tests.fault.rig import names, row, rows_for, until

from .conftest import On
from .rig import LIST_FAULTS, world_on

HUGE = 2 * 1024 * 1024
"""Twice as much as the transport takes."""


def soon() -> str:
    """Return a time later than anything that the tenant stores while the test runs."""
    return (datetime.now(UTC) + timedelta(seconds=300)).isoformat()


def refusal(surface: str) -> dict[str, object]:
    words = {"acd": (400, "Invalid Skill")}.get(surface, (409, "locked"))
    return {"contact": "refusing", "refuse": {"status": words[0], "message": words[1]}}


async def test_rows_of_all_kinds_end_as_they_should(on: On, request: Any) -> None:
    surface = request.node.callspec.params["on"]
    world = world_on(surface, refusal(surface), missing_ratio=0.1)
    stamps = {"timestamp": "2026-01-16T10:00:00Z", "notes": "n", "custom_fields": {"score": 7}}
    async with on(world=world) as rig:
        rows = [row(name, f"C{number % 3}") for number, name in enumerate(names(60))]
        rows += [row("p0", "C0"), row("p3", "C0", "DO_NOT_CALL", **stamps), row("x", outcome="NO")]
        rows += [row("refusing", "C1")]
        report = await rig.sync(rows)

        counted = report.statuses
        assert counted[Status.DUPLICATE] == 1
        assert counted[Status.INVALID] == 1
        assert counted[Status.REJECTED] == 1
        assert counted[Status.SUPERSEDED] == 1
        assert counted[Status.MISSING] > 0
        assert counted[Status.APPLIED] == 60 - counted[Status.MISSING]
        rig.assert_books_balance(report)


FAULTS = (
    "reset_before",
    "reset_after",
    "error_before",
    "error_after_commit",
    "slow",
    "garbage",
    "truncated",
    "unauthorized",
    "throttle",
    "redirect",
)
ALL_FAULTS = (*FAULTS, "slow_before", "huge", "token_down", "token_slow")
RARE = {"unauthorized": 0.1, "throttle": 0.1}
"""Five tokens in a row that were never accepted stop a run, and rightly; each 429 holds all up."""

OFTEN = {"token_down": 1.0, "token_slow": 1.0}
"""A token is asked for once a run."""

ELSEWHERE = {"conflict", *LIST_FAULTS}
"""Only a tenant with ETags has it (tests/fault/test_odd_answers.py), or one with lists."""


def test_every_fault_of_the_tenant_is_in_the_matrix() -> None:
    ours = {kind.value for kind in FaultKind if not kind.value.startswith("crm_")}
    assert ours == set(ALL_FAULTS) | ELSEWHERE


@pytest.mark.parametrize("kind", ALL_FAULTS)
async def test_each_fault_leaves_one_change_per_row(on: On, kind: str) -> None:
    chance = (RARE | OFTEN).get(kind, 0.4)
    # A commit that comes late must come before the row is read back, or ETags must forbid it.
    late = 0.8 if kind == "slow_before" else 1.0
    faults = Faults.from_json(
        {kind: chance, "fault_limit": 2, "slow_seconds": late, "huge_bytes": HUGE}
    )
    quick = {"read_seconds": 0.4, "total_seconds": 0.4}
    async with on(faults=faults, retry_after="seconds") as rig:
        report = await rig.sync(rows_for(names(12)), tenant=quick, retry={"wait_seconds_max": 0.2})

        assert report.statuses == {Status.APPLIED: 12}
        assert rig.simulator.stats()["faults"][kind] > 0
        rig.assert_books_balance(report)


async def test_a_mix_of_faults_leaves_one_change_per_row(on: On) -> None:
    mixed = dict.fromkeys(FAULTS, 0.04) | {"slow": 0.02, "slow_seconds": 0.6, "fault_limit": 3}
    rows = [row(name, f"C{number % 4}") for number, name in enumerate(names(80))]
    async with on(faults=Faults.from_json(mixed)) as rig:
        report = await rig.sync(
            rows,
            tenant={"read_seconds": 0.4, "total_seconds": 0.4},
            retry={"wait_seconds_max": 0.5},
        )

        assert report.statuses == {Status.APPLIED: 80}
        rig.assert_books_balance(report)


async def test_a_contact_on_a_call_is_written_after_it_and_not_before(on: On) -> None:
    ringing = {"contact": "busy", "timeline": [["RINGING", 1.0], ["READY", None]]}
    never = {"contact": "never", "state": "DIALING"}
    odd = {"contact": "odd", "state": "Somewhere"}
    async with on(world=world_on("", ringing, never, odd)) as rig:
        rows = rows_for(["busy", "never", "odd", "idle"])
        report = await rig.sync(rows, rows={"defer_minutes": 0.05})

        assert report.statuses == {Status.DEFERRED: 2, Status.APPLIED: 2}
        assert set(rig.effective()) == {("busy", "INTERESTED"), ("idle", "INTERESTED")}
        rig.assert_books_balance(report)


async def test_the_same_outcome_is_not_written_again_and_a_newer_one_is(on: On) -> None:
    async with on() as rig:
        first = await rig.sync(rows_for(names(5)))
        same = await rig.sync([row(one, timestamp="2026-01-17T00:00:00Z") for one in names(5)])
        newer = await rig.sync(
            [row(one, outcome="DO_NOT_CALL", timestamp=soon()) for one in names(5)],
            rows={"clock_skew_seconds": 600.0},
        )

        assert first.statuses == {Status.APPLIED: 5}
        assert same.reasons(Status.UNCHANGED) == {"same_in_tenant": 5}
        assert newer.statuses == {Status.APPLIED: 5}
        rig.assert_books_balance(first, same, newer)


async def test_an_older_outcome_replaces_none_that_somebody_else_wrote(
    on: On, request: Any
) -> None:
    held = {"outcome": "DO_NOT_CALL", "timestamp": "2026-03-01T00:00:00.000Z", "agent": "other"}
    async with on(world=world_on("", {"contact": "p1", **held})) as rig:
        report = await rig.sync([row("p1"), row("p2")])

        later = request.node.callspec.params["on"] == "acd"
        settled = Status.REJECTED if later else Status.SUPERSEDED
        reason = "stored_later_in_tenant" if later else "newer_in_tenant"
        assert report.reasons(settled) == {reason: 1}
        assert set(rig.effective()) == {("p2", "INTERESTED")}


async def test_a_revoked_token_is_renewed_once_for_all(on: On) -> None:
    async with on() as rig, rig.session(limits={"requests_per_second": 60.0}) as session:
        working = asyncio.create_task(session.perform(session.objects(rows_for(names(60)))))
        await until(lambda: rig.has_changed(10))
        rig.simulator.revoke_tokens()
        report = await working

        assert report.statuses == {Status.APPLIED: 60}
        assert rig.simulator.stats()["tokens_issued"] == 2
        rig.assert_books_balance(report)


async def test_nothing_secret_or_personal_is_kept(on: On) -> None:
    async with on() as rig:
        rows = [row("p1", notes="her diagnosis is private", custom_fields={"iban": "DE00123"})]
        report = await rig.sync(rows)

        told = repr(trail(report)) + repr(report)
        secrets = [value for name, value in rig.environment.items() if "SECRET" in name]
        assert not any(secret in told for secret in [*secrets, "diagnosis", "DE00123"])
