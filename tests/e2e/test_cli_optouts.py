"""Opt-outs from the row in a file to the list that a compliance officer reads."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from aftercall.adapters.journal.sqlite import SqliteJournal

from .rig import Desk, Tenant

TODAY = datetime.now(UTC)
NOTE = "canary7391 note"


def ago(days: float) -> str:
    return (TODAY - timedelta(days=days)).isoformat(timespec="seconds")


def row(contact: str, outcome: str = "DO_NOT_CALL", days: float = 1, agent: str = "a1") -> str:
    return f"C1,{contact},{outcome},{agent},{NOTE},{ago(days)}"


def refusing(tenant: Tenant, *contacts: str) -> None:
    """Let the tenant refuse whatever is written to some contacts."""
    known: list[dict[str, Any]] = [
        {"campaign": "C1", "contact": name, "refuse": {"status": 409, "message": "closed"}}
        for name in contacts
    ]
    tenant.asked("world", {"open": True, "contacts": known})


def standings(desk: Desk, *words: str) -> dict[str, str]:
    listed = desk.json("optouts", *words)["opt_outs"]
    return {one["contact"]: one["status"] for one in listed}


def every(desk: Desk) -> dict[str, str]:
    names = ("late", "overwritten", "near", "pending", "applied", "acknowledged")
    return standings(desk, *(word for name in names for word in ("--status", name)))


def test_the_report_says_what_did_not_land_and_the_list_until_when(
    office: Desk, tenant: Tenant
) -> None:
    refusing(tenant, "p2", "p3")
    office.rows("calls.csv", row("p1"), row("p2"), row("p3", days=40), row("p4", "INTERESTED"))
    done = office.run("sync", "calls.csv")
    assert done.returncode == 4
    assert "opt-outs: 1 of 3 landed, 2 did not" in done.stdout
    assert "aftercall optouts\n" in done.stdout
    assert office.json("show")["opt_outs"] == {
        "read": 3,
        "not_landed": 2,
        "late": 0,
        "partial": 0,
    }

    listed = office.run("optouts")
    assert listed.returncode == 4
    assert listed.stdout.startswith("3 opt-outs: 1 late, 1 pending, 1 applied\n")
    assert listed.stdout.index(" p3 ") < listed.stdout.index(" p2 ")
    assert "rejected: the tenant refused it (409)" in listed.stdout
    assert " p1 " not in listed.stdout
    assert "optouts acknowledge" in listed.stderr
    narrow = office.run("optouts", COLUMNS="80").stdout
    assert "row 3  C1  p3  late\n    received " in narrow
    assert "\n    rejected: the tenant refused it (409)\n" in narrow
    assert "…" not in narrow
    assert every(office) == {"p1": "applied", "p2": "pending", "p3": "late"}


def test_the_report_says_which_landed_late_until_somebody_says_why(office: Desk) -> None:
    office.rows("calls.csv", row("p1"), row("p2", days=40))
    done = office.run("sync", "calls.csv")
    assert done.returncode == 0
    assert "opt-outs: 2 of 2 landed; 1 after the deadline\n" in done.stdout
    command = "aftercall optouts --status late"
    assert f"see which opt-outs landed late, and record why:\n         {command}\n" in done.stdout
    assert office.json("show")["opt_outs"]["late"] == 1
    shown = office.run("show", "--journal", "aftercall.db", "--config", "none.toml")
    assert "; 1 after the deadline\n" in shown.stdout
    listed = office.run(*command.split()[1:])
    assert (listed.returncode, "  p2  " in listed.stdout) == (4, True)

    office.run("optouts", "acknowledge", "2", "--by", "Kim Doe", "--reason", "fed after the move")
    again = office.run("show").stdout
    assert "opt-outs: 2 of 2 landed\n" in again
    assert "landed late" not in again


def test_what_to_type_is_told_for_what_lacks_and_for_what_came_late(office: Desk) -> None:
    office.rows("calls.csv", row("p1", days=40), row("p2", days=39, agent=""))
    office.run("sync", "calls.csv")
    said = office.run("optouts").stderr
    corrected, late = said.index("feed a corrected opt-out"), said.index("what came late")
    assert corrected < said.index("optouts acknowledge 2 ") < late
    assert late < said.index("optouts acknowledge 1 ")


def test_the_configured_days_say_what_is_late(office: Desk) -> None:
    office.rows("calls.csv", row("p1", days=9))
    assert "; 1 after" not in office.run("sync", "calls.csv").stdout
    with (office.path / "aftercall.toml").open("a") as config:
        config.write("\n[opt_outs]\nbusiness_days = 1\n")
    assert "; 1 after the deadline" in office.run("show").stdout


def test_without_one_that_presses_the_code_is_0(office: Desk) -> None:
    office.rows("calls.csv", row("p1"), row("p2", "INTERESTED"))
    done = office.run("sync", "calls.csv")
    assert "opt-outs: 1 of 1 landed\n" in done.stdout
    assert "see which opt-outs" not in done.stdout
    listed = office.run("optouts")
    assert (listed.returncode, listed.stdout) == (0, "1 opt-out: 1 applied\n")


def test_a_corrected_row_resolves_what_was_invalid(office: Desk) -> None:
    office.rows("calls.csv", row("p1", agent=""), "C1,p2,do not call,a1,,yesterday")
    office.run("sync", "calls.csv")
    assert every(office) == {"p1": "pending", "p2": "pending"}
    office.rows("mended.csv", row("p1"), row("p2"))
    office.run("sync", "mended.csv")
    assert office.json("optouts", "--status", "applied")["counts"]["applied"] == 4
    assert office.run("optouts").returncode == 0


def test_an_opt_out_that_a_newer_outcome_replaced_is_seen(office: Desk) -> None:
    office.rows("calls.csv", row("p1", days=3), row("p1", "INTERESTED", days=2))
    office.run("sync", "calls.csv")
    office.rows("later.csv", row("p2", days=2))
    office.run("sync", "later.csv")
    office.rows("latest.csv", row("p2", "INTERESTED", days=1))
    office.run("sync", "latest.csv")
    listed = office.run("optouts")
    assert listed.returncode == 4
    assert "p1" in listed.stdout
    assert "was never applied: the newer INTERESTED" in listed.stdout
    assert "was applied, but the newer INTERESTED" in listed.stdout
    assert every(office) == {"p1": "overwritten", "p2": "overwritten"}


def test_it_is_acknowledged_by_name_and_reason_and_that_is_an_audit_entry(
    office: Desk, tenant: Tenant
) -> None:
    refusing(tenant, "p1")
    office.rows("calls.csv", row("p1", days=40))
    office.run("sync", "calls.csv")
    said = ("--by", "Kim Doe", "--reason", "number disconnected")
    journal = SqliteJournal(office.path / "aftercall.db")  # As a run that goes on has it.
    try:
        done = office.run("optouts", "acknowledge", "1", *said)
    finally:
        journal.close()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "row 1: acknowledged\n")
    assert office.run("optouts").returncode == 0
    (one,) = office.json("optouts", "--status", "acknowledged")["opt_outs"]
    assert one["acknowledged"]["by"] == "Kim Doe"
    assert one["acknowledged"]["reason"] == "number disconnected"
    again = office.run("optouts", "acknowledge", "1", *said)
    assert (again.returncode, again.stderr) == (0, "row 1: acknowledged already\n")

    back = office.run("optouts", "acknowledge", "1", "--withdraw", *said)
    assert (back.returncode, back.stderr) == (0, "row 1: withdrawn\n")
    assert office.run("optouts").returncode == 4
    entries = json.loads(office.run("audit", "export").stdout)
    assert [(one["kind"], one.get("by")) for one in entries] == [
        ("settled", None),
        ("opt_out_acknowledged", "Kim Doe"),
        ("opt_out_acknowledgement_withdrawn", "Kim Doe"),
    ]
    table = office.run("audit", "export", "--format", "csv").stdout
    assert "number disconnected" in table


def test_what_cannot_be_acknowledged_is_named_and_nothing_is_stored(
    office: Desk, tenant: Tenant
) -> None:
    refusing(tenant, "p2")
    office.rows("calls.csv", row("p1"), row("p2", days=40), row("p3", "INTERESTED"))
    office.run("sync", "calls.csv")
    said = ("--by", "Kim", "--reason", "why")
    for wrong, words in (("1", "was applied in time"), ("3", "is no opt-out"), ("9", "no opt-out")):
        done = office.run("optouts", "acknowledge", "2", wrong, *said)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"Row {wrong}" in done.stderr
        assert words in done.stderr
        assert "next: aftercall optouts" in done.stderr
    assert every(office)["p2"] == "late"
    unnamed = office.run("optouts", "acknowledge", "2", "--by", " ", "--reason", "x")
    assert unnamed.returncode == 2
    assert office.run("optouts", "acknowledge", "2").returncode == 2


def test_the_clock_starts_when_the_opt_out_was_received(office: Desk) -> None:
    text = (
        "campaign,contact,outcome,agent,timestamp,Opt-out received at\n"
        f"C1,p1,DO_NOT_CALL,a1,{ago(1)},{ago(40)}\n"
        f"C1,p2,DO_NOT_CALL,a1,{ago(1)},\n"
        f"C1,p3,INTERESTED,a1,{ago(1)},{ago(1)}\n"
        f"C1,p4,DO_NOT_CALL,a1,{ago(1)},2026-01-01T10:00:00\n"
        f"C1,p5,DO_NOT_CALL,a1,{ago(1)},0001-01-01T00:00:00Z\n"
    )
    (office.path / "calls.csv").write_text(text, encoding="utf-8")
    done = office.run("sync", "calls.csv")
    assert "an opt-out was received, but the outcome is none" in done.stdout
    rows = office.json("show", "--status", "invalid")["rows"]
    assert [one["reason"] for one in rows] == ["not_an_opt_out", "naive_timestamp"]
    assert every(office) == {"p1": "late", "p2": "applied", "p4": "late", "p5": "late"}
    (naive,) = office.json("optouts", "--contact", "p4")["opt_outs"]
    # Without a zone it is the earliest time that it can mean: that of the easternmost zone.
    assert naive["received"] == "2025-12-31T20:00:00.000Z"
    (late,) = office.json("optouts", "--contact", "p1")["opt_outs"]
    assert (late["contact"], late["in_time"]) == ("p1", False)
    # West of Greenwich the first hours of the calendar are no time.
    listed = office.run("optouts", "--until", "9999-12-31")
    assert listed.returncode == 4
    assert "0001-01-01 00:00" in listed.stdout
    far = office.run(
        "optouts", "--since", "0001-01-01", AFTERCALL__OPT_OUTS__TIME_ZONE="Asia/Tokyo"
    )
    assert far.returncode == 4


def test_days_and_limits_are_configured(office: Desk, tenant: Tenant) -> None:
    refusing(tenant, "p1")
    office.configure(tenant.url, extra="[opt_outs]\nbusiness_days = 2\nnear_days = 2\n")
    office.rows("calls.csv", row("p1", days=0.01))
    office.run("sync", "calls.csv")
    assert every(office) == {"p1": "near"}
    days, near = "AFTERCALL__OPT_OUTS__BUSINESS_DAYS", "AFTERCALL__OPT_OUTS__NEAR_DAYS"
    office.environment |= {days: "9", near: "0"}
    assert office.run("optouts").returncode == 0
    wrong = office.run("optouts", AFTERCALL__OPT_OUTS__TIME_ZONE="Mars/Base")
    assert wrong.returncode == 78
    assert "AFTERCALL__OPT_OUTS__TIME_ZONE" in wrong.stderr
    assert "is not the name of a time zone" in wrong.stderr


def test_they_are_filtered_and_counted(office: Desk, tenant: Tenant) -> None:
    refusing(tenant, *(f"p{each}" for each in range(8)))
    office.rows("calls.csv", *(row(f"p{each}", days=each * 10) for each in range(8)))
    office.run("sync", "calls.csv")
    found = office.run("optouts", "--limit", "2")
    assert "2 of 8 opt-outs: --limit N for more." in found.stderr
    assert standings(office, "--contact", "p3", "--campaign", "C1") == {"p3": "late"}
    assert standings(office, "--campaign", "C2") == {}
    assert set(standings(office, "--since", ago(35)[:10])) == {"p0", "p1", "p2", "p3"}
    assert set(standings(office, "--until", ago(45)[:10])) == {"p5", "p6", "p7"}
    wrong = office.run("optouts", "--since", "soon")
    assert (wrong.returncode, "--since" in wrong.stderr) == (2, True)


def test_without_a_journal_it_says_so_and_makes_none(office: Desk) -> None:
    for words in ((), ("acknowledge", "1", "--by", "Kim", "--reason", "why")):
        done = office.run("optouts", *words)
        assert done.returncode == 1
        assert "There is no journal" in done.stderr
    assert not (office.path / "aftercall.db").exists()


def test_acknowledgements_are_sealed_with_the_trail(office: Desk, tenant: Tenant) -> None:
    refusing(tenant, "p1")
    office.run("audit", "keygen")
    office.rows("calls.csv", f"C1,p1,DO_NOT_CALL,a1,,{ago(40)}")
    office.run("sync", "calls.csv")
    office.run("optouts", "acknowledge", "1", "--by", "Kim", "--reason", "disconnected")
    office.run("audit", "seal")
    assert office.run("audit", "verify").returncode == 0
    assert "opt_out_acknowledged" in office.run("audit", "prove", "1", "--disclose").stdout


def test_the_holidays_are_not_loaded_before_they_are_needed() -> None:
    program = (
        "import sys; from aftercall.interfaces.cli import main, runs;"
        "main.main(['optouts', '--help']); print('holidays' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\nFalse\n")
