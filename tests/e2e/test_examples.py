"""The example data of the demo: it can be made again, and every row ends as its README says."""

import asyncio
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import aftercall
from aftercall.domain.audit import Settled
from aftercall.domain.report import Report
from aftercall.domain.status import SETTLED, Status
from aftercall.interfaces.cli.starter import starter_text
from aftercall.library import OpenSession
from aftercall.simulator import LimitRules, Simulator, SimulatorConfig, World

EXAMPLES = Path(__file__).parents[2] / "examples"
DISPOSITIONS = EXAMPLES / "dispositions.csv"
TENANT = EXAMPLES / "tenant.json"
SECRET = "example-and-no-secret"
REQUESTS = {"applied": 2, "rejected": 2, "unchanged": 1, "missing": 1}


@dataclass
class Outcome:
    """What a run over the example left behind."""

    settled: list[Settled]
    report: Report
    entries: list[Any]
    ledger: list[dict[str, Any]]
    events: list[dict[str, Any]]
    stats: dict[str, Any]


def _load_maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_examples", EXAMPLES / "make_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)  # examples/ goes into the wheel as it is
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def example() -> Any:
    return _load_maker().build()


async def _run_twice(directory: Path) -> list[Outcome]:
    config = SimulatorConfig(
        world=World.load(TENANT), limits=LimitRules(rate=0), crm_secret=SECRET, latency_ms=1
    )
    async with Simulator(config) as simulator:
        settings = {
            "tenant": {"base_url": simulator.url},
            "outcomes": tomllib.loads(starter_text())["outcomes"],
            "limits": {"requests_per_second": 1000},
            "crm": {"url": simulator.crm_url},
            "journal": {"url": f"sqlite:///{directory / 'journal.db'}"},
            "results": {"directory": directory},
        }
        environment = {
            "CXONE_CLIENT_ID": "example",
            "CXONE_CLIENT_SECRET": "example",
            "AFTERCALL_CRM_SECRET": SECRET,
        }
        async with aftercall.open(settings, environment) as session:
            return [await _run(session, simulator), await _run(session, simulator)]


async def _run(session: OpenSession, simulator: Simulator) -> Outcome:
    settled = [row async for row in session.sync(DISPOSITIONS)]
    entries = list(session.report.audit_trail)
    return Outcome(
        settled,
        session.report,
        entries,
        simulator.ledger(),
        simulator.crm_events(),
        simulator.stats(),
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return asyncio.run(_run_twice(tmp_path_factory.mktemp("example")))


@pytest.fixture(scope="module")
def first(runs: list[Outcome]) -> Outcome:
    return runs[0]


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _of(row: Any) -> tuple[str, str, str]:
    return row.cells["campaign_id"], row.cells["contact_id"], row.cells["outcome_code"]


# --- the files ------------------------------------------------------------------------------


def test_the_generator_writes_the_same_bytes_again(tmp_path: Path) -> None:
    maker = EXAMPLES / "make_examples.py"
    subprocess.run([sys.executable, "-B", maker, tmp_path], check=True)

    for kept in (DISPOSITIONS, TENANT):
        assert (tmp_path / kept.name).read_bytes() == kept.read_bytes(), f"run {maker} again"


def test_the_readme_counts_what_the_generator_made(example: Any) -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    told = {
        (status, reason): int(rows)
        for status, reason, rows in re.findall(
            r"^\| `([a-z]+)` \| `(\w+)` \| +(\d+) \|", readme, re.MULTILINE
        )
    }
    campaigns = {
        name: (int(rows), int(requests))
        for name, rows, requests in re.findall(
            r"^\| `([^`|]+)` \| +(\d+) \| +(\d+) \|", readme, re.MULTILINE
        )
    }

    assert told == Counter((row.status, row.reason) for row in example.rows)
    assert f"{len(example.rows)} rows" in readme
    assert campaigns == _campaigns(example)


def _campaigns(example: Any) -> dict[str, tuple[int, int]]:
    rows: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for row in example.rows:
        campaign = row.cells["campaign_id"]
        rows[campaign] += 1
        read_only = row.reason == "newer_in_tenant"
        requests[campaign] += 1 if read_only else REQUESTS.get(row.status, 0)
    return {name: (rows[name], requests[name]) for name in rows}


def test_the_demo_takes_about_half_a_minute(example: Any) -> None:
    largest = max(requests for _, requests in _campaigns(example).values())
    # A contact on a call is read two or three times more.
    assert (largest + 2 * 3) / 9.5 <= 35


def test_the_file_is_as_varied_as_real_ones(example: Any) -> None:
    outcomes = Counter(row.cells["outcome_code"] for row in example.rows)
    matrix = tomllib.loads(starter_text())["outcomes"]
    notes = "".join(row.cells["notes"] for row in example.rows)
    stamps = [row.cells["timestamp"] for row in example.rows]
    contacts = "".join(row.cells["contact_id"] for row in example.rows if row.status == "applied")

    assert matrix.keys() <= outcomes.keys()
    assert all(piece in notes for piece in (",", '"', "\n", "é", "🎉"))
    assert sum(stamp.endswith("Z") for stamp in stamps) > 100
    assert sum(stamp.endswith(":00") for stamp in stamps) > 100
    assert all(piece in contacts for piece in ("/", " ", "%2F", "🎧", "?", "..", "ë"))
    assert sum(row.cells["outcome_code"] == "DO_NOT_CALL" for row in example.rows[-30:]) >= 3
    assert all(
        re.fullmatch(r"\+1 \d{3}-555-01\d\d", row.cells["called_number"]) for row in example.rows
    )


# --- the run --------------------------------------------------------------------------------


def test_every_row_ends_as_it_is_meant_to(example: Any, first: Outcome) -> None:
    meant = {row.line: (row.status, row.reason) for row in example.rows}
    became = {row.line: (row.status.value, row.reason) for row in first.settled}

    assert became == meant
    assert len(first.settled) == len(meant) == first.report.read
    assert first.report.reconciles
    assert first.report.state == "finished"
    assert set(first.report.statuses) == SETTLED - {Status.FAILED}


def test_each_applied_row_is_one_change_at_the_tenant_and_no_other_is(
    example: Any, first: Outcome
) -> None:
    applied = Counter(_of(row) for row in example.rows if row.status == "applied")
    changed = Counter(
        (entry["campaign"], entry["contact"], entry["after"]["outcomeCode"])
        for entry in first.ledger
        if entry["effective"]
    )

    assert changed == applied
    assert set(applied.values()) == {1}
    assert first.stats["repeats"] == 0


def test_nothing_is_written_over_a_live_call(example: Any, first: Outcome) -> None:
    on_call = {
        (contact["campaign"], contact["contact"])
        for contact in example.contacts
        if "timeline" in contact
    }
    written = {(entry["campaign"], entry["contact"]): entry for entry in first.ledger}

    assert len(on_call) == 10
    assert on_call <= written.keys()
    assert {written[contact]["state"] for contact in on_call} == {"READY"}
    assert not [entry for entry in first.ledger if entry["live_call"]]


def test_the_crm_hears_of_each_applied_row(example: Any, first: Outcome) -> None:
    applied = Counter(_of(row) for row in example.rows if row.status == "applied")
    events = {event["id"]: event["body"]["data"] for event in first.events}
    heard = Counter(
        (data["campaign_id"], data["contact_id"], data["outcome_code"]) for data in events.values()
    )

    assert heard == applied
    assert first.stats["crm"]["bad_signatures"] == 0


def test_no_notes_get_into_the_audit_trail_or_to_the_crm(example: Any, first: Outcome) -> None:
    notes = {row.cells["notes"] for row in example.rows} - {""}
    told = "\0".join(_texts([first.entries, first.events]))

    assert len(first.entries) == len(example.rows)
    assert not [text for text in notes if text in told]
    assert not [text for text in notes if json.dumps(text)[1:-1] in told]


def test_fed_again_the_file_changes_nothing(runs: list[Outcome]) -> None:
    before, after = runs
    statuses = Counter(row.status.value for row in after.settled)

    assert after.ledger == before.ledger
    assert len(after.events) == len(before.events)
    assert "applied" not in statuses
    assert {name: statuses[name] for name in ("missing", "rejected", "invalid")} == {
        name: Counter(row.status.value for row in before.settled)[name]
        for name in ("missing", "rejected", "invalid")
    }
