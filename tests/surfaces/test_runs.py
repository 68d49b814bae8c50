"""Runs that are stopped, fed again, retried or held to a limit, on every surface."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from rich.console import Console

from aftercall.adapters.sources import SourceOptions
from aftercall.domain.status import Status
from aftercall.errors import Interrupted
from aftercall.interfaces.cli.watching import Watcher
from aftercall.simulator import Faults, LimitRules
from tests.fault.rig import always, names, record, row, rows_for, until

from .conftest import On

LIMIT = 30
CONTACT = re.compile(r"/((?:stop|p)\d+)\b")


async def test_a_stop_leaves_nothing_half_done_and_the_rest_for_a_resume(on: On) -> None:
    rows = [row(name, f"C{number % 4}") for number, name in enumerate(names(120))]
    async with on(latency_ms=20) as rig:
        async with rig.session() as session:
            job = session.objects(rows)
            working = asyncio.create_task(session.perform(job))
            await until(lambda: rig.has_changed(20))
            job.run.halt.throw(Interrupted("That is enough."))
            stopped = await working
        assert Status.WRITING not in stopped.statuses
        assert 0 < stopped.count(Status.APPLIED) == rig.simulator.stats()["changes"]
        assert stopped.open == 120 - stopped.count(Status.APPLIED) > 0

        final = await rig.resume()
        assert final.statuses == {Status.APPLIED: 120}
        rig.assert_books_balance(final)


async def test_a_file_that_is_fed_again_asks_for_no_contact(on: On, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    lines = [f"C{n % 3},k{n},INTERESTED,a1,2026-01-10T08:00:00Z" for n in range(30)]
    path.write_text("\n".join(["campaign,contact,outcome,agent,timestamp", *lines, ""]))
    async with on() as rig:
        first = await rig.sync(path)
        async with rig.session() as session:
            recorder = record(session)
            second = await session.perform(session.files([str(path)], SourceOptions()))

        assert first.statuses == {Status.APPLIED: 30}
        assert second.statuses == {Status.DUPLICATE: 30}
        assert not [sent.url for sent in recorder.sent if "/k" in sent.url]
        rig.assert_books_balance(first, second)


async def test_rows_that_failed_are_retried_in_their_own_run(on: On) -> None:
    faults = always("error_before", fault_limit=0)
    async with on(faults=faults) as rig, rig.session(retry={"attempts_max": 1}) as session:
        first = await session.perform(session.objects(rows_for(names(5))))
        assert first.statuses == {Status.FAILED: 5}
        rig.simulator.set_faults(Faults())
        again = await session.perform(session.retry(first.run, (Status.FAILED,)))

        assert (again.run, again.statuses) == (first.run, {Status.APPLIED: 5})
        rig.assert_books_balance(again)


async def test_a_strict_limit_is_never_exceeded(on: On) -> None:
    # One campaign: the documented API counts for a whole tenant.
    async with on(limits=LimitRules(kind="window", rate=LIMIT)) as rig:
        report = await rig.sync(rows_for(names(20)), limits={"requests_per_second": float(LIMIT)})

        assert report.statuses == {Status.APPLIED: 20}
        assert sum(one.throttled for one in report.pace) == 0
        traffic = rig.simulator.stats()["campaigns"].values()
        assert all(one["throttled"] == 0 for one in traffic)
        assert 0 < max(one["peak_per_second"] for one in traffic) <= LIMIT
        rig.assert_books_balance(report)


async def test_opt_outs_go_first(on: On) -> None:
    rows = rows_for(names(40)) + [row(name, outcome="DO_NOT_CALL") for name in names(10, "stop")]
    async with on() as rig, rig.session(limits={"requests_per_second": 100.0}) as session:
        recorder = record(session)
        report = await session.perform(session.objects(rows))

        assert report.statuses == {Status.APPLIED: 50}
        asked = [name for sent in recorder.sent for name in CONTACT.findall(sent.url)]
        in_order = list(dict.fromkeys(asked))
        assert set(in_order[:10]) == set(names(10, "stop"))
        rig.assert_books_balance(report)


async def test_what_a_watcher_says_is_left_counts_the_requests_of_the_surface(
    on: On, request: pytest.FixtureRequest
) -> None:
    each = {"acd": 3}.get(request.node.callspec.params["on"], 2)
    pace = {"requests_per_second": 10.0, "headroom": 0.0}
    async with on() as rig, rig.session(limits=pace) as session:
        job = session.objects(rows_for(names(300)))
        watcher = Watcher(job, session, Console(quiet=True))
        working = asyncio.create_task(session.perform(job))
        await until(lambda: job.run.progress.stage == "writing")
        await watcher._take_stock()
        left = watcher._gauge.ends - time.monotonic()
        job.run.halt.throw(Interrupted("That is enough."))
        await working

        assert left == pytest.approx(300 * each / 10, rel=0.1)
