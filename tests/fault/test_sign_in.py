"""Tokens that run out, credentials that are refused, and tenants that cannot be reached."""

import asyncio
import socket
from functools import partial

import pytest

import aftercall
from aftercall.domain.status import Status
from aftercall.errors import (
    AccessDenied,
    CredentialsRefused,
    Interrupted,
    JournalError,
    Paused,
    TenantUnreachable,
)
from aftercall.simulator import Faults
from aftercall.simulator.tokens import ALL_SCOPES, SCOPE_CONTACT, SCOPE_DISPOSITION

from .books import assert_books_balance
from .conftest import Rigged
from .rig import Rig, ShiftedClock, names, row, rows_for, until, within

LIFE_SECONDS = 3600


async def test_revoked_tokens_are_renewed_once_for_all_who_were_refused(rig_with: Rigged) -> None:
    contacts = names(400)
    async with rig_with(latency_ms=20) as rig, rig.session() as session:
        job = session.objects(rows_for(contacts))
        working = asyncio.create_task(session.perform(job))
        for least in (40, 120, 200, 280):
            await until(partial(rig.has_changed, least))
            assert rig.simulator.revoke_tokens() == 1
        report = await working

        assert report.statuses == {Status.APPLIED: 400}
        stats = rig.simulator.stats()
        assert stats["tokens_issued"] == 1 + 4
        refused = rig.answers("GET").get("401", 0) + rig.answers("PATCH").get("401", 0)
        assert refused > 4, "the revocations hit nobody who was on the way"
        assert stats["requests"]["TOKEN"] == {"200": 5}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_token_that_is_refused_again_and_again_pauses_the_run(rig_with: Rigged) -> None:
    faults = Faults.from_json({"unauthorized": 1, "fault_limit": 0})
    async with rig_with(faults=faults) as rig, rig.session() as session:
        job = session.objects(rows_for(names(5)))
        report = await session.perform(job)

        assert isinstance(job.run.halt.reason, CredentialsRefused)
        assert report.open == 5
        assert report.failed == 0
        assert rig.ledger() == []
        rig.simulator.set_faults(Faults())
        again = await session.perform(session.resume(None))
        assert again.statuses == {Status.APPLIED: 5}
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_a_wave_of_revocations_is_waited_out(rig_with: Rigged) -> None:
    # Four tokens are revoked one after the other, each by the first request that shows it.
    faults = Faults.from_json({"unauthorized": 1, "fault_limit": 4})
    async with rig_with(faults=faults) as rig:
        report = await rig.sync(rows_for(names(1)))

        assert report.statuses == {Status.APPLIED: 1}
        assert rig.simulator.stats()["tokens_issued"] == 1 + 4
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_stop_while_the_token_is_renewed_does_not_wait_for_it(rig_with: Rigged) -> None:
    faults = Faults.from_json({"token_slow": 1, "fault_limit": 0, "slow_seconds": 60.0})
    async with rig_with() as rig, rig.session(tenant={"total_seconds": 60.0}) as session:
        job = session.objects(rows_for(names(400)))
        working = asyncio.create_task(session.perform(job))
        await until(partial(rig.has_changed, 20))
        rig.simulator.set_faults(faults)
        rig.simulator.revoke_tokens()
        await until(lambda: rig.simulator.stats()["faults"].get("token_slow", 0) > 0)
        job.run.halt.throw(Interrupted("That is enough."))
        report = await within(10, working)

        assert report.failed == 0
        assert 20 <= report.statuses[Status.APPLIED] < 400
        rig.simulator.set_faults(Faults())
        again = await session.perform(session.resume(None))
        assert again.statuses == {Status.APPLIED: 400}
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_the_token_is_renewed_before_it_runs_out(rig_with: Rigged) -> None:
    # A life of 2 s is renewed after one: a run of some 3 s needs about 4 tokens, and no 401.
    limits = {"requests_per_second": 20.0}
    async with rig_with(token_seconds=2) as rig:
        report = await rig.sync(rows_for(names(30)), limits=limits)

        assert report.statuses == {Status.APPLIED: 30}
        assert 3 <= rig.simulator.stats()["tokens_issued"] <= 6
        assert "401" not in rig.answers("GET")
        assert "401" not in rig.answers("PATCH")
        assert_books_balance(report, rig.ledger(), rig.crm())


@pytest.mark.parametrize(("ahead", "tokens"), [(-65.0, 1), (-59.0, 2)])
async def test_it_is_renewed_sixty_seconds_early(rig: Rig, ahead: float, tokens: int) -> None:
    clock = ShiftedClock()
    limits = {"requests_per_second": 50.0}
    async with rig.session(clock, limits=limits) as session:
        working = asyncio.create_task(session.perform(session.objects(rows_for(names(25)))))
        await until(partial(rig.has_changed, 5))
        clock.ahead = LIFE_SECONDS + ahead
        report = await working

        assert report.statuses == {Status.APPLIED: 25}
        assert rig.simulator.stats()["tokens_issued"] == tokens
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_token_endpoint_that_is_down_for_a_moment_is_waited_for(rig_with: Rigged) -> None:
    faults = Faults.from_json({"token_down": 1, "fault_limit": 2})
    async with rig_with(faults=faults) as rig:
        report = await rig.sync(rows_for(names(3)))

        assert report.statuses == {Status.APPLIED: 3}
        assert rig.answers("TOKEN") == {"503": 2, "200": 1}


async def test_a_wrong_secret_is_told_and_nothing_is_kept(rig: Rig) -> None:
    rig.simulator.set_client_secret("another")
    with pytest.raises(CredentialsRefused) as caught:
        await rig.sync(rows_for(names(3)))

    assert "CXONE_CLIENT_SECRET" in caught.value.fix
    assert rig.answers("GET") == {}
    async with rig.session() as session:
        assert list(session.journal.archive.runs()) == []
        with pytest.raises(JournalError, match="no runs"):
            session.resume(None)


@pytest.mark.parametrize("scope", [SCOPE_CONTACT, SCOPE_DISPOSITION])
async def test_a_scope_that_is_not_granted_is_named_and_nothing_is_sent(
    rig_with: Rigged, scope: str
) -> None:
    granted = " ".join(one for one in ALL_SCOPES.split() if one != scope)
    async with rig_with(scope=granted) as rig:
        with pytest.raises(AccessDenied, match=scope):
            await rig.sync(rows_for(names(3)))

        assert set(rig.simulator.stats()["requests"]) == {"TOKEN"}
        async with rig.session() as session:
            assert list(session.journal.archive.runs()) == []


async def test_403_on_everything_names_the_scope_and_fails_no_row(rig_with: Rigged) -> None:
    contacts = [
        {"campaign": "C1", "contact": name, "refuse": {"status": 403, "message": "not yours"}}
        for name in names(30)
    ]
    async with rig_with() as rig, rig.session() as session:
        rig.simulator.extend_world({"contacts": contacts})
        job = session.objects(rows_for(names(30)))
        report = await session.perform(job)

        reason = job.run.halt.reason
        assert isinstance(reason, AccessDenied)
        assert SCOPE_DISPOSITION in reason.fix
        assert "not yours" in reason.message
        assert (report.open, report.failed, report.read) == (30, 0, 30)
        assert rig.ledger() == []
        # Once the scope is granted, the same rows go through.
        allowed = [{"campaign": "C1", "contact": name} for name in names(30)]
        rig.simulator.extend_world({"contacts": allowed})
        again = await session.perform(session.resume(None))
        assert again.statuses == {Status.APPLIED: 30}
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_a_closed_port_is_told_as_unreachable(rig: Rig) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    tenant = {"base_url": f"http://127.0.0.1:{port}"}
    with pytest.raises(TenantUnreachable) as caught:
        await rig.sync([row("p1")], tenant=tenant)

    assert str(port) in caught.value.message
    assert "tenant.base_url" in caught.value.fix
    assert caught.value.exit_code == 75


async def test_a_name_that_does_not_resolve_is_told_as_unreachable(rig: Rig) -> None:
    tenant = {"base_url": "https://no-such-tenant.invalid"}
    with pytest.raises(TenantUnreachable, match=r"no-such-tenant\.invalid"):
        await rig.sync([row("p1")], tenant=tenant)


async def test_a_tenant_that_goes_away_in_mid_run_fails_no_row_that_can_still_go(
    rig_with: Rigged,
) -> None:
    async with rig_with(latency_ms=5) as rig, rig.session() as session:
        job = session.objects(rows_for(names(200)))
        working = asyncio.create_task(session.perform(job))
        await until(partial(rig.has_changed, 20))
        rig.simulator.set_faults(Faults.from_json({"error_before": 1, "fault_limit": 0}))
        await until(lambda: rig.answers("GET").get("503", 0) >= 20)
        job.run.halt.throw(Interrupted("The user has had enough."))
        report = await working

        assert report.failed == 0
        assert report.open == 200 - report.count(Status.APPLIED)
        rig.simulator.set_faults(Faults())
        final = await session.perform(session.resume(None))
        assert final.statuses == {Status.APPLIED: 200}
        assert_books_balance(final, rig.ledger(), rig.crm())


def test_the_blocking_front_door_raises_the_same_errors(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    journal = tmp_path_factory.mktemp("door") / "journal.db"
    config = {
        "tenant": {"base_url": "https://no-such-tenant.invalid"},
        "outcomes": {"INTERESTED": "positive"},
        "journal": {"url": f"sqlite:///{journal}"},
    }
    secrets = {"CXONE_CLIENT_ID": "id", "CXONE_CLIENT_SECRET": "secret"}
    with pytest.raises(Paused) as caught:
        aftercall.sync([row("p1")], config, secrets)

    assert isinstance(caught.value, TenantUnreachable)
