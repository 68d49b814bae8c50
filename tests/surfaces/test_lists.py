"""Contacts that are read several at once: no guarantee rests on a list being right."""

from base64 import b64encode
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.simulator import Faults, LimitRules
from tests.fault.books import trail
from tests.fault.rig import CLIENT_SECRET, Recorder, names, record, row, rows_for

from .rig import LIST_FAULTS, world_on
from .test_crashes import die_at_every_point
from .test_described import DescribedRig, described

BOTH_KINDS = ("listed", "tagged")
OTHER_FAULTS = (
    "reset_before",
    "error_before",
    "garbage",
    "truncated",
    "unauthorized",
    "throttle",
    "redirect",
    "slow",
)
LIMIT = 30


def asked(recorder: Recorder) -> Counter[str]:
    """Count the requests about contacts: lists, reads of one, writes."""
    kinds: Counter[str] = Counter()
    for sent in recorder.sent:
        path = sent.url.partition("?")[0]
        if path.endswith(("/find", "/outbound/contacts")):
            kinds["list"] += 1
        elif sent.method == "PATCH" or path.endswith("/result"):
            kinds["write"] += 1
        elif not path.endswith(("/login", "/token")):
            kinds["alone"] += 1
    return kinds


async def recorded(
    rig: DescribedRig, rows: list[dict[str, object]], **tables: Any
) -> tuple[Report, Counter[str]]:
    async with rig.session(None, **tables) as session:
        recorder = record(session)
        report = await session.perform(session.objects(rows))
    return report, asked(recorder)


@pytest.mark.parametrize("name", BOTH_KINDS)
async def test_rows_that_wait_together_are_read_together(tmp_path: Path, name: str) -> None:
    async with described(name, tmp_path) as rig:
        report, kinds = await recorded(rig, rows_for(names(60)))

        assert report.statuses == {Status.APPLIED: 60}
        assert kinds["write"] == 60
        assert kinds["alone"] <= 2
        assert kinds["list"] <= 12
        rig.assert_books_balance(report)


async def test_the_likeness_shows_no_more_at_once_than_the_file_says(tmp_path: Path) -> None:
    async with described("listed", tmp_path) as rig, aiohttp.ClientSession() as session:
        pair = f"{rig.environment['CXONE_CLIENT_ID']}:{CLIENT_SECRET}".encode()
        login = {"Authorization": f"Basic {b64encode(pair).decode()}"}
        form = {"grant_type": "client_credentials"}
        url = f"{rig.simulator.url}/blue"
        async with session.post(f"{url}/login", headers=login, data=form) as answer:
            token = (await answer.json())["jwt"]
        headers = {"Authorization": f"Bearer {token}"}
        for count, status in ((0, 400), (2, 200), (50, 200), (51, 400)):
            body = {"ids": names(count)}
            async with session.post(f"{url}/leads/C1/find", json=body, headers=headers) as answer:
                told = await answer.json()
                assert answer.status == status
            wanted = names(count) if status == 200 else []
            assert [one["no"] for one in told.get("leads", [])] == wanted
        async with session.post(f"{url}/leads/C1/find", json={"ids": ["p1"]}) as answer:
            assert answer.status == 401


async def test_a_row_alone_is_read_as_ever(tmp_path: Path) -> None:
    async with described("listed", tmp_path) as rig:
        report, kinds = await recorded(rig, [row("p1", f"C{number}") for number in range(5)])

        assert report.statuses == {Status.APPLIED: 5}
        assert kinds == {"alone": 5, "write": 5}


@pytest.mark.parametrize("name", BOTH_KINDS)
@pytest.mark.parametrize("kind", LIST_FAULTS)
async def test_no_list_is_believed_beyond_what_it_tells(
    tmp_path: Path, name: str, kind: str
) -> None:
    # Whoever were taken to be free would be written over a call.
    calls = [{"contact": f"p{n}", "timeline": [["RINGING", 0.6], ["READY", None]]} for n in (1, 4)]
    held = {"outcome": "DO_NOT_CALL", "timestamp": "2026-03-01T00:00:00.000Z", "agent": "x"}
    kept = [{"contact": f"p{number}", **held} for number in (6, 7)]
    faults = Faults.from_json({kind: 1.0, "fault_limit": 0})
    async with described(name, tmp_path, world=world_on("", *calls, *kept), faults=faults) as rig:
        report = await rig.sync(rows_for(names(24)))

        assert report.statuses == {Status.APPLIED: 22, Status.SUPERSEDED: 2}
        assert rig.simulator.stats()["faults"][kind] > 0
        rig.assert_books_balance(report)


@pytest.mark.parametrize("kind", OTHER_FAULTS)
async def test_a_list_that_fails_fails_no_row(tmp_path: Path, kind: str) -> None:
    rare = {"unauthorized": 0.1, "throttle": 0.15}.get(kind, 0.5)
    faults = Faults.from_json({kind: rare, "fault_limit": 2, "slow_seconds": 1.0})
    async with described("listed", tmp_path, faults=faults, retry_after="seconds") as rig:
        report = await rig.sync(
            [row(name, f"C{number % 3}") for number, name in enumerate(names(36))],
            tenant={"read_seconds": 0.4, "total_seconds": 0.4},
            retry={"wait_seconds_max": 0.2},
        )

        assert report.statuses == {Status.APPLIED: 36}
        assert rig.simulator.stats()["faults"][kind] > 0
        rig.assert_books_balance(report)


async def test_a_mix_of_all_faults_leaves_one_change_per_row(tmp_path: Path) -> None:
    mixed = dict.fromkeys(LIST_FAULTS, 0.1) | dict.fromkeys(OTHER_FAULTS, 0.03)
    mixed |= {"reset_after": 0.05, "error_after_commit": 0.05, "unauthorized": 0.01, "slow": 0.01}
    faults = Faults.from_json(mixed | {"slow_seconds": 0.6, "fault_limit": 3})
    world = world_on("", missing_ratio=0.1, active_ratio=0.1)
    async with described("tagged", tmp_path, faults=faults, world=world) as rig:
        report = await rig.sync(
            [row(name, f"C{number % 4}") for number, name in enumerate(names(120))],
            tenant={"read_seconds": 0.4, "total_seconds": 0.4},
            retry={"wait_seconds_max": 0.5},
        )

        assert report.statuses.keys() == {Status.APPLIED, Status.MISSING}
        rig.assert_books_balance(report)


async def test_where_there_is_no_list_each_contact_is_read_by_itself(tmp_path: Path) -> None:
    async with described("listed", tmp_path) as rig:
        file = tmp_path / "listed.toml"
        file.write_text(file.read_text().replace("/find", "/nowhere"))
        report, kinds = await recorded(rig, rows_for(names(200)))

        assert report.statuses == {Status.APPLIED: 200}
        # The list that is not there counts, too; one is enough to know.
        assert 200 < kinds["alone"] <= 202
        rig.assert_books_balance(report)


async def test_a_list_that_is_refused_for_the_pace_holds_the_campaign_back_once(
    tmp_path: Path,
) -> None:
    faults = Faults.from_json({"throttle": 1.0, "fault_limit": 1})
    async with described("listed", tmp_path, faults=faults, retry_after="seconds") as rig:
        report, kinds = await recorded(rig, rows_for(names(6)))

        assert report.statuses == {Status.APPLIED: 6}
        throttled = sum(one.throttled for one in report.pace)
        assert throttled == rig.simulator.stats()["faults"]["throttle"]
        assert kinds["write"] + kinds["alone"] + kinds["list"] >= 6 + throttled
        rig.assert_books_balance(report)


async def test_a_strict_limit_is_kept_and_used_by_nearly_twice_the_rows(tmp_path: Path) -> None:
    async with described("listed", tmp_path, limits=LimitRules(kind="window", rate=LIMIT)) as rig:
        limits = {"requests_per_second": float(LIMIT)}
        report, kinds = await recorded(rig, rows_for(names(90)), limits=limits)

        assert report.statuses == {Status.APPLIED: 90}
        assert kinds["list"] + kinds["alone"] <= 9
        traffic = rig.simulator.stats()["campaigns"].values()
        assert all(one["throttled"] == 0 for one in traffic)
        assert 0 < max(one["peak_per_second"] for one in traffic) <= LIMIT
        windows = [float(entry["read_to_write_ms"]) for entry in trail(report)]
        assert max(windows) <= 2000.0
        rig.assert_books_balance(report)


async def test_an_audit_entry_names_a_request_that_the_tenant_has_seen(tmp_path: Path) -> None:
    held = {"outcome": "INTERESTED", "timestamp": "2026-01-10T00:00:00.000Z", "agent": "x"}
    world = world_on("", *({"contact": name, **held} for name in names(12)))
    async with described("listed", tmp_path, world=world) as rig, rig.session() as session:
        recorder = record(session)
        seen: set[str] = set()
        kept = recorder.send

        async def send(request: Any) -> Any:
            seen.add(request.headers.get("X-Request-ID", ""))
            return await kept(request)

        recorder.send = send  # type: ignore[method-assign]
        report = await session.perform(session.objects(rows_for(names(24))))

        assert report.statuses == {Status.APPLIED: 12, Status.UNCHANGED: 12}
        entries = trail(report)
        assert {entry["request_id"] for entry in entries} <= seen
        for entry in entries:
            assert entry["read_ms"] > 0
            assert (entry["write_ms"] is None) is (entry["status"] == "unchanged")


def promised(rig: DescribedRig, seconds: float) -> None:
    """Let the profile say that an ETag tells of calls, and that a read is good for longer."""
    file = Path(rig.tables["tenant"]["profile"])
    promise = f"[read]\netag_covers_state = true\ngood_for_seconds = {seconds}\n"
    file.write_text(file.read_text().replace("[read]\n", promise, 1))


async def test_a_read_that_its_etag_guards_is_good_for_longer(tmp_path: Path) -> None:
    pace = {"requests_per_second": 5.0}
    async with described("tagged", tmp_path) as rig:
        promised(rig, 30.0)
        report, kinds = await recorded(rig, rows_for(names(20)), limits=pace)

        assert report.statuses == {Status.APPLIED: 20}
        assert kinds == {"list": 1, "write": 20}
        assert max(float(entry["read_to_write_ms"]) for entry in trail(report)) > 3000.0
        assert all(entry["conditional"] for entry in trail(report))
        rig.assert_books_balance(report)


async def test_a_call_that_begins_after_an_old_read_is_not_written_over(tmp_path: Path) -> None:
    # Free when they are read, on a call when they would be written, free again later.
    timeline = [["READY", 1.0], ["CONNECTED", 4.0], ["READY", None]]
    world = world_on("", *({"contact": name, "timeline": timeline} for name in names(20)))
    async with described("tagged", tmp_path, world=world) as rig:
        promised(rig, 30.0)
        report = await rig.sync(rows_for(names(20)), limits={"requests_per_second": 8.0})

        assert report.statuses == {Status.APPLIED: 20}
        assert rig.answers("PATCH")["412"] > 0
        rig.assert_books_balance(report)


@pytest.mark.parametrize("name", BOTH_KINDS)
async def test_a_process_that_dies_at_every_point_in_turn_changes_nothing(
    tmp_path: Path, name: str
) -> None:
    """One journal, one death at each of the named points, with lists from first to last."""
    await die_at_every_point(partial(described, name), tmp_path)
