"""Statements of the hot path find what they need by an index, however many rows wait.

Each plan is taken with the statistics of a large journal and without any, as a young one has.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from sqlite3 import Connection, connect
from typing import TYPE_CHECKING

import pytest

from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.journal.sqlite.statements import repeated, statement, statements
from aftercall.domain.status import DUE, HOLDING, LANDED, NEWER, OPEN, Status

if TYPE_CHECKING:
    from pathlib import Path

HOT = {
    "due_rows": {"row_due", "row_contact", "INTEGER PRIMARY KEY"},
    "next_due": {"row_due"},
    "due_campaigns": {"row_due"},
    "holder": {"row_holder"},
    "left_writing": {"row_left"},
    "unpark": {"row_left"},
    "due_events": {"outbox_due", "PRIMARY KEY"},
    "owes_events": {"outbox_due", "PRIMARY KEY"},
    "release_next": {"outbox_queue", "INTEGER PRIMARY KEY"},
    "hold_later": {"outbox_queue", "INTEGER PRIMARY KEY"},
    "hurry_events": {"outbox_due"},
    "requeue_event": {"INTEGER PRIMARY KEY"},
    "waiting_events": {"INTEGER PRIMARY KEY"},
    "add_attempts": {"INTEGER PRIMARY KEY"},
    "disable_endpoint": {"INTEGER PRIMARY KEY"},
    "enable_endpoint": {"PRIMARY KEY"},
    "one_event": {"sqlite_autoindex_outbox_1"},
    "attempts_of_event": {"PRIMARY KEY"},
    "standing_claims": {"INTEGER PRIMARY KEY"},
    "settle_rows": {"INTEGER PRIMARY KEY"},
    "stand_aside": {"INTEGER PRIMARY KEY"},
    "claim_rows": {"INTEGER PRIMARY KEY"},
    "look_again": {"INTEGER PRIMARY KEY"},
    "settle_waiting": {"INTEGER PRIMARY KEY"},
    "latencies_of_visits": set(),
    "begin_latencies": set(),
    "add_latencies": {"PRIMARY KEY"},
    "mark_overwritten": {"INTEGER PRIMARY KEY", "row_contact"},
    "row_facts": {"INTEGER PRIMARY KEY"},
    "record_deliveries": {"INTEGER PRIMARY KEY"},
    "add_events": {"outbox_queue", "INTEGER PRIMARY KEY"},
    "campaign_pace": {"PRIMARY KEY"},
    "campaign_epoch": {"PRIMARY KEY"},
    "raise_epoch": {"PRIMARY KEY"},
    "set_tat": {"PRIMARY KEY"},
    "set_pause": {"PRIMARY KEY"},
    "add_row": set(),
    "add_entries": set(),
    "last_row": set(),
    "rows_of_run": {"row_run"},
    "first_rows": {"row_standing", "INTEGER PRIMARY KEY"},
    "tallies": {"row_standing"},
    "standings": {"row_standing"},
    "latencies": {"PRIMARY KEY"},
    "sources": {"source_run"},
    "entries_of_run": {"audit_run"},
    "entries_of_contact": {"audit_contact"},
    "audit_last": set(),
    "audit_sealed": set(),
    "audit_times": {"INTEGER PRIMARY KEY"},
    "audit_texts": {"INTEGER PRIMARY KEY"},
    "audit_tile": {"sqlite_autoindex_audit_tile_1"},
    "audit_acts": {"audit_run"},
    "audit_entries_of_row": {"audit_contact", "INTEGER PRIMARY KEY"},
    "events_of_run": {"outbox_run"},
    "list_standing_events": {"outbox_run", "INTEGER PRIMARY KEY"},
    "tally_standing_events": {"outbox_run"},
    "list_events_of_contact": {"row_contact", "sqlite_autoindex_outbox_2"},
    "tally_events_of_contact": {"row_contact", "sqlite_autoindex_outbox_2"},
    "opt_outs": {"row_opt_out"},
    "slow_opt_outs": {"row_opt_out_took"},
    "count_opt_outs": {"row_opt_out"},
    "opt_out": {"INTEGER PRIMARY KEY"},
    "opt_outs_to_judge": {"row_opt_out_took"},
    "count_opt_outs_of_run": {"row_opt_out_took", "row_opt_out_partial"},
    "held_of_contact": {"row_contact"},
    "entries_of_row": {"audit_contact"},
    "acknowledgement_of": {"acknowledgement_row"},
    "add_acknowledgement": set(),
    "call_entries_of_run": {"audit_run", "INTEGER PRIMARY KEY"},
    "due_follow_ups": {"follow_up_due", "INTEGER PRIMARY KEY"},
    "next_follow_up": {"follow_up_due"},
    "is_waiting": {"INTEGER PRIMARY KEY"},
    "take_follow_up": {"INTEGER PRIMARY KEY"},
    "delay_follow_up": {"INTEGER PRIMARY KEY"},
    "settle_follow_up": {"INTEGER PRIMARY KEY"},
    "follow_up_facts": {"INTEGER PRIMARY KEY"},
    "add_follow_up": {"INTEGER PRIMARY KEY"},
    "left_sending": {"follow_up_open"},
    "left_behind": {"follow_up_open"},
    "unpark_follow_ups": {"follow_up_open"},
    "newest_open_run": {"row_standing", "follow_up_open"},
    "count_follow_ups": {"follow_up_run"},
    "records_lack": {"follow_up_run"},
    "lacking_records_of_row": {"sqlite_autoindex_follow_up_1", "follow_up_contact"},
    "follow_ups_of_person": {"follow_up_contact"},
    "entries_of_repeats": {"INTEGER PRIMARY KEY", "row_repeat", "audit_contact"},
}
"""The indexes that each statement is meant to use."""

STATUSES = ("pending", "deferred", "doubtful", "writing", "applied", "applied", "failed", "missing")
COUNTS = (
    "tallies",
    "standings",
    "latencies",
    "events_of_run",
    "events_of_all",
    "tally_standing_events",
    "count_opt_outs",
    "count_follow_ups",
)
"""What is counted over an index from one end to the other, and reads no row."""

INDEX = re.compile(r"USING (?:COVERING )?(?:INDEX )?((?:INTEGER )?PRIMARY KEY|\w+)")
TABLES = re.compile(r"\b(row|[roadnf]|audit|outbox|campaign|delivery|crm_endpoint|follow_up|e)\b")
ROWS = 6000
RUNS = 20
"""The first one has all the rows."""


def fill(db: Connection) -> None:
    """Fill the journal with rows of all kinds: one large campaign and some small ones."""
    db.execute("BEGIN")
    for number in range(1, RUNS + 1):
        db.execute(
            "INSERT INTO run (number, id, on_conflict, started_ms) VALUES (?, ?, 'newest', 0)",
            (number, f"run-{number}"),
        )
        db.execute(
            "INSERT INTO source (number, run, name, options, columns) VALUES (?, ?, 'a', '{}', '')",
            (number, number),
        )
    for number in range(1, ROWS + 1):
        status = STATUSES[number % len(STATUSES)]
        waits = status in {"pending", "deferred", "doubtful"} and number % 11
        campaign = "C0" if number % 3 else f"C{number % 40}"
        db.execute(
            "INSERT INTO row (id, run, source, line, cells, key, campaign, contact, outcome, agent,"
            " timestamp_ms, status, holds, counts, lane, due_ms, opt_out_received_ms)"
            " VALUES (?, 1, 1, ?, '[]', ?, ?, ?, 'SALE', 'A', ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                number,
                number.to_bytes(16, "big"),
                campaign,
                f"P{number // 2}",
                number,
                status,
                status in HOLDING,
                status in NEWER,
                number % 3,
                number if waits else None,
                number if number % 30 == 0 else None,
            ),
        )
        db.execute(
            "INSERT INTO audit (at_ms, run, row, campaign, contact, entry)"
            " VALUES (?, 1, ?, ?, ?, '{}')",
            (number, number, campaign, f"P{number // 2}"),
        )
        db.execute(
            "INSERT INTO outbox (event_id, endpoint, run, row, campaign, contact, body, state,"
            " due_ms, created_ms) VALUES (?, ?, 1, ?, ?, ?, '{}', ?, ?, 0)",
            (
                f"e{number}",
                "crm" if number % 4 else "billing",
                number,
                campaign,
                f"P{number // 2}",
                "waiting" if number % 5 == 0 else "delivered" if number % 7 else "dead",
                number if number % 5 == 0 else None,
            ),
        )
        db.execute(
            "INSERT INTO follow_up (run, row, campaign, contact, kind, target, told, state, due_ms,"
            " created_ms) VALUES (1, ?, ?, ?, ?, '301', '{}', ?, ?, 0)",
            (
                number,
                campaign,
                f"P{number // 2}",
                ("dnc_group", "tags", "callback")[number % 3],
                "waiting" if number % 5 == 0 else "sending" if number % 97 == 0 else "done",
                number if number % 10 == 0 else None,
            ),
        )
    db.executemany("INSERT INTO campaign (id) VALUES (?)", [(f"C{each}",) for each in range(40)])
    db.execute("COMMIT")


@pytest.fixture(scope="module", params=["without statistics", "after ANALYZE"])
def db(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "journal.db"
    SqliteJournal(path).close()
    with closing(connect(path, isolation_level=None)) as db:
        fill(db)
        if request.param == "after ANALYZE":
            db.execute("ANALYZE")
        yield db


def plan_of(db: Connection, name: str) -> list[str]:
    text = repeated(statement(name), 3)
    rows = re.findall(r"\(\?[^)]*\)", text)
    named = dict.fromkeys(re.findall(r":(\w+)", text), 1)
    asked = [1] * "".join(rows).count("?") if rows else named
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {text}", asked)]


@pytest.mark.parametrize("name", sorted(HOT))
def test_a_hot_statement_uses_its_index_and_scans_no_table(db: Connection, name: str) -> None:
    plan = plan_of(db, name)
    tables = [step for step in plan if TABLES.search(step)]
    assert all("SCAN" not in step for step in tables), plan
    used = {found for step in plan for found in INDEX.findall(step)}
    assert HOT[name] <= used, plan
    assert not {"AUTOMATIC", "row_run"} & (used - HOT[name]), plan


@pytest.mark.parametrize(
    "name",
    [
        "due_rows",
        "left_writing",
        "due_events",
        "release_next",
        "list_dead_events",
        "rows_of_run",
        "opt_outs",
        "runs",
        "list_events",
        *COUNTS,
    ],
)
def test_what_comes_in_an_order_is_not_sorted(db: Connection, name: str) -> None:
    assert not [step for step in plan_of(db, name) if "TEMP B-TREE" in step]


@pytest.mark.parametrize(
    ("name", "seeks"),
    [
        ("due_rows", r"row_due \(campaign=\? AND lane=\? AND due_ms<\?\)"),
        ("due_rows", r"row_contact \(campaign=\? AND contact=\? AND timestamp_ms>\?\)"),
        ("due_rows", r"row_contact \(campaign=\? AND contact=\?\)"),
        ("holder", r"row_holder \(key=\?\)"),
        ("left_writing", r"row_left \(status=\?\)"),
        ("due_events", r"outbox_due \(endpoint=\? AND due_ms<\?\)"),
        ("add_events", r"outbox_queue \(endpoint=\? AND campaign=\? AND contact=\?\)"),
        ("release_next", r"outbox_queue \(endpoint=\? AND campaign=\? AND contact=\?\)"),
        ("count_opt_outs_of_run", r"COVERING INDEX row_opt_out_took \(run=\?\)"),
        ("tallies", r"row_standing \(run=\?\)"),
        ("first_rows", r"COVERING INDEX row_standing \(run=\? AND status=\?\)"),
        ("slow_opt_outs", r"row_opt_out_took \(run=\? AND <expr>>\?\)"),
        ("opt_outs_to_judge", r"row_opt_out_took \(run=\? AND <expr>>\?\)"),
        ("list_events_of_contact", r"row_contact \(campaign=\? AND contact=\?\)"),
        ("list_standing_events", r"COVERING INDEX outbox_run \(run>\? AND run<\?\)"),
        (
            "hold_later",
            r"outbox_queue \(endpoint=\? AND campaign=\? AND contact=\? AND number>\?\)",
        ),
    ],
)
def test_a_seek_narrows_down_by_all_that_is_known(db: Connection, name: str, seeks: str) -> None:
    assert any(re.search(seeks, step) for step in plan_of(db, name)), plan_of(db, name)


@pytest.mark.parametrize("name", COUNTS)
def test_what_is_counted_is_counted_over_indexes_alone(db: Connection, name: str) -> None:
    steps = [step for step in plan_of(db, name) if re.match("SCAN|SEARCH", step)]
    covered = [
        re.search("USING COVERING INDEX|run_latency USING PRIMARY KEY", one) for one in steps
    ]
    assert all(covered), steps


def test_every_statement_can_be_prepared(db: Connection) -> None:
    assert statements()
    for name in statements():
        assert isinstance(plan_of(db, name), list)


def test_the_lists_of_statuses_in_sql_are_those_of_the_domain(db: Connection) -> None:
    made = [row[0] for row in db.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
    texts = " ".join([*made, *statements().values()])
    lists = [
        frozenset(re.findall(r"'(\w+)'", listed))
        for listed in re.findall(r"status IN \(\s*('[^)]*)\)", texts)
    ]
    known: set[frozenset[str]] = {frozenset(Status), OPEN, DUE, LANDED}
    assert set(lists) == known


def test_what_followed_from_the_status_before_it_had_columns_is_as_in_the_domain() -> None:
    sql = resources.files("aftercall.adapters.journal") / "sql" / "sqlite"
    step = (sql / "migrations" / "0009_standing.sql").read_text(encoding="utf-8")
    lists = {
        column: frozenset(re.findall(r"'(\w+)'", listed))
        for column, listed in re.findall(r"(\w+) = status IN \(([^)]*)\)", step)
    }
    assert lists == {"holds": HOLDING, "counts": NEWER}


def test_the_due_campaigns_are_found_by_one_seek_each(db: Connection) -> None:
    found = {row[0]: row[1] for row in db.execute(statement("due_campaigns"))}
    wanted = dict(
        db.execute(
            "SELECT campaign, min(due_ms) FROM row WHERE due_ms IS NOT NULL GROUP BY campaign"
        ).fetchall()
    )
    assert found == wanted
    assert len(found) > 10


def test_dead_letters_are_listed_without_a_look_at_the_others(db: Connection) -> None:
    (step,) = [step for step in plan_of(db, "list_dead_events") if "outbox" in step]
    assert step == "SCAN o USING INDEX outbox_dead"
