"""The CRM fails: tenant writes are neither repeated nor held up, and no event is lost."""

import socket
import time

import pytest

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.ports import EventFilter
from aftercall.simulator import Faults
from aftercall.wiring import open_archive

from .books import assert_books_balance
from .conftest import Rigged
from .rig import Rig, ShiftedClock, always, names, rows_for

ROWS = 30
SOON = {"timeout_seconds": 0.3, "drain_seconds": 2.0}
DAYS = 40 * 3600.0


async def deliver_later(rig: Rig, report: Report, waits: int = 1) -> Report:
    """Resume the run when the first wait of the schedule (5 s and a tenth) is over, then later.

    On a slow machine an event can fail twice, for no answer comes in time: its next wait is longer.
    """
    clock = ShiftedClock()
    for wait in range(waits):
        clock.ahead += 6.0 * 1.3**wait
        again = await rig.resume(clock)
        assert again.run == report.run
        if "waiting" not in again.deliveries:
            break
    return again


@pytest.mark.parametrize(
    "kind",
    ["crm_error", "crm_throttle", "crm_reset_before", "crm_reset_after", "crm_slow"],
)
async def test_an_event_that_failed_is_sent_again_under_its_id(rig_with: Rigged, kind: str) -> None:
    async with rig_with(faults=always(kind, slow_seconds=1.0)) as rig:
        report = await rig.sync(rows_for(names(ROWS)), crm=SOON)

        assert report.statuses == {Status.APPLIED: ROWS}
        assert report.deliveries == {"waiting": ROWS}
        assert rig.answers("PATCH") == {"204": ROWS}
        assert_books_balance(report, rig.ledger(), rig.crm())

        again = await deliver_later(rig, report, ROWS)
        assert again.deliveries == {"delivered": ROWS}
        assert rig.answers("PATCH") == {"204": ROWS}
        stats = rig.simulator.stats()["crm"]
        assert (stats["distinct"], stats["bad_signatures"]) == (ROWS, 0)
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_a_redirect_is_a_failure_and_is_not_followed(rig_with: Rigged) -> None:
    async with rig_with(faults=always("crm_redirect")) as rig:
        report = await rig.sync(rows_for(names(1)), crm=SOON)
        assert report.deliveries == {"waiting": 1}
        with open_archive(rig.journal) as archive:
            (event,) = archive.crm.find(EventFilter(), 9)
        assert event.words == "status 302"
        again = await deliver_later(rig, report)
        assert again.deliveries == {"delivered": 1}
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_a_huge_answer_is_cut_and_its_event_delivered(rig_with: Rigged) -> None:
    faults = always("crm_huge", huge_bytes=20_000_000)
    async with rig_with(faults=faults) as rig:
        report = await rig.sync(rows_for(names(3)))
        assert report.deliveries == {"delivered": 3}
        assert rig.simulator.stats()["crm"]["received"] == 3
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_crm_that_is_down_holds_no_tenant_write_up(rig_with: Rigged) -> None:
    faults = Faults(crm_down_seconds=3600.0)
    started = time.monotonic()
    async with rig_with(faults=faults) as rig:
        report = await rig.sync(rows_for(names(200)), crm=SOON)

        assert report.statuses == {Status.APPLIED: 200}
        assert report.deliveries == {"waiting": 200}
        assert rig.crm() == []
        landed = [change["at"] for change in rig.ledger()]
        assert landed[-1] - landed[0] < 5.0
        assert time.monotonic() - started < 10.0
        # The breaker is open: nearly all of them were never tried, and are due at once.
        assert rig.simulator.stats()["crm"]["by_status"]["503"] <= 20
        rig.simulator.set_faults(Faults())
        again = await deliver_later(rig, report)
        assert again.deliveries == {"delivered": 200}
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_a_crm_that_nobody_listens_at_keeps_the_events_waiting(rig: Rig) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/crm"
    report = await rig.sync(rows_for(names(5)), crm={"url": url})

    assert report.statuses == {Status.APPLIED: 5}
    assert report.deliveries == {"waiting": 5}
    again = await deliver_later(rig, report)
    assert again.deliveries == {"delivered": 5}
    assert_books_balance(again, rig.ledger(), rig.crm())


async def test_410_stops_the_deliveries_and_loses_no_event(rig_with: Rigged) -> None:
    async with rig_with(faults=Faults.from_json({"crm_gone": 1})) as rig:
        report = await rig.sync(rows_for(names(ROWS)), crm={"concurrency": 2})

        assert report.statuses == {Status.APPLIED: ROWS}
        assert sum(report.deliveries.values()) == ROWS
        assert "delivered" not in report.deliveries
        assert rig.simulator.stats()["crm"]["by_status"]["410"] <= 2
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_an_event_that_fails_for_days_ends_on_the_dead_letter_list(
    rig_with: Rigged,
) -> None:
    # The CRM takes signatures that are five minutes old; days ahead they are refused (401).
    async with rig_with(crm_secret="another") as rig:
        report = await rig.sync(rows_for(names(2)))
        clock = ShiftedClock()
        for _ in range(7):
            clock.ahead += DAYS / 3
            report = await rig.resume(clock)

        assert report.deliveries == {"dead": 2}
        assert rig.simulator.stats()["crm"]["by_status"] == {"401": 2 * 8}
        assert rig.answers("PATCH") == {"204": 2}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_slow_crm_does_not_slow_the_tenant_down(rig_with: Rigged) -> None:
    async with rig_with(crm_latency_ms=200) as rig:
        crm = {"concurrency": 5, "drain_seconds": 30.0}
        report = await rig.sync(rows_for(names(60)), crm=crm)

        landed = [change["at"] for change in rig.ledger()]
        heard = [event["at"] for event in rig.crm()]
        assert landed[-1] < heard[20]
        assert report.deliveries == {"delivered": 60}
        assert rig.simulator.stats()["crm"]["in_flight_peak"] <= 5
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_what_is_not_delivered_in_the_drain_time_waits(rig_with: Rigged) -> None:
    async with rig_with(crm_latency_ms=300) as rig:
        report = await rig.sync(rows_for(names(40)), crm={"concurrency": 1, "drain_seconds": 0.5})

        assert report.statuses == {Status.APPLIED: 40}
        assert report.deliveries["waiting"] >= 30
        assert_books_balance(report, rig.ledger(), rig.crm())
        fast = {"concurrency": 50, "drain_seconds": 30.0}
        again = await rig.resume(crm=fast)
        assert again.deliveries == {"delivered": 40}
        assert_books_balance(again, rig.ledger(), rig.crm())


async def test_without_a_crm_nobody_is_told(rig: Rig) -> None:
    report = await rig.sync(rows_for(names(3)), crm={"url": None})

    assert report.statuses == {Status.APPLIED: 3}
    assert report.deliveries == {}
    assert rig.crm() == []
    assert_books_balance(report, rig.ledger(), None)
