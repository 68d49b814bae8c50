"""Call records from columns to the audit trail, and what they lack."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from .rig import CANARY, Desk, Tenant

NUMBER = "+13125550123"
FULL = {
    "telemarketer": "Acme Calls LLC",
    "seller": "Sunny Solar Inc.",
    "good_or_service": "rooftop panels",
    "consumer_type": "individual",
    "call_direction": "outbound",
    "prerecorded_message": "no",
    "calling_number": "+1 202 555 0100",
    "called_number": "+1 (312) 555-0123",
    "call_started_at": "2026-01-02T03:02:00Z",
    "call_duration_seconds": "0:02:05",
    "script_used": "solar-v7",
    "caller_id_number": "+12025550100",
    "caller_id_authorization": "contract 12",
    "call_disposition": "answered",
}


def written(desk: Desk, name: str, *rows: dict[str, str]) -> str:
    """Write a file with a row for each contact and whatever is known of its call."""
    out = io.StringIO()
    columns = dict.fromkeys(
        column for row in rows for column in ("campaign", "contact", "outcome", "agent", *row)
    )
    table = csv.DictWriter(out, [*columns, "timestamp"])
    table.writeheader()
    for row in rows:
        fixed = {"campaign": "C1", "outcome": "INTERESTED", "agent": "a1"}
        table.writerow({**fixed, "timestamp": "2026-01-02T03:04:05Z", **row})
    (desk.path / name).write_text(out.getvalue(), encoding="utf-8")
    return name


def trail(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(desk.run("audit", "export").stdout)
    return found


def test_what_is_known_of_a_call_is_in_its_entry_and_what_is_personal_is_not(
    office: Desk,
) -> None:
    file = written(office, "calls.csv", {"contact": "p1", **FULL, "customer_name": CANARY})
    done = office.run("sync", file)
    assert done.returncode == 0
    assert "not used" not in done.stderr
    (entry,) = trail(office)
    personal = {"calling_number", "called_number"}
    assert entry["call_record"] == {
        **{name: FULL[name] for name in FULL if name not in personal},
        "prerecorded_message": False,
        "call_started_at": "2026-01-02T03:02:00.000Z",
        "call_duration_seconds": 125,
    }
    assert set(entry["commitments"]) == {*personal, "customer_name"}
    table = office.run("audit", "export", "--format", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["call_record.seller"] == "Sunny Solar Inc."
    assert len(row["commitments.called_number"]) == 64
    assert NUMBER not in table + json.dumps(entry)


def test_a_complete_record_has_no_gap(office: Desk) -> None:
    office.run("sync", written(office, "calls.csv", {"contact": "p1", **FULL}))
    done = office.run("audit", "gaps")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "1 call: 1 with a complete record, 0 without\n"


def test_gaps_are_counted_by_field_and_campaign_and_listed(office: Desk, tenant: Tenant) -> None:
    lacking = {name: cell for name, cell in FULL.items() if name != "seller"}
    office.run(
        "sync",
        written(
            office,
            "calls.csv",
            {"contact": "p1", **FULL},
            {"contact": "p2", **lacking},
            {"contact": "p3", **lacking, "called_number": ""},
            {"contact": "p4", **lacking, "campaign": "C2"},
            {"contact": "p5", **FULL, "agent": ""},
        ),
    )
    done = office.run("audit", "gaps")
    assert done.returncode == 4
    assert done.stdout.startswith("4 calls: 1 with a complete record, 3 without\n")
    assert "16 CFR 310.5(a)(2)(ii)" in done.stdout
    table = [line.split() for line in done.stdout.splitlines()[3:5]]
    assert table[0][-5:] == ["3", "C1", "2,", "C2", "1"]
    assert table[1][-3:] == ["1", "C1", "1"]
    narrow = office.run("audit", "gaps", COLUMNS="80").stdout
    assert "row 3  calls.csv:4  C1  p3\n    lacks all of these\n" in narrow
    assert "row 2  calls.csv:3  C1  p2\n    lacks seller\n" in narrow
    assert "next: aftercall sync" in done.stderr
    told = office.json("audit", "gaps")
    assert told["missing"] == [
        {"field": "seller", "item": "(ii)", "campaign": "C1", "calls": 2},
        {"field": "seller", "item": "(ii)", "campaign": "C2", "calls": 1},
        {"field": "called_number", "item": "(vii)", "campaign": "C1", "calls": 1},
    ]
    # In the order in which they were settled, which is not that of the file.
    assert {one["row"]: one["missing"] for one in told["entries"]} == {
        2: ["seller"],
        3: ["seller", "called_number"],
        4: ["seller"],
    }
    assert office.json("audit", "gaps", "--campaign", "C2")["calls"] == 1
    assert office.json("audit", "gaps", "--contact", "p1")["exit_code"] == 0
    assert office.json("audit", "gaps", "--to", "2020-01-01")["calls"] == 0
    assert len(office.json("audit", "gaps", "--limit", "1")["entries"]) == 1
    assert office.run("audit", "gaps", "--run", "none").returncode == 1
    assert len(tenant.ledger) == 4


def test_the_same_rows_fed_again_with_the_columns_close_the_gap(
    office: Desk, tenant: Tenant
) -> None:
    office.run("sync", written(office, "calls.csv", {"contact": "p1"}, {"contact": "p2"}))
    assert office.json("audit", "gaps")["complete"] == 0
    part = {name: FULL[name] for name in FULL if name != "seller"}
    again = written(office, "again.csv", {"contact": "p1", **part}, {"contact": "p2", **part})
    office.run("sync", again, "--set", "seller=Sunny Solar Inc.")
    told = office.json("audit", "gaps")
    assert (told["calls"], told["complete"], told["exit_code"]) == (2, 2, 0)
    assert len(tenant.ledger) == 2


def test_columns_are_mapped_and_what_is_wrong_in_them_is_told(office: Desk) -> None:
    row = {"contact": "p1", "Dialled": NUMBER, "Talk time": "about a minute"}
    file = written(office, "calls.csv", row, {"contact": "p2", "Dialled": "555 0123"})
    columns = ("--map", "called_number=Dialled", "--map", "call_duration_seconds=Talk time")
    done = office.run("sync", file, *columns)
    assert done.returncode == 4
    rows = office.json("show", "--status", "invalid")["rows"]
    assert [one["reason"] for one in rows] == ["bad_duration", "bad_number"]
    assert "PT2M5S" in rows[0]["hint"]
    assert "+12025550123" in rows[1]["hint"]
    assert "the duration of the call is none" in done.stdout
    assert "a telephone number has no international form" in done.stdout


def test_an_opt_out_is_applied_whatever_its_call_record_says(office: Desk, tenant: Tenant) -> None:
    wrong = {**FULL, "contact": "p1", "outcome": "DO_NOT_CALL", "call_duration_seconds": "a while"}
    file = written(office, "calls.csv", wrong)
    planned = office.run("plan", file).stdout
    assert "Of 1 opt-out a part of the call record is wrong; it would be left out." in planned
    done = office.run("sync", file)
    assert (done.returncode, len(tenant.ledger)) == (0, 1)
    assert "1 of 1 landed; 1 after the deadline; of 1 a part of the call record" in done.stdout
    assert "aftercall audit gaps --run" in done.stdout
    (row,) = office.json("show", "--status", "applied")["rows"]
    assert row["message"] == "The call_duration_seconds is not a duration of a call."
    assert "PT2M5S" in row["hint"]
    (gap,) = office.json("audit", "gaps")["entries"]
    assert gap["missing"] == ["call_duration_seconds"]
    office.run("sync", written(office, "calls.csv", {**wrong, "call_duration_seconds": "125"}))
    assert office.json("audit", "gaps")["complete"] == 1
    assert len(tenant.ledger) == 1


def test_an_opt_out_in_a_broken_line_is_recognised(office: Desk) -> None:
    header = "campaign,contact,outcome,agent\n"
    text = f"{header}C1,p1,DO_NOT_CALL,a1,too,many\nC1,p2,INTERESTED,a1,too\nC1,p3,DO_NOT_CALL\n"
    Path(office.path / "calls.csv").write_text(text, encoding="utf-8")
    office.run("sync", "calls.csv")
    listed = office.json("optouts")["opt_outs"]
    assert [(one["line"], one["outcome"], one["row_status"]) for one in listed] == [
        (2, "DO_NOT_CALL", "invalid"),
        (4, "DO_NOT_CALL", "invalid"),
    ]
    assert "calls.csv:2" in office.run("optouts").stdout


def test_erasing_a_person_takes_the_numbers_out_and_leaves_proof_and_record(
    office: Desk,
) -> None:
    office.run("audit", "keygen")
    office.run("sync", written(office, "calls.csv", {"contact": "p1", **FULL}))
    office.run("audit", "seal")
    assert office.run("audit", "verify").returncode == 0
    proof = json.loads(office.run("audit", "prove", "1", "--disclose").stdout)
    assert NUMBER in json.dumps(proof)

    assert NUMBER.encode() in (office.path / "aftercall.db").read_bytes()
    erased = office.run("audit", "erase", "--contact", "p1", "--reason", "asked for", "--yes")
    assert erased.returncode == 0
    for file in office.path.glob("aftercall.db*"):
        assert NUMBER.encode() not in file.read_bytes()
    assert office.run("audit", "verify").returncode == 0
    assert office.json("audit", "gaps")["complete"] == 1
