"""The commands that read the journal, and what they show of what was in the input."""

import csv
import io
import json
import subprocess

import pytest

from aftercall.interfaces.cli.audit import COLUMNS, flattened

from .rig import CANARY, COMMAND, Desk, plain_rows


@pytest.fixture
def desk_with_run(office: Desk) -> Desk:
    """A directory in whose journal one run stands."""
    office.rows(
        "calls.csv",
        *plain_rows(3),
        "C1,=cmd|' /C calc'!A0,NOPE,a1,,2026-01-02T03:04:05Z",
        f"C1,red[/red][bold],INTERESTED,a1,{CANARY},2026-01-02T03:04:05Z",
        "C2,[bold]p9,INTERESTED,a1,,2026-01-02T03:04:05Z",
    )
    office.run("sync", "calls.csv")
    return office


def test_runs(desk_with_run: Desk):
    done = desk_with_run.run("runs")
    head, row = done.stdout.splitlines()
    assert head.split() == ["run", "started", "(UTC)", "state", "read", "successful", "failed",
                            "open", "input"]  # fmt: skip
    assert row.split()[3:] == ["finished", "6", "5", "1", "0", "calls.csv"]
    [line] = desk_with_run.json("runs")["runs"]
    assert line["read"] == 6
    assert line["sources"] == ["calls.csv"]
    narrow = desk_with_run.run("runs", COLUMNS="80").stdout.splitlines()
    assert max(map(len, narrow)) <= 80
    assert narrow[2] == "    calls.csv"


def test_a_list_of_runs_is_bounded(desk_with_run: Desk):
    desk_with_run.run("sync", "calls.csv")
    done = desk_with_run.run("runs", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "and 1 older run: --limit 2\n"


def test_show_is_the_report_and_with_a_status_the_rows(desk_with_run: Desk):
    report = desk_with_run.run("show")
    assert "read 6 = applied 5 + invalid 1  ok" in report.stdout
    document = desk_with_run.json("show")
    assert document["statuses"] == {"applied": 5, "invalid": 1}
    rows = desk_with_run.run("show", "--status", "invalid")
    assert rows.stdout.splitlines()[0].startswith("calls.csv:5  C1  =cmd|' /C calc'!A0  NOPE")
    assert "fix: " in rows.stdout
    listed = desk_with_run.json("show", document["run"], "--status", "invalid")
    assert listed["total"] == 1
    assert listed["rows"][0]["line"] == 5
    assert "notes" not in listed["rows"][0]
    assert "cells" not in listed["rows"][0]
    few = desk_with_run.run("show", "--status", "applied", "--limit", "1")
    assert "1 of 5 rows" in few.stderr
    none = desk_with_run.run("show", "--status", "failed")
    assert none.stdout == ""
    assert "has no row that is failed" in none.stderr


def test_nothing_of_the_input_reaches_the_terminal_as_a_command(desk_with_run: Desk):
    shown = desk_with_run.run("show", "--status", "applied", "--status", "invalid").stdout
    assert "\x1b" not in shown
    assert "[bold]p9" in shown
    assert "red[/red][bold]" in shown
    name = "call\x1b]0;title\x07s[bold].csv"
    desk_with_run.rows(name, *plain_rows(1, "C3"))
    for words in (["sync", name], ["plan", name], ["runs"], ["sync", f"no{name}"]):
        done = desk_with_run.run(*words)
        assert "\x1b" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr
    assert "s[bold].csv" in desk_with_run.run("runs").stdout


def test_export_writes_the_files_again(desk_with_run: Desk):
    done = desk_with_run.run("export", "--results", "out/put")
    paths = [desk_with_run.path / line for line in done.stdout.splitlines()]
    assert [path.name[21:] for path in paths] == ["success.csv", "failed.csv"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in paths)


def test_audit_export_in_three_formats(desk_with_run: Desk):
    entries = json.loads(desk_with_run.run("audit", "export").stdout)
    assert len(entries) == 6
    for entry in entries:
        assert entry.keys() >= {
            "timestamp", "contact_id", "campaign_id", "outcome_code", "agent_id", "status",
            "latency_ms",
        }  # fmt: skip
    lines = desk_with_run.run("audit", "export", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == entries
    text = desk_with_run.run("audit", "export", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["contact_id"] for row in rows][:2] == ["p0", "p1"] or len(rows) == 6
    assert {row["contact_id"] for row in rows} >= {"'=cmd|' /C calc'!A0"}
    applied = [row for row in rows if row["status"] == "applied"]
    assert all(row["before.state"] == "READY" for row in applied)
    assert all(row["after.outcome_code"] == "INTERESTED" for row in applied)


def test_every_field_of_an_entry_has_a_column(desk_with_run: Desk):
    entries = json.loads(desk_with_run.run("audit", "export").stdout)
    names = {name for entry in entries for name in flattened(entry)}
    names |= {name for entry in entries for name in entry} - {
        "before",
        "after",
        "call_record",
        "commitments",
    }
    assert names <= set(COLUMNS)


def test_audit_export_chooses(desk_with_run: Desk):
    def exported(*words):
        return json.loads(desk_with_run.run("audit", "export", *words).stdout)

    run = desk_with_run.json("runs")["runs"][0]
    today = run["started"][:10]
    assert len(exported("--campaign", "C2")) == 1
    assert len(exported("--contact", "p1")) == 1
    assert len(exported("--run", run["run"], "--campaign", "C1")) == 5
    assert len(exported("--from", today, "--to", today)) == 6
    assert exported("--to", "2020-01-01") == []
    assert len(exported("--from", run["started"], "--to", "2999-01-01")) == 6
    unknown = desk_with_run.run("audit", "export", "--run", "none")
    assert unknown.returncode == 1
    assert unknown.stdout == ""


def test_audit_export_into_a_file(desk_with_run: Desk):
    done = desk_with_run.run("audit", "export", "--out", "audit.json")
    assert done.stdout == ""
    assert done.stderr == "audit.json: 6 entries\n"
    file = desk_with_run.path / "audit.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(file.read_bytes())) == 6
    lost = desk_with_run.run("audit", "export", "--out", "none/audit.json")
    assert lost.returncode == 1
    assert "error: none/audit.json cannot be written" in lost.stderr
    assert [one.name for one in desk_with_run.path.glob(".*")] == []


def test_what_turns_text_around_is_shown_in_no_output(office: Desk):
    odd = "p\u202e9\x9b\u20661.csv"
    office.rows(odd, "C1,p1,NOPE,a1,,2026-01-02T03:04:05Z", *plain_rows(1))
    office.run("sync", odd)
    for words in (
        ["audit", "export"],
        ["audit", "export", "--format", "jsonl"],
        ["audit", "export", "--format", "csv"],
        ["show", "--status", "invalid"],
        ["show", "--status", "invalid", "--json"],
        ["runs"],
        ["runs", "--json"],
    ):
        shown = office.run(*words).stdout
        assert shown
        assert not {"\u202e", "\x9b", "\u2066"} & set(shown)
    entries = json.loads(office.run("audit", "export").stdout)
    assert {entry["source"] for entry in entries} == {odd}
    assert "p 9  1.csv" in office.run("audit", "export", "--format", "csv").stdout
    assert office.json("show", "--status", "invalid")["rows"][0]["source"] == odd


def test_crm_list(desk_with_run: Desk):
    done = desk_with_run.run("crm", "list", "--limit", "1")
    assert "delivered, 1 attempt: status 204" in done.stdout
    assert done.stderr == "1 of 5 events: --limit N for more.\n"
    document = desk_with_run.json("crm", "list", "--status", "delivered")
    assert document["total"] == 5
    assert {event["state"] for event in document["events"]} == {"delivered"}
    assert desk_with_run.json("crm", "list", "--status", "dead")["events"] == []


@pytest.mark.parametrize("words", ["audit export", "show --status applied", "show", "runs --json"])
def test_a_reader_that_leaves_early_is_no_error(desk_with_run: Desk, words):
    with desk_with_run.begin(*words.split()) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_a_full_disk_behind_stdout_is_told(desk_with_run: Desk):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [COMMAND, "runs", "--json"],
            cwd=desk_with_run.path,
            env=desk_with_run.variables(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"error: No space left on device\n"


def test_colour_only_where_it_is_wanted(desk_with_run: Desk):
    coloured = desk_with_run.run("show", FORCE_COLOR="1")
    assert "\x1b[32mapplied" in coloured.stdout
    plain = desk_with_run.run("show", FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[32m" not in plain.stdout
    assert "\x1b" not in desk_with_run.run("show").stdout


def test_no_secret_and_no_note_in_any_file_but_the_input_and_the_results(desk_with_run: Desk):
    for words in (
        ["show"],
        ["runs"],
        ["crm", "list"],
        ["crm", "test"],
        ["crm", "replay", "--status", "delivered", "--limit", "1"],
        ["audit", "export"],
        ["check"],
        ["plan", "calls.csv"],
    ):
        desk_with_run.run(*words)  # which looks for the canary itself
    for file in desk_with_run.path.rglob("*"):
        if file.is_file() and file.suffix == ".toml":
            assert CANARY not in file.read_text(encoding="utf-8")
    database = b"".join(file.read_bytes() for file in desk_with_run.path.glob("aftercall.db*"))
    assert b"client-secret" not in database
