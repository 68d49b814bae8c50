"""The pace: never above the limit, hardly below it, and fair between campaigns."""

import asyncio
import time

from aftercall.domain.status import Status
from aftercall.simulator import LimitRules

from .books import assert_books_balance
from .conftest import Rigged
from .rig import Rig, names, record, row, rows_for, within

STRICT = LimitRules(kind="window", rate=20)
PACE = {"requests_per_second": 20.0}
USED_LEAST = 0.90


async def test_a_strict_limit_is_used_and_never_exceeded(rig_with: Rigged) -> None:
    # 3 s of work for each of three campaigns: two requests a row.
    rows = [one for campaign in ("A", "B", "C") for one in rows_for(names(30), campaign)]
    async with rig_with(limits=STRICT) as rig:
        report = await rig.sync(rows, limits=PACE)

        assert report.statuses == {Status.APPLIED: 90}
        for campaign, traffic in rig.simulator.stats()["campaigns"].items():
            assert traffic["throttled"] == 0, campaign
            assert traffic["peak_per_second"] <= 20
            assert traffic["requests"] == 60
        for pace in report.pace:
            assert pace.average_per_second >= USED_LEAST * 20
            assert pace.peak_per_second <= 20
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_the_limit_holds_over_two_sessions(rig_with: Rigged) -> None:
    # A second invocation at once after the first must not begin a new second of its own.
    async with rig_with(limits=STRICT) as rig:
        for part in range(3):
            report = await rig.sync(rows_for(names(12, f"p{part}-"), "A"), limits=PACE)
            assert report.statuses == {Status.APPLIED: 12}

        traffic = rig.simulator.stats()["campaigns"]["A"]
        assert (traffic["throttled"], traffic["requests"]) == (0, 72)
        assert traffic["peak_per_second"] <= 20


async def test_a_limit_of_the_whole_tenant_is_kept_too(rig_with: Rigged) -> None:
    rows = [row(f"k{number}", f"C{number % 6}") for number in range(60)]
    rules = LimitRules(kind="window", rate=0, tenant_rate=40)
    async with rig_with(limits=rules) as rig:
        limits = {"requests_per_second": 20.0, "requests_per_second_total": 40.0}
        report = await rig.sync(rows, limits=limits)

        assert report.statuses == {Status.APPLIED: 60}
        campaigns = rig.simulator.stats()["campaigns"].values()
        assert sum(one["throttled"] for one in campaigns) == 0
        assert sum(one["requests"] for one in campaigns) == 120
        assert report.elapsed_seconds <= 120 / 40 / 0.8 + 0.5
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_pace_of_less_than_a_request_in_two_seconds_still_gets_on(rig: Rig) -> None:
    report = await within(20, rig.sync([row("p1")], limits={"requests_per_second": 0.4}))

    assert report.statuses == {Status.APPLIED: 1}
    assert rig.answers("GET") == {"200": 1}
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_no_more_than_the_allowed_requests_are_in_flight(rig_with: Rigged) -> None:
    rows = [row(f"k{number}", f"C{number % 20}") for number in range(600)]
    async with rig_with(latency_ms=50) as rig:
        report = await rig.sync(rows)

        assert report.statuses == {Status.APPLIED: 600}
        assert 45 <= rig.simulator.stats()["in_flight_peak"] <= 50
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_smaller_allowance_is_kept_as_well(rig_with: Rigged) -> None:
    async with rig_with(latency_ms=20) as rig:
        report = await rig.sync(rows_for(names(60)), limits={"concurrency": 3})

        assert report.statuses == {Status.APPLIED: 60}
        assert rig.simulator.stats()["in_flight_peak"] == 3


async def test_opt_outs_go_first_within_a_campaign(rig: Rig) -> None:
    rows = [
        row(f"k{number}", f"C{number % 2}", "DO_NOT_CALL" if number % 10 > 7 else "INTERESTED")
        for number in range(200)
    ]
    async with rig.session(limits={"requests_per_second": 100.0}) as session:
        recorder = record(session)
        report = await session.perform(session.objects(rows))

    assert report.statuses == {Status.APPLIED: 200}
    opt_outs = {str(one["contact"]) for one in rows if one["outcome"] == "DO_NOT_CALL"}
    for campaign in ("C0", "C1"):
        read = [sent.contact for sent in recorder.of("GET") if sent.campaign == campaign]
        first = {one for one in opt_outs if one in read}
        assert len(first) == 20
        assert set(read[:20]) == first, "an opt-out waited behind another row"
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_small_campaigns_do_not_wait_for_a_big_one(rig: Rig) -> None:
    rows = rows_for(names(120), "BIG")
    rows += [row(f"s{number}", f"SMALL{number % 5}") for number in range(20)]
    report = await rig.sync(rows, limits={"requests_per_second": 50.0})

    assert report.statuses == {Status.APPLIED: 140}
    started = rig.ledger()[0]["at"]
    last: dict[str, float] = {}
    for change in rig.ledger():
        last[change["campaign"]] = change["at"] - started
    big = last.pop("BIG")
    assert big > 4.0
    assert max(last.values()) < big / 3
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_campaign_with_a_pace_of_its_own_keeps_it(rig_with: Rigged) -> None:
    async with rig_with() as rig:
        rig.simulator.extend_world({"campaigns": {"SLOW": {"rate": 5}}})
        rig.simulator.reset()
        rows = [*rows_for(names(5), "SLOW"), *rows_for(names(50), "FAST")]
        started = time.monotonic()
        report = await asyncio.wait_for(
            rig.sync(rows, limits={"campaigns": {"SLOW": 5.0}}), timeout=20
        )

        assert report.statuses == {Status.APPLIED: 55}
        assert rig.simulator.stats()["campaigns"]["SLOW"]["throttled"] == 0
        assert time.monotonic() - started >= 1.7
        landed = [one["at"] for one in rig.ledger() if one["campaign"] == "FAST"]
        assert landed[-1] - landed[0] < 1.5


async def test_many_campaigns_share_the_tenants_limit_and_all_write(rig_with: Rigged) -> None:
    # More campaigns than the tenant takes requests in the time that a read stays fresh.
    rules = LimitRules(kind="window", rate=0, tenant_rate=100)
    rows = [row(f"k{number}", f"C{number}") for number in range(250)]
    async with rig_with(limits=rules) as rig:
        limits = {"requests_per_second": 20.0, "requests_per_second_total": 100.0}
        report = await asyncio.wait_for(rig.sync(rows, limits=limits), timeout=30)

        assert report.statuses == {Status.APPLIED: 250}
        assert rig.simulator.stats()["requests"]["GET"] == {"200": 250}
        assert_books_balance(report, rig.ledger(), rig.crm())
