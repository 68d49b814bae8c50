"""The newest disposition of a contact wins, and none is applied twice."""

import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from aftercall.domain.status import Status
from aftercall.simulator import Faults
from aftercall.wiring import write_results

from .books import assert_books_balance, outcomes_held
from .conftest import Rigged
from .rig import (
    SEED,
    Rig,
    Row,
    always,
    hit_on_write,
    names,
    on_write,
    record,
    row,
    rows_for,
    world_of,
)

OLD, NEW = "2026-01-10T08:00:00Z", "2026-01-12T08:00:00Z"


@pytest.mark.parametrize("newest_first", [True, False])
async def test_of_two_in_one_run_only_the_newer_is_written(rig: Rig, *, newest_first: bool) -> None:
    pair = [row("p1", outcome="NOT_INTERESTED", timestamp=OLD), row("p1", timestamp=NEW)]
    report = await rig.sync(pair[::-1] if newest_first else pair)

    assert report.statuses == {Status.APPLIED: 1, Status.SUPERSEDED: 1}
    assert outcomes_held(rig.ledger()) == {("C1", "p1"): ("INTERESTED",)}
    assert rig.answers("PATCH") == {"204": 1}
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_of_two_at_the_same_instant_the_later_row_wins(rig: Rig) -> None:
    report = await rig.sync([row("p1", outcome="NOT_INTERESTED"), row("p1", outcome="CALL_BACK")])

    assert outcomes_held(rig.ledger()) == {("C1", "p1"): ("CALL_BACK",)}
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_an_older_one_in_a_later_run_is_superseded_without_a_write(rig: Rig) -> None:
    first = await rig.sync([row("p1", timestamp=NEW)])
    second = await rig.sync([row("p1", outcome="CALL_BACK", timestamp=OLD)])

    assert first.statuses == {Status.APPLIED: 1}
    assert second.reasons(Status.SUPERSEDED) == {"newer_in_journal": 1}
    assert rig.answers("PATCH") == {"204": 1}
    assert_books_balance([first, second], rig.ledger(), rig.crm())


async def test_a_newer_one_in_a_later_run_is_written_over_the_older(rig: Rig) -> None:
    first = await rig.sync([row("p1", timestamp=OLD)])
    second = await rig.sync([row("p1", outcome="DO_NOT_CALL", timestamp=NEW)])

    assert outcomes_held(rig.ledger()) == {("C1", "p1"): ("INTERESTED", "DO_NOT_CALL")}
    assert_books_balance([first, second], rig.ledger(), rig.crm())


async def test_what_the_tenant_holds_counts_too(rig_with: Rigged) -> None:
    held = {"outcome": "CALL_BACK", "agent": "somebody"}
    contacts = [
        {"contact": "newer", "timestamp": NEW, **held},
        {"contact": "older", "timestamp": OLD, **held},
        {"contact": "same", "timestamp": NEW, **held, "outcome": "INTERESTED"},
    ]
    stamp = "2026-01-11T08:00:00Z"
    async with rig_with(world=world_of(*contacts)) as rig:
        report = await rig.sync([row(name, timestamp=stamp) for name in ("newer", "older", "same")])

        assert report.reasons(Status.SUPERSEDED) == {"newer_in_tenant": 1}
        assert report.statuses == {
            Status.APPLIED: 1,
            Status.UNCHANGED: 1,
            Status.SUPERSEDED: 1,
        }
        assert outcomes_held(rig.ledger()) == {("C1", "older"): ("INTERESTED",)}
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_two_rows_of_a_contact_are_never_under_way_together(rig_with: Rigged) -> None:
    dice = random.Random(SEED)
    days = [f"2026-01-{day:02d}T08:00:00Z" for day in range(1, 11)]
    rows: list[Row] = []
    for name in names(12):
        some = dice.sample(days, 5)
        codes = ("INTERESTED", "CALL_BACK", "DO_NOT_CALL", "NO_ANSWER", "NOT_INTERESTED")
        rows += [row(name, outcome=c, timestamp=day) for c, day in zip(codes, some, strict=True)]
    dice.shuffle(rows)
    faults = Faults.from_json({"reset_after": 0.2, "error_before": 0.2, "seed": SEED})
    async with rig_with(latency_ms=20, faults=faults) as rig:
        reports = []
        # Fed in pieces, so that a row may find an older one of its contact still open.
        async with rig.session() as session:
            recorder = record(session)
            for start in range(0, len(rows), 20):
                piece = session.objects(rows[start : start + 20])
                reports.append((await session.perform(piece)).run)
            final = [session.report(run) for run in reports]

        assert sum(report.read for report in final) == len(rows)
        assert all(report.open == 0 for report in final)
        by_contact = defaultdict(list)
        for sent in recorder.sent:
            by_contact[sent.contact].append(sent)
        for sent_to_one in by_contact.values():
            pairs = pairwise(sent_to_one)
            assert all(earlier.answered <= later.left for earlier, later in pairs)
        stamps = defaultdict(list)
        for change in rig.ledger():
            stamps[change["contact"]].append(change["after"]["dispositionTimestamp"])
        for name in names(12):
            newest = max(str(one["timestamp"]) for one in rows if one["contact"] == name)
            assert stamps[name] == sorted(stamps[name])
            assert stamps[name][-1][:10] == newest[:10]
        assert_books_balance(final, rig.ledger(), rig.crm())


async def test_the_same_file_fed_again_makes_no_write(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    lines = [f"C{n % 3},k{n},INTERESTED,a1,{OLD}" for n in range(60)]
    path.write_text("\n".join(["campaign,contact,outcome,agent,timestamp", *lines, ""]))
    first = await rig.sync(path)
    ledger, asked = rig.ledger(), rig.simulator.stats()["requests"]
    second = await rig.sync(path)

    assert first.statuses == {Status.APPLIED: 60}
    assert second.statuses == {Status.DUPLICATE: 60}
    assert rig.ledger() == ledger
    assert rig.simulator.stats()["requests"] == asked | {"TOKEN": {"200": 2}}
    assert_books_balance([first, second], rig.ledger(), rig.crm())


async def test_the_same_rows_without_timestamps_are_recognised_too(rig: Rig) -> None:
    rows = [row(name, timestamp=None) for name in names(10)]
    first = await rig.sync(rows)
    second = await rig.sync([*rows, *rows])

    assert first.statuses == {Status.APPLIED: 10}
    assert second.statuses == {Status.DUPLICATE: 20}
    assert_books_balance([first, second], rig.ledger(), rig.crm())


async def test_the_same_disposition_twice_in_a_file_is_applied_once(rig: Rig) -> None:
    rows = rows_for(names(10))
    report = await rig.sync([*rows, *rows, *rows])

    assert report.statuses == {Status.APPLIED: 10, Status.DUPLICATE: 20}
    assert_books_balance(report, rig.ledger(), rig.crm())


async def test_a_row_that_failed_is_accepted_when_it_is_fed_again(
    rig_with: Rigged, tmp_path: Path
) -> None:
    path = tmp_path / "calls.csv"
    lines = [f"C1,{name},INTERESTED,a1,{OLD}" for name in names(5)]
    path.write_text("\n".join(["campaign,contact,outcome,agent,timestamp", *lines, ""]))
    async with rig_with(faults=always("error_before", fault_limit=0)) as rig:
        first = await rig.sync(path, retry={"attempts_max": 1})
        assert first.statuses == {Status.FAILED: 5}
        files = write_results(rig.settings(), first.run, tmp_path)
        rig.simulator.set_faults(Faults())
        second = await rig.sync(files["failed"])

        assert second.statuses == {Status.APPLIED: 5}
        assert_books_balance([first, second], rig.ledger(), rig.crm())


async def test_a_failed_row_is_retried_in_its_own_run(rig_with: Rigged) -> None:
    async with (
        rig_with(faults=always("error_before", fault_limit=0)) as rig,
        rig.session(retry={"attempts_max": 1}) as session,
    ):
        first = await session.perform(session.objects(rows_for(names(5))))
        assert first.statuses == {Status.FAILED: 5}
        rig.simulator.set_faults(Faults())
        again = await session.perform(session.retry(first.run, (Status.FAILED,)))

        assert again.statuses == {Status.APPLIED: 5}
        assert len(rig.ledger()) == 5
        assert len({event["id"] for event in rig.crm()}) == 5


async def test_a_failed_row_in_doubt_is_read_back_when_it_is_retried(rig_with: Rigged) -> None:
    contacts = hit_on_write("reset_after", 3)
    async with (
        rig_with(faults=on_write("reset_after")) as rig,
        rig.session(retry={"attempts_max": 1}) as session,
    ):
        first = await session.perform(session.objects(rows_for(contacts)))
        again = await session.perform(session.retry(first.run, (Status.FAILED,)))

        assert again.reasons(Status.APPLIED) == {"read_back": 3}
        assert rig.answers("PATCH") == {"aborted": 3}
        assert len({event["id"] for event in rig.crm()}) == 3
