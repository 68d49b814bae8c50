"""What the documented API asks for beyond the common: ids, skills, closed contacts, its words."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain.answer import Throttled
from aftercall.domain.status import Status
from aftercall.errors import AccessDenied, CredentialsRefused, Interrupted
from aftercall.wire.http import HttpResponse
from aftercall.wire.masking import Mask
from aftercall.wire.responses import read_contact
from aftercall.wiring import SourceOptions, plan_files
from tests.fault.books import trail
from tests.fault.processes import write_calls
from tests.fault.rig import CLIENT_SECRET, names, record, row, rows_for, until
from tests.unit.wire.test_acd_meanings import TEXTS

from .rig import ACD_NAMES, on_surface, world_on

API = "/incontactapi/services/v"


def on(directory: Path, **settings: Any) -> Any:
    return on_surface("acd", directory, **settings)


async def test_a_row_is_read_back_read_and_written(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "notes": "call again",
        "custom_fields": {
            "callback_time": "2026-02-01T09:00:00Z",
            "callback_number": "+15550100",
            "commitment_amount": "25.00",
            "score": 7,
        },
    }
    async with on(tmp_path) as rig, rig.session() as session:
        recorder = record(session)
        report = await session.perform(session.objects([row("p1", outcome="CALL_BACK", **given)]))

        assert report.statuses == {Status.APPLIED: 1}
        paths = [sent.url.removeprefix(rig.simulator.url) for sent in recorder.sent]
        assert paths == [
            "/authentication/v1/token/access-key",
            "/.well-known/cxone-configuration?tenantId=11eb-simulated",
            f"{API}33.0/contact-state-descriptions",
            f"{API}33.0/contacts/p1/disposition",
            f"{API}33.0/contacts/p1",
            f"{API}12.0/skills/9001/dispositions",
            f"{API}33.0/contacts/p1/set-disposition",
        ]
        (change,) = rig.ledger()
        assert change["after"]["outcomeCode"] == str(ACD_NAMES["CALL_BACK"])
        assert change["after"]["notes"] == "call again"
        assert change["after"]["customFields"] == {
            "callbackTime": "2026-02-01T09:00:00Z",
            "callbackNumber": "+15550100",
            "commitmentAmount": "25.00",
        }
        (entry,) = trail(report)
        assert change["request_id"] == entry["request_id"]
        assert entry["after"] == {"outcome_code": "CALL_BACK"}, "agent and time are not written"


async def test_lists_are_fetched_once_for_all_rows(tmp_path: Path) -> None:
    world = world_on("", *({"contact": name, "skill": 4711} for name in names(10, "s")))
    async with on(tmp_path, world=world) as rig, rig.session() as session:
        recorder = record(session)
        rows = [*rows_for(names(30)), *rows_for(names(10, "s"))]
        report = await session.perform(session.objects(rows))

        assert report.statuses == {Status.APPLIED: 40}
        lists = [sent.url for sent in recorder.sent if "dispositions" in sent.url]
        assert sorted(url.rpartition("/skills/")[2] for url in lists) == [
            "4711/dispositions",
            "9001/dispositions",
        ]
        assert sum("state-descriptions" in sent.url for sent in recorder.sent) == 1


async def test_a_plan_counts_the_reading_back_that_comes_first(tmp_path: Path) -> None:
    path = write_calls(tmp_path / "calls.csv", 20, 1)
    async with on(tmp_path) as rig:
        forecast = await plan_files(rig.settings(), [str(path)], SourceOptions())

        assert forecast.requests == 3 * forecast.counts["to write"] > 0


async def test_both_forms_of_the_login_work(tmp_path: Path) -> None:
    async with on(tmp_path) as rig:
        rig.environment |= {"CXONE_CLIENT_ID": "client-4711", "CXONE_CLIENT_SECRET": CLIENT_SECRET}
        async with rig.session() as session:
            recorder = record(session)
            report = await session.perform(session.objects(rows_for(names(3))))
        assert report.statuses == {Status.APPLIED: 3}
        assert recorder.sent[0].url.endswith("/auth/token")


async def test_a_wrong_access_key_pauses_the_run_and_names_the_variables(tmp_path: Path) -> None:
    async with on(tmp_path) as rig:
        rig.environment |= {"CXONE_ACCESS_KEY_SECRET": "wrong"}
        with pytest.raises(CredentialsRefused) as caught:
            await rig.sync(rows_for(names(3)))
        assert "access key" in caught.value.message
        assert "CXONE_ACCESS_KEY_ID and CXONE_ACCESS_KEY_SECRET" in caught.value.fix
        assert rig.ledger() == []


async def test_a_token_is_renewed_by_its_refresh_token(tmp_path: Path) -> None:
    async with on(tmp_path) as rig, rig.session(limits={"requests_per_second": 60.0}) as session:
        recorder = record(session)
        working = asyncio.create_task(session.perform(session.objects(rows_for(names(40)))))
        await until(lambda: rig.has_changed(5))
        rig.simulator.revoke_tokens()
        report = await working

        assert report.statuses == {Status.APPLIED: 40}
        signed = [sent.url for sent in recorder.sent if "/services/" not in sent.url]
        last = [url.partition("?")[0].rpartition("/")[2] for url in signed]
        assert last == ["access-key", "cxone-configuration", "refresh"]


async def test_a_closed_contact_is_told_what_is_still_possible(tmp_path: Path) -> None:
    held = {"contact": "held", "state": "EndContact", "outcome": "Interested"}
    world = world_on("", {"contact": "over", "state": "EndContact"}, held)
    async with on(tmp_path, world=world) as rig:
        report = await rig.sync(rows_for(["over", "held", "p1"]), rows={"defer_minutes": 0.0})

        assert report.reasons(Status.REJECTED) == {"contact_closed": 1}
        assert report.reasons(Status.UNCHANGED) == {"same_in_tenant": 1}
        assert report.statuses[Status.APPLIED] == 1
        (entry,) = [one for one in trail(report) if one["contact_id"] == "over"]
        assert "Still possible" in str(entry["message"])
        rig.assert_books_balance(report)


@pytest.mark.parametrize(("text", "reason"), TEXTS.items())
async def test_each_documented_refusal_has_a_reason_and_a_fix(
    tmp_path: Path, text: str, reason: str
) -> None:
    refusing = {"contact": "p1", "refuse": {"status": 400, "message": text}}
    async with on(tmp_path, world=world_on("", refusing)) as rig:
        report = await rig.sync([row("p1")])

        assert report.reasons(Status.REJECTED) == {reason: 1}
        (entry,) = trail(report)
        words = str(entry["message"])
        assert words.startswith(f"{text}. ")
        assert len(words) > len(text) + 20


async def test_rows_wait_for_a_skill_that_does_not_run(tmp_path: Path) -> None:
    refusing = {"contact": "p1", "refuse": {"status": 400, "message": "Skill Not Running"}}
    async with on(tmp_path, world=world_on("", refusing)) as rig, rig.session() as session:
        job = session.objects([row("p1"), row("p2")])
        working = asyncio.create_task(session.perform(job))
        await until(lambda: rig.answers("POST").get("400", 0) == 1 and rig.has_changed(1))
        job.run.halt.throw(Interrupted("That is enough."))
        report = await working

        assert report.statuses == {Status.PENDING: 1, Status.APPLIED: 1}
        assert report.reasons(Status.PENDING) == {"skill_not_running": 1}


@pytest.mark.parametrize(
    ("denied", "words"),
    [
        ("contacts", "read contacts"),
        ("set-disposition", "write dispositions"),
        ("dispositions", "(403): skill_dispositions: The user has no"),
        ("contact-state-descriptions", "(403): states: The user has no"),
    ],
)
async def test_a_permission_that_is_lacking_stops_the_run_and_fails_no_row(
    tmp_path: Path, denied: str, words: str
) -> None:
    async with on(tmp_path, denied=frozenset({denied})) as rig, rig.session() as session:
        job = session.objects(rows_for(names(8)))
        report = await session.perform(job)

        assert isinstance(job.run.halt.reason, AccessDenied)
        assert words in job.run.halt.reason.message
        assert "role" in job.run.halt.reason.fix
        assert job.run.halt.reason.next_command == "aftercall check --deep"
        assert report.statuses == {Status.PENDING: 8}
        assert rig.ledger() == []


@pytest.mark.parametrize(
    ("status", "words"), [(401, "Invalid Security User"), (400, "Unable To Determine BusNo")]
)
async def test_a_user_who_may_not_set_dispositions_is_no_matter_of_the_token(
    tmp_path: Path, status: int, words: str
) -> None:
    message = {"status": status, "message": words}
    world = world_on("", *({"contact": name, "refuse": message} for name in names(6)))
    async with on(tmp_path, world=world) as rig, rig.session() as session:
        job = session.objects(rows_for(names(6)))
        await session.perform(job)

        assert isinstance(job.run.halt.reason, AccessDenied)
        assert words in job.run.halt.reason.message
        assert rig.simulator.stats()["tokens_issued"] == 1


async def test_an_outcome_that_the_skill_does_not_offer_is_refused_unsent(tmp_path: Path) -> None:
    dispositions = [{"id": 5, "name": "Interested", "classification": 2}]
    async with on(tmp_path, world=world_on("", dispositions=dispositions)) as rig:
        report = await rig.sync([row("p1"), row("p2", outcome="DO_NOT_CALL")])

        assert report.reasons(Status.REJECTED) == {"no_such_disposition": 1}
        (entry,) = [one for one in trail(report) if one["contact_id"] == "p2"]
        assert "aftercall outcomes pull" in str(entry["message"])
        assert "POST" in rig.simulator.stats()["requests"]
        assert rig.answers("POST") == {"200": 1}


async def test_a_code_can_be_told_by_the_tenants_id_or_name(tmp_path: Path) -> None:
    dispositions = [
        {"id": 5, "name": "Wants an offer (A)", "classification": 2},
        {"id": 6, "name": "Never again", "classification": 4},
    ]
    ids = {"INTERESTED": "wants an offer (a)", "DO_NOT_CALL": "6"}
    async with on(tmp_path, world=world_on("", dispositions=dispositions)) as rig:
        rows = [row("p1"), row("p2", outcome="DO_NOT_CALL")]
        report = await rig.sync(rows, outcome_ids=ids)

        assert report.statuses == {Status.APPLIED: 2}
        assert {change["after"]["outcomeCode"] for change in rig.ledger()} == {"5", "6"}
        again = await rig.sync([row("p1", timestamp="2026-01-18T00:00:00Z")], outcome_ids=ids)
        assert again.reasons(Status.UNCHANGED) == {"same_in_tenant": 1}


def test_a_429_that_names_no_wait_is_two_seconds() -> None:
    got = read_contact(load_profile("acd"), HttpResponse(429, {}, b""), 0, Mask())
    assert got == Throttled(2.0)
