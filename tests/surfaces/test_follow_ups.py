"""Follow-ups on the documented API, from the row to the tenant's own books."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.report import Report, exit_code
from aftercall.domain.status import Status
from aftercall.errors import ConfigInvalid
from aftercall.ports import Transport
from aftercall.simulator import LimitRules
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wiring import Session
from tests.fault.books import trail
from tests.fault.rig import Row, always, record, row

from .rig import SurfaceRig, on_surface, world_on

FOLLOW_UPS = {
    "dnc_groups": {"opt_out": "301"},
    "tags": {"INTERESTED": ["17", "18"]},
    "callbacks": ["callback"],
}
WHEN = "2026-12-01T10:00:00Z"


def on(directory: Path, **settings: Any) -> Any:
    return on_surface("acd", directory, **settings)


def opt_out(contact: str, phone: str | None = "+12025550100", **given: Any) -> Row:
    custom = None if phone is None else {"phone_number": phone}
    return row(contact, outcome="DO_NOT_CALL", custom_fields=custom, **given)


def callback(contact: str, **custom: object) -> Row:
    fields = {"callback_number": "+12025550177", "callback_time": WHEN} | custom
    return row(contact, outcome="CALL_BACK", custom_fields=fields)


async def sync(rig: SurfaceRig, *rows: Row, **tables: Any) -> Report:
    return await rig.sync(rows, **({"follow_ups": FOLLOW_UPS} | tables))


def done(rig: SurfaceRig) -> Counter[tuple[str, ...]]:
    """Count what the tenant did: its kind, and to what."""
    names = {"tag": ("contact", "tag"), "dnc": ("group", "phone"), "callback": ("phoneNumber",)}
    return Counter(
        (one["kind"], *(str(one[name]) for name in names[one["kind"]]))
        for one in rig.simulator.follow_ups()
    )


def entries(report: Report) -> list[Mapping[str, Any]]:
    return [one for one in trail(report) if "follow_up" in one]


async def test_all_three_are_done_for_open_and_closed_contacts(tmp_path: Path) -> None:
    # One was over when it was read, the other when it was written.
    meanwhile = {"contact": "meanwhile", "refuse": {"status": 400, "message": "Invalid Contact ID"}}
    world = world_on("acd", {"contact": "over", "state": "EndContact"}, meanwhile)
    async with on(tmp_path, world=world) as rig, rig.session(follow_ups=FOLLOW_UPS) as session:
        recorder = record(session)
        numbers = [opt_out(f"n{each}", f"+120255501{each:02d}") for each in range(5)]
        rows = [
            *numbers,
            opt_out("over", "+12025550199"),
            opt_out("meanwhile", "+12025550198"),
            opt_out("lost", None),
            row("p1"),
            callback("p2"),
        ]
        report = await session.perform(session.objects(rows))

        assert report.reasons(Status.REJECTED) == {"contact_closed": 1, "contact_not_active": 1}
        assert report.statuses[Status.APPLIED] == 8
        assert report.follow_ups == {
            "dnc_group": {"done": 7, "impossible": 1},
            "tags": {"done": 2},
            "callback": {"done": 1},
        }
        assert (report.state, exit_code(report)) == ("finished", 4)
        assert done(rig) == Counter(
            [("dnc", "301", f"120255501{each:02d}") for each in (*range(5), 98, 99)]
            + [("tag", "p1", "17"), ("tag", "p1", "18"), ("callback", "+12025550177")]
        )
        # Records of one group share a request.
        assert len([one for one in recorder.sent if "dnc-groups" in one.url]) == 1
        told = Counter((one["kind"], one["status"]) for one in entries(report))
        assert told == {
            ("follow_up_settled", "done"): 10,
            ("follow_up_settled", "impossible"): 1,
        }
        assert "2025550" not in json.dumps(entries(report))
        # Tried again it is as impossible as before.
        job = session.retry_follow_ups(report.run, (FollowUpState.IMPOSSIBLE,))
        report = await session.perform(job)
        assert report.follow_ups["dnc_group"] == {"done": 7, "impossible": 1}
        kinds = [one["kind"] for one in entries(report) if one["contact_id"] == "lost"]
        assert kinds == ["follow_up_settled", "follow_up_reopened", "follow_up_settled"]
        # The CRM hears of rows alone, and the books of rows are as without follow-ups.
        rig.assert_books_balance(report)


async def test_a_better_profile_can_do_what_was_impossible(tmp_path: Path) -> None:
    text = (files("aftercall.wire") / "profiles" / "acd.toml").read_text("utf-8")
    source = '"custom_fields.phone_number", "call_record.called_number"'
    better = text.replace(source, f'{source}, "custom_fields.mobile"')
    (tmp_path / "better.toml").write_text(better, encoding="utf-8")
    custom = {"mobile": "+12025550133", "callback_time": WHEN}
    given = row("p1", outcome="CALL_BACK", custom_fields=custom)
    async with on(tmp_path) as rig:
        report = await sync(rig, given)
        assert report.follow_ups == {"callback": {"impossible": 1}}
        own = {"profile": str(tmp_path / "better.toml")}
        async with rig.session(follow_ups=FOLLOW_UPS, tenant=own) as session:
            job = session.retry_follow_ups(report.run, (FollowUpState.IMPOSSIBLE,))
            report = await session.perform(job)
        assert report.follow_ups == {"callback": {"done": 1}}
        assert done(rig) == Counter([("callback", "+12025550133")])


async def test_nothing_is_done_unless_asked_and_nothing_twice(tmp_path: Path) -> None:
    async with on(tmp_path) as rig:
        await sync(rig, opt_out("n1"), follow_ups={})
        assert done(rig) == Counter()
        rows = [opt_out("n1", timestamp="2026-01-16T10:00:00Z"), callback("p2")]
        first = await sync(rig, *rows)
        # The tenant held the opt-out already: its number is seen to all the same.
        assert first.statuses == {Status.APPLIED: 1, Status.UNCHANGED: 1}
        again = await sync(rig, *rows)
        assert again.statuses == {Status.DUPLICATE: 2}
        assert again.follow_ups == {}
        assert done(rig) == Counter([("dnc", "301", "12025550100"), ("callback", "+12025550177")])


async def test_a_profile_without_them_is_no_profile_for_this_configuration(tmp_path: Path) -> None:
    async with on_surface("outbound-v1", tmp_path) as rig:
        with pytest.raises(ConfigInvalid, match="outbound-v1 declares no such follow-up"):
            await sync(rig, opt_out("n1"))
        assert rig.ledger() == []
        with pytest.raises(ConfigInvalid, match="GOLD is not listed under"):
            await sync(rig, opt_out("n1"), follow_ups={"tags": {"GOLD": "1"}})
        with pytest.raises(ConfigInvalid, match="neither a category"):
            await sync(rig, opt_out("n1"), follow_ups={"tags": {"gold": "1"}})


async def test_after_lost_answers_records_and_tags_are_repeated_and_callbacks_are_not(
    tmp_path: Path,
) -> None:
    async with on(tmp_path, faults=always("reset_after")) as rig:
        report = await sync(rig, opt_out("n1"), row("p1"), callback("p2"))
        assert report.count(Status.APPLIED) == 3
        assert report.follow_ups == {
            "dnc_group": {"done": 1},
            "tags": {"done": 2},
            "callback": {"unknown": 1},
        }
        assert exit_code(report) == 4
        counted = done(rig)
        assert counted["dnc", "301", "12025550100"] == 2
        assert sorted(counted["tag", "p1", tag] for tag in ("17", "18")) == [1, 2]
        assert counted["callback", "+12025550177"] == 1
        doubts = [one for one in entries(report) if one["kind"] == "follow_up_in_doubt"]
        assert len(doubts) == 2
        # A person looked, and says that it is not there.
        async with rig.session(follow_ups=FOLLOW_UPS) as session:
            job = session.retry_follow_ups(report.run, (FollowUpState.UNKNOWN,))
            later = await session.perform(job)
        assert later.follow_ups["callback"] == {"done": 1}
        assert exit_code(later) == 0


async def test_nobody_is_called_back_who_has_said_something_newer(tmp_path: Path) -> None:
    async with on(tmp_path, faults=always("reset_after")) as rig:
        first = await sync(rig, callback("p2"))
        assert first.follow_ups == {"callback": {"unknown": 1}}
        newer = opt_out("p2", timestamp=None)  # said just now
        assert (await sync(rig, newer)).follow_ups == {"dnc_group": {"done": 1}}
        # Nobody looked closely, and has all of them done again.
        async with rig.session(follow_ups=FOLLOW_UPS) as session:
            job = session.retry_follow_ups(first.run, (FollowUpState.UNKNOWN,))
            report = await session.perform(job)
        assert report.follow_ups == {"callback": {"withdrawn": 1}}
        assert exit_code(report) == 0
        assert done(rig)["callback", "+12025550177"] == 1
        *_, entry = entries(report)
        assert (entry["status"], entry["reason"]) == ("withdrawn", "newer_in_journal")


async def test_what_the_tenant_refuses_stops_no_row(tmp_path: Path) -> None:
    world = world_on("acd", inactive_dnc_groups=[301])
    given: dict[str, Any] = {"denied": frozenset({"tags"}), "world": world}
    async with on(tmp_path, **given) as rig:
        report = await sync(rig, opt_out("n1"), opt_out("n2"), row("p1"), callback("p2"))
        assert report.count(Status.APPLIED) == 4
        assert report.follow_ups == {
            "dnc_group": {"refused": 2},
            "tags": {"refused": 2},
            "callback": {"done": 1},
        }
        reasons = {one["reason"] for one in entries(report) if one["status"] == "refused"}
        assert reasons == {"dnc_group_inactive", "forbidden"}


async def test_an_overload_and_an_outage_are_waited_out(tmp_path: Path) -> None:
    for kind in ("throttle", "unauthorized"):
        async with on(tmp_path / kind, faults=always(kind)) as rig:
            rig.directory.mkdir()
            report = await sync(rig, opt_out("n1"), callback("p2"))
            assert report.follow_ups == {"dnc_group": {"done": 1}, "callback": {"done": 1}}
            assert set(done(rig).values()) == {1}
            attempts = [one["attempt"] for one in entries(report)]
            assert attempts == [1, 1], "waiting is no failure"


class Picky:
    """In front of the tenant: it refuses a whole list for one number."""

    def __init__(self, transport: Transport, number: str) -> None:
        self.lists: list[int] = []
        self._transport = transport
        self._number = number.encode()

    async def send(self, request: HttpRequest) -> HttpResponse:
        if "dnc-groups" in request.url and request.body is not None:
            self.lists.append(len(json.loads(request.body)["dncGroupRecords"]))
            if self._number in request.body:
                body = b'{"error_description": "Invalid request"}'
                return HttpResponse(400, {"content-type": "application/json"}, body)
        return await self._transport.send(request)


def picky(session: Session, number: str) -> Picky:
    made = Picky(session._outside.tenant, number)
    session._outside = replace(session._outside, tenant=made)
    return made


async def test_of_a_list_that_is_refused_as_a_whole_only_the_wrong_record_is(
    tmp_path: Path,
) -> None:
    async with on(tmp_path) as rig, rig.session(follow_ups=FOLLOW_UPS) as session:
        made = picky(session, "+12025550106")
        rows = [opt_out(f"n{each}", f"+120255501{each:02d}") for each in range(9)]
        report = await session.perform(session.objects(rows))
        assert report.follow_ups == {"dnc_group": {"done": 8, "refused": 1}}
        assert set(done(rig).values()) == {1}
        assert made.lists[0] == 9
        assert len(made.lists) <= 9
        (refused,) = (one for one in entries(report) if one["status"] == "refused")
        assert refused["contact_id"] == "n6"


async def test_they_count_against_the_pace_and_what_is_in_flight(tmp_path: Path) -> None:
    limits = LimitRules(rate=0, tenant_rate=20)
    async with on(tmp_path, limits=limits, latency_ms=20) as rig:
        rows = [row(f"p{each}") for each in range(6)]
        report = await sync(rig, *rows, limits={"requests_per_second": 20.0, "concurrency": 3})
        assert report.follow_ups == {"tags": {"done": 12}}
        stats = rig.simulator.stats()
        assert "429" not in stats["requests"].get("POST", {})
        assert stats["in_flight_peak"] <= 3
        (pace,) = report.pace
        # Reads, lists, writes and follow-ups.
        assert pace.requests == 6 * 3 + 2 + 12
        assert pace.peak_per_second <= 20
        assert pace.throttled == 0
