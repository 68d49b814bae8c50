"""`sync`, `resume`, `retry` and `plan` through the installed command."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from .rig import CANARY, COMMAND, Desk, Tenant, plain_rows, simulated, unread, until

MIXED = (
    *plain_rows(20),
    "C1,p0,INTERESTED,a1,,2026-01-02T03:04:05Z",
    "C1,p1,UNKNOWN_CODE,a1,,2026-01-02T03:04:05Z",
    "C1,p2,INTERESTED,a1,,2026-01-02 03:04:05",
)


def test_a_run_reports_on_stdout_and_tells_its_progress_on_stderr(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *MIXED)
    done = office.run("sync", "calls.csv")
    assert done.returncode == 4
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Run 20")
    assert lines[2] == "read 23 = applied 20 + duplicate 1 + invalid 2  ok"
    assert "a time has no zone" in done.stdout
    assert "delivered 20, under way 0, dead 0" in done.stdout
    assert "-failed.csv" in lines[-3]
    assert len(tenant.ledger) == 20
    assert all(line == line.rstrip() for line in lines)


def test_the_json_document_is_all_that_is_on_stdout(office: Desk):
    office.rows("calls.csv", *MIXED)
    done = office.run("sync", "calls.csv", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 4
    assert document["total_processed"] == 23
    assert document["successful"] == 21
    assert document["failed"] == 2
    assert document["accuracy_rate_percent"] == pytest.approx(91.3)
    assert document["average_latency_ms"] > 0
    assert document["reconciles"] is True
    assert document["error"] is None
    assert set(document["files"]) == {"success", "failed"}
    with (office.path / document["files"]["failed"]).open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_the_failed_file_can_be_corrected_and_fed_back(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *MIXED)
    failed = office.path / office.json("sync", "calls.csv")["files"]["failed"]
    text = failed.read_text(encoding="utf-8")
    failed.write_text(text.replace(",UNKNOWN_CODE,", ",DO_NOT_CALL,"), encoding="utf-8")
    document = office.json("sync", failed.name)
    assert document["statuses"] == {"applied": 1, "invalid": 1}
    assert len(tenant.ledger) == 21


def test_the_same_file_again_changes_nothing(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *plain_rows(5))
    assert office.run("sync", "calls.csv").returncode == 0
    document = office.json("sync", "calls.csv", "--no-results")
    assert document["statuses"] == {"duplicate": 5}
    assert document["files"] == {}
    assert len(tenant.ledger) == 5


def test_standard_input_and_columns_by_flag(office: Desk, tenant: Tenant):
    given = b"Lead;Result\np1;INTERESTED\np2;\n"
    done = office.run(
        "sync", "-", "--map", "contact=Lead", "--map", "outcome=Result", "--set", "campaign=C9",
        "--set", "agent=dialer", "--default", "outcome=NOT_INTERESTED", "--json", given=given,
    )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["by_outcome"].keys() == {"INTERESTED", "NOT_INTERESTED"}
    assert {entry["campaign"] for entry in tenant.ledger} == {"C9"}


def test_a_column_that_is_missing_is_named(office: Desk):
    (office.path / "calls.csv").write_text("campaign,contact,agent,Result\nC1,p1,a1,INTERESTED\n")
    done = office.run("sync", "calls.csv")
    assert done.returncode == 2
    assert "--map outcome=COLUMN" in done.stderr


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "here is no file calls.csv"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.touch(), "is empty"),
    ],
)
def test_an_input_that_cannot_be_used_sends_nothing(office: Desk, tenant: Tenant, make, told):
    make(office.path / "calls.csv")
    done = office.run("sync", "calls.csv")
    assert done.returncode == 2
    assert done.stdout == ""
    assert told in done.stderr
    assert office.run("runs").stdout == ""


def test_errors_are_in_the_json_document_too(office: Desk):
    done = office.run("sync", "none.csv", "--json")
    document = json.loads(done.stdout)
    assert document["exit_code"] == done.returncode == 2
    assert "none.csv" in document["error"]["message"]


def test_secrets_that_are_not_set_are_all_named(office: Desk):
    office.rows("calls.csv", *plain_rows(1))
    office.environment = {"CXONE_CLIENT_ID": "", "CXONE_CLIENT_SECRET": ""}
    done = office.run("sync", "calls.csv")
    assert done.returncode == 78
    assert "CXONE_CLIENT_ID" in done.stderr
    assert "CXONE_CLIENT_SECRET" in done.stderr


def test_refused_credentials_pause_and_fail_no_row(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *plain_rows(1))
    done = office.run("sync", "calls.csv", CXONE_CLIENT_SECRET=f"{CANARY}-wrong")
    assert done.returncode == 75
    assert done.stderr.startswith("error: The tenant refused the client credentials")
    assert done.stderr.endswith("next: aftercall check\n")
    assert tenant.ledger == []


def test_plain_lines_where_there_is_no_terminal(desk: Desk):
    desk.rows("calls.csv", *plain_rows(30))
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url, rate=20)
        done = desk.run("sync", "calls.csv")
        quiet = desk.run("sync", "calls.csv", "--quiet")
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) <= 3
    assert all(line.startswith(("writing: ", "telling ")) for line in lines)
    assert "of 30; applied" in lines[0]
    assert "\x1b" not in done.stderr + done.stdout
    assert quiet.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_drains_and_resume_goes_on(desk: Desk, number):
    desk.rows("calls.csv", *plain_rows(40))
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url, rate=20)
        process = desk.begin("sync", "calls.csv", "--rate", "10", "--set", "agent=b7")
        until(lambda: len(tenant.ledger) >= 3)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "stopping after what is under way" in err
        assert "pending" in out
        run = out.split()[1]
        assert err.endswith(f"next: aftercall resume {run} --set agent=b7 --rate 10\n")
        assert f"aftercall resume {run}" in out
        changes = len(tenant.ledger)
        assert changes < 40
        document = desk.json("resume", run, "--rate", "1000", "--set", "agent=b7")
        assert document["exit_code"] == 0
        assert document["statuses"] == {"applied": 40}
        assert len(tenant.ledger) == 40
        assert tenant.stats["repeats"] == 0


def test_a_second_signal_ends_at_once_and_loses_nothing(desk: Desk):
    desk.rows("calls.csv", *plain_rows(40))
    with simulated("--rate", "0", "--latency-ms", "3000") as tenant:
        desk.configure(tenant.url, rate=20)
        process = desk.begin("sync", "calls.csv")
        until(lambda: tenant.stats["tokens_issued"])
        until(lambda: tenant.stats["in_flight_peak"] >= 5)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any("stopping" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        process.wait(2)
        said = process.stderr.read()
        assert said.endswith("stopped at once; nothing is lost: aftercall resume\n")
        assert process.returncode == 130
        process.communicate()
    with simulated("--rate", "0") as again:
        desk.configure(again.url)
        assert desk.json("resume")["statuses"] == {"applied": 40}


def test_a_stop_while_signing_in_leaves_no_run(desk: Desk):
    desk.rows("calls.csv", *plain_rows(1))
    with simulated("--fault", "token_slow=1", "--slow-seconds", "20") as tenant:
        desk.configure(tenant.url)
        process = desk.begin("sync", "calls.csv")
        until(lambda: tenant.stats["faults"].get("token_slow"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert out == ""
    assert "stopped before anything was read or sent" in err
    assert desk.run("runs").stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_a_pipe_has_not_given_a_line_yet(office: Desk, tenant: Tenant, number):
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [COMMAND, "sync", "-"],
        cwd=office.path,
        env=office.variables(),
        stdin=reading,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Once the beginning of a line is taken out of the pipe, the rest of it is waited for.
    os.write(writing, b"camp")
    until(lambda: unread(reading) == 0)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    os.close(reading)
    os.close(writing)
    assert process.returncode == 130
    assert out == ""
    assert "stopped: The run was stopped before anything was read or sent." in err
    assert "Fatal" not in err
    assert tenant.stats["tokens_issued"] == 0
    assert office.run("runs").stdout == ""


def test_standard_input_that_is_closed_is_told(office: Desk):
    words = ["sh", "-c", 'exec "$0" sync - <&-', str(COMMAND)]
    done = subprocess.run(
        words, cwd=office.path, env=office.variables(), capture_output=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: Standard input is closed")
    assert b"cat calls.csv | aftercall" in done.stderr


def test_results_that_cannot_be_written_are_told_before_anything_is_sent(
    office: Desk, tenant: Tenant
):
    office.rows("calls.csv", *plain_rows(1))
    for directory in ("calls.csv", "calls.csv/below", "/proc/none"):
        done = office.run("sync", "calls.csv", "--results", directory)
        assert done.returncode == 2
        assert "--results" in done.stderr
        assert f"cannot be written to {directory}" in done.stderr
    office.configure(tenant.url, extra='[results]\ndirectory = "calls.csv"\n')
    done = office.run("sync", "calls.csv")
    assert done.returncode == 78
    assert "results.directory" in done.stderr
    assert tenant.stats["tokens_issued"] == 0
    assert not (office.path / "aftercall.db").exists()
    assert office.run("sync", "calls.csv", "--no-results").returncode == 0


def test_names_that_are_no_text(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *plain_rows(1)).rename(office.path / "caf\udce9.csv")
    for command in ("sync", "plan"):
        done = office.run(command, "caf\udce9.csv")
        assert done.returncode == 2
        assert "its name is no UTF-8" in done.stderr
        assert "fix: Rename it." in done.stderr
    office.rows("calls.csv", *plain_rows(1))
    document = office.json("sync", "calls.csv", "--results", "r\udce9sults")
    assert document["files"]["success"].startswith("r\udce9sults/")
    assert office.run("export", "--results", "r\udce9sults").returncode == 0
    erased = office.run("audit", "erase", "--contact", "p0", "--reason", "ticket 12", "--yes")
    assert "1 result file written anew" in erased.stderr
    assert len(tenant.ledger) == 1


def test_a_long_pause_is_told(desk: Desk):
    desk.rows("calls.csv", *plain_rows(2), *plain_rows(1, "C2"))
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url)
        process = desk.begin("sync", "calls.csv", "--json", "--rate", "2")
        until(lambda: len(tenant.ledger) >= 1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    with closing(sqlite3.connect(desk.path / "aftercall.db")) as db:
        until_us = int(time.time() + 3 * 86_400) * 1_000_000
        db.execute("UPDATE campaign SET paused_until_us = ?", (until_us,))
        db.commit()
    when = datetime.fromtimestamp(until_us // 1_000_000, UTC)
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url)
        document = desk.json("resume")
        assert document["exit_code"] == 75
        [(campaign, told)] = document["paused"].items()
        assert told == f"{when:%Y-%m-%dT%H:%M:%SZ}"
        line = f"paused {campaign} until {when:%Y-%m-%d %H:%M} UTC: the tenant asked to slow down"
        assert line in desk.run("resume").stdout
        assert line in desk.run("show").stdout
        assert desk.json("show")["paused"] == document["paused"]


def test_a_plan_that_is_ended_leaves_no_copy_of_the_journal(office: Desk, tmp_path):
    office.rows("calls.csv", *plain_rows(200_000))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    office.environment["TMPDIR"] = str(temporary)
    process = office.begin("plan", "calls.csv")
    until(lambda: list(temporary.glob("aftercall-plan-*/*")))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert list(temporary.glob("aftercall-plan-*")) == []


def test_retry_tries_what_failed_again(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *plain_rows(2))
    tenant.asked("faults", {"error_before": 1.0, "fault_limit": 0})
    first = office.json("sync", "calls.csv")
    assert first["statuses"] == {"failed": 2}
    assert first["exit_code"] == 4
    tenant.asked("faults", {})
    report = office.run("show", first["run"])
    assert f"aftercall retry {first['run']}" in report.stdout
    again = office.json("retry", first["run"])
    assert again["statuses"] == {"applied": 2}
    assert again["exit_code"] == 0
    assert not list(office.path.glob("*-failed.csv"))
    none = office.run("retry", first["run"])
    assert "Nothing was tried again: no row of the run is failed. --status" in none.stderr


def test_resume_and_retry_of_an_unknown_run(office: Desk):
    office.rows("calls.csv", *plain_rows(1))
    office.run("sync", "calls.csv")
    for command in ("resume", "retry", "show", "export"):
        done = office.run(command, "20200101-000000-abcd")
        assert done.returncode == 1
        assert "There is no run 20200101-000000-abcd" in done.stderr
        assert done.stderr.endswith("next: aftercall runs\n")


def test_plan_sends_nothing_and_stores_nothing(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *MIXED, "C1,p9,DO_NOT_CALL,a1,,2026-01-03T03:04:05Z")
    done = office.run("plan", "calls.csv", "--rate", "10")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "read 24 = to write 20 + duplicate 1 + superseded 1 + invalid 2"
    assert "1 opt-out would be written first." in done.stdout
    assert "calls.csv:23" in done.stdout
    assert "Nothing was sent and nothing was stored." in done.stderr
    assert done.stderr.endswith("next: aftercall sync calls.csv --rate 10\n")
    document = office.json("plan", "calls.csv")
    assert document["counts"]["to write"] == 20
    assert document["campaigns"][0]["campaign"] == "C1"
    assert tenant.stats["tokens_issued"] == 0
    assert not (office.path / "aftercall.db").exists()


def test_a_journal_in_use_is_left_alone(desk: Desk):
    desk.rows("calls.csv", *plain_rows(300))
    desk.rows("more.csv", *plain_rows(1, "C2"))
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url, rate=10)
        process = desk.begin("sync", "calls.csv")
        until(lambda: len(tenant.ledger) >= 1)
        busy = desk.run("sync", "more.csv")
        assert busy.returncode == 75
        assert f"process {process.pid}" in busy.stderr
        assert "running" in desk.run("runs").stdout
        assert desk.json("runs")["runs"][0]["state"] == "running"
        assert desk.json("show")["state"] == "running"
        assert "goes on" in desk.run("show").stdout
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert desk.json("runs")["runs"][0]["state"] == "paused"


def test_check_says_what_is_in_order_and_mends_what_is_not(office: Desk, tenant: Tenant):
    office.run("audit", "keygen")
    good = office.run("check")
    assert good.returncode == 0
    assert [line.split()[0] for line in good.stdout.splitlines()] == ["ok"] * 10
    assert good.stderr.endswith("next: aftercall plan calls.csv\n")
    probed = office.run("check", "--contact", "C1/p1")
    assert "ETag" in probed.stdout
    bad = office.run("check", CXONE_CLIENT_SECRET="wrong")
    assert bad.returncode == 75
    assert "FAIL  sign in" in bad.stdout
    assert "fix: Check CXONE_CLIENT_ID" in bad.stdout
    office.configure("http://127.0.0.1:9")
    assert "cannot be reached" in office.run("check").stdout
    assert tenant.ledger == []


def test_a_signal_stops_the_reading_of_a_long_input(desk: Desk):
    lines = plain_rows(120_000)
    desk.rows("calls.csv", *lines)
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url)
        process = desk.begin("sync", "calls.csv", "--json")
        until(lambda: "running" in desk.run("runs").stdout)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=20)
        document = json.loads(out)
        assert process.returncode == document["exit_code"] == 130
        assert 0 < document["read"] < len(lines)
        assert document["reconciles"] is True
        assert document["error"]["next"] == f"aftercall resume {document['run']}"
        assert tenant.ledger == []


def test_a_run_goes_on_when_nobody_reads_what_it_tells(desk: Desk):
    desk.rows("calls.csv", *plain_rows(60))
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url, rate=25)
        process = desk.begin("sync", "calls.csv", "--json")
        assert process.stderr is not None
        process.stderr.close()
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["statuses"] == {"applied": 60}
        assert process.wait(10) == 0
        process.stdout.close()


@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "1>&- 2>&-"])
def test_a_stream_that_is_closed_from_the_start_is_no_error(office: Desk, tenant: Tenant, closed):
    office.rows("calls.csv", *plain_rows(2))
    words = ["sh", "-c", f'exec "$0" "$@" {closed}', str(COMMAND), "sync", "calls.csv"]
    done = subprocess.run(
        words, cwd=office.path, env=office.variables(), capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert len(tenant.ledger) == 2


def test_a_column_that_is_no_field_is_named(office: Desk):
    header = "campaign,contact,outcome,agent,Timestampp,custom.score\n"
    (office.path / "calls.csv").write_text(header + "C1,p1,INTERESTED,a1,2026-01-02,7\n")
    planned = office.run("plan", "calls.csv")
    assert "note: calls.csv: not used: Timestampp." in planned.stderr
    done = office.run("sync", "calls.csv")
    assert "note: calls.csv: not used: Timestampp." in done.stderr
    assert done.returncode == 0
