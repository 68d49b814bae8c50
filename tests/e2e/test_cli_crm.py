"""The commands about the CRM, typed as a user would type them."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from .rig import SECRETS, Desk, Tenant, plain_rows, simulated, until

HEAVY = {"crm_error": 1, "fault_limit": 0}


def broken_for(desk: Desk, tenant: Tenant, rows: int = 8, **faults: object) -> str:
    """Write rows to the tenant while the CRM fails; return the run's id."""
    tenant.asked("faults", faults or HEAVY)
    desk.rows("calls.csv", *plain_rows(rows))
    report = desk.json("sync", "calls.csv", "--no-results")
    tenant.asked("faults", {})
    return str(report["run"])


def make_due(desk: Desk) -> None:
    """Let the waits of all events be over, as if hours had passed."""
    with closing(sqlite3.connect(desk.path / "aftercall.db", isolation_level=None)) as db:
        db.execute("UPDATE outbox SET due_ms = 1 WHERE due_ms IS NOT NULL")


def kill_letters(desk: Desk) -> None:
    """Let all waiting events be dead, as if days had passed."""
    with closing(sqlite3.connect(desk.path / "aftercall.db", isolation_level=None)) as db:
        db.execute("UPDATE outbox SET state = 'dead', due_ms = NULL WHERE state = 'waiting'")


def ids(desk: Desk, *words: str) -> list[str]:
    return [event["event_id"] for event in desk.json("crm", "list", *words)["events"]]


def test_sync_returns_and_says_what_is_under_way_and_how_to_go_on(office: Desk, tenant: Tenant):
    tenant.asked("faults", HEAVY)
    office.rows("calls.csv", *plain_rows(8))
    done = office.run("sync", "calls.csv", "--no-results", "-q")
    assert done.returncode == 0
    assert "crm    delivered 0, under way 8, dead 0" in done.stdout
    assert "aftercall crm deliver" in done.stdout

    tenant.asked("faults", {})
    make_due(office)
    told = office.run("crm", "deliver")
    assert (told.returncode, told.stdout) == (0, "crm  delivered 8 now, under way 0, dead 0\n")
    assert tenant.stats["requests"]["PATCH"] == {"204": 8}
    assert tenant.stats["crm"]["distinct"] == 8
    assert tenant.stats["crm"]["bad_signatures"] == 0


def test_sync_waits_for_the_crm_if_it_is_asked_to(office: Desk, tenant: Tenant):
    tenant.asked("faults", {"crm_error": 1, "fault_limit": 1})
    office.rows("calls.csv", *plain_rows(2))
    report = office.json("sync", "calls.csv", "--no-results", "--wait-crm")
    assert (report["crm"], report["exit_code"]) == ({"delivered": 2}, 0)
    # The next attempt is after five seconds, which are no work on the rows.
    assert report["crm_wait_seconds"] > 4 > report["elapsed_seconds"]
    assert office.json("show")["elapsed_seconds"] == report["elapsed_seconds"]
    assert office.json("show")["crm_wait_seconds"] is None
    assert tenant.stats["crm"]["by_status"] == {"500": 2, "204": 2}


def test_what_is_not_delivered_yet_is_resumable(office: Desk, tenant: Tenant):
    broken_for(office, tenant)
    tenant.asked("faults", HEAVY)
    make_due(office)
    done = office.run("crm", "deliver")
    assert (done.returncode, done.stdout) == (75, "crm  delivered 0 now, under way 8, dead 0\n")
    assert done.stderr == "next: aftercall crm deliver --wait\n"
    assert office.json("crm", "deliver")["exit_code"] == 75


def test_waiting_is_stopped_by_a_signal_and_loses_nothing(office: Desk, tenant: Tenant):
    broken_for(office, tenant)
    tenant.asked("faults", HEAVY)
    before = tenant.stats["crm"]["by_status"]["500"]
    make_due(office)
    with office.begin("crm", "deliver", "--wait") as process:
        until(lambda: tenant.stats["crm"]["by_status"]["500"] > before)
        process.terminate()
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == "crm  delivered 0 now, under way 8, dead 0\n"
    assert "stopped: Stopped; what was not delivered waits." in err
    assert err.endswith("next: aftercall crm deliver\n")


def test_every_attempt_is_shown(office: Desk, tenant: Tenant):
    broken_for(office, tenant, 1)
    make_due(office)
    office.run("crm", "deliver")
    (event,) = ids(office)
    shown = office.run("crm", "show", event)
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert lines[0] == f"{event}  for crm"
    assert "delivered, 2 attempts: status 204" in lines[2]
    assert "status 500" in lines[-2]
    assert '{"error":"internal_error","message":"something broke"}' in lines[-2]
    assert "status 204" in lines[-1]
    document = office.json("crm", "show", event)
    assert [one["status"] for one in document["attempts"]] == [500, 204]
    assert "body" not in document
    body = json.loads(office.json("crm", "show", event, "--body")["body"])
    assert body["data"]["contact_id"] == "p0"
    assert office.run("crm", "show", "msg_none").returncode == 1


def test_dead_letters_are_listed_and_sent_again(office: Desk, tenant: Tenant):
    run = broken_for(office, tenant, 3)
    kill_letters(office)
    dead = ids(office, "--status", "dead", "--run", run)
    events = office.json("crm", "list")["events"]
    of_one = ids(office, "--contact", events[0]["contact"])
    assert of_one == [one["event_id"] for one in events if one["contact"] == events[0]["contact"]]
    assert ids(office, "--contact", "nobody") == []
    assert len(dead) == 3
    before = tenant.stats["crm"]["received"]
    told = office.run("crm", "list", "--endpoint", "crm")
    assert told.stderr == "next: aftercall crm replay --dry-run\n"
    dry = office.run("crm", "replay", "--dry-run")
    assert (dry.returncode, dry.stdout.count("msg_")) == (0, 3)
    assert dry.stderr == "3 events would be sent again.\n"
    assert tenant.stats["crm"]["received"] == before

    one = office.run("crm", "replay", dead[0])
    assert one.stdout == "crm  delivered 1 now, under way 0, dead 2\n"
    assert office.json("crm", "replay", "--limit", "1")["replayed"] == 1
    rest = office.run("crm", "replay", "--since", "2026-01-01", "--endpoint", "crm")
    assert (rest.returncode, rest.stderr) == (0, "1 of 1 event will be sent again.\n")
    assert ids(office, "--status", "dead") == []
    assert tenant.stats["crm"]["distinct"] == 3
    assert office.run("crm", "replay").stderr == "There are no such events.\n"


def test_delivered_ones_are_sent_again_only_if_that_is_meant(office: Desk, tenant: Tenant):
    office.rows("calls.csv", *plain_rows(3))
    run = office.json("sync", "calls.csv", "--no-results")["run"]
    refused = office.run("crm", "replay", "--status", "delivered")
    assert refused.returncode == 2
    assert "add --run, --since, --until or --limit" in refused.stderr
    under_way = office.run("crm", "replay", "--status", "waiting")
    assert (under_way.returncode, "crm enable" in under_way.stderr) == (2, True)
    offered = office.run("crm", "replay", "--help").stdout
    assert "[delivered|dead]" in offered
    assert "waiting" not in offered
    assert office.run("crm", "replay", "msg_1", "--run", run).returncode == 2
    assert office.json("crm", "replay", "--status", "delivered", "--run", run)["replayed"] == 3
    assert (tenant.stats["crm"]["received"], tenant.stats["crm"]["distinct"]) == (6, 3)


def test_a_listing_is_narrowed_down(office: Desk, tenant: Tenant):
    broken_for(office, tenant, 3)
    assert len(ids(office, "--status", "waiting", "--endpoint", "crm")) == 3
    assert ids(office, "--endpoint", "billing") == []
    assert ids(office, "--until", "2026-01-01") == []
    assert len(ids(office, "--since", "2026-01-01")) == 3
    assert office.run("crm", "list", "--since", "yesterday").returncode == 2
    assert office.run("crm", "list", "--run", "none").returncode == 1


def test_410_disables_an_endpoint_until_it_is_enabled(office: Desk, tenant: Tenant):
    tenant.asked("faults", {"crm_gone": 1})
    office.rows("calls.csv", *plain_rows(3))
    done = office.run("sync", "calls.csv", "--no-results", "-q")
    assert "aftercall crm enable crm" in done.stdout
    tenant.asked("faults", {})
    still = office.run("crm", "deliver")
    assert still.returncode == 75
    assert "The endpoint crm is not called since" in still.stderr
    assert still.stderr.endswith("next: aftercall crm enable crm\n")
    assert office.json("crm", "list")["disabled"] == ["crm"]
    listed = office.run("crm", "list")
    assert listed.stdout.count("held until the endpoint is enabled") == 3
    assert listed.stderr.endswith("next: aftercall crm enable crm\n")
    misspelt = office.run("crm", "list", "--endpoint", "crn").stderr
    assert misspelt.endswith("those that had some: crm.\n")
    enabled = office.run("crm", "enable", "crm")
    assert enabled.stderr.startswith("The endpoint crm is called again; 3 events wait for it, ")
    assert office.json("crm", "deliver")["endpoints"] == {
        "crm": {"taken": 3, "waiting": 0, "dead": 0}
    }
    assert office.run("crm", "enable", "nobody").returncode == 78


def test_a_test_event_says_whether_the_crm_takes_it(office: Desk, tenant: Tenant):
    done = office.run("crm", "test")
    assert done.returncode == 0
    assert done.stdout.startswith("ok    crm (127.0.0.1:")
    assert "204 in" in done.stdout
    (taken,) = [json.loads(line) for line in tenant.asked("crm").splitlines()]
    assert taken["body"]["type"] == "endpoint.test"
    assert not (office.path / "aftercall.db").exists()

    refused = office.run("crm", "test", AFTERCALL_CRM_SECRET="quite-another-one")
    assert refused.returncode == 4
    assert "401 in" in refused.stdout
    assert "fix: Is the secret here one that the CRM knows?" in refused.stdout
    assert office.run("crm", "test", "--endpoint", "nobody").returncode == 78


def test_a_secret_is_rotated_step_by_step(office: Desk, tenant: Tenant):
    made = office.run("crm", "rotate-secret")
    new = made.stdout.strip()
    assert len(base64.b64decode(new.removeprefix("whsec_"), validate=True)) == 32
    assert new not in made.stderr
    assert "AFTERCALL_CRM_SECRET in the environment" in made.stderr
    assert "aftercall crm test --endpoint crm" in made.stderr
    assert all(new.encode() not in file.read_bytes() for file in office.path.iterdir())
    # Both: the CRM that only knows the old one takes it, and one that only knows the new one.
    both = f"{new} {SECRETS['AFTERCALL_CRM_SECRET']}"
    assert office.run("crm", "test", AFTERCALL_CRM_SECRET=both).returncode == 0
    with simulated("--crm-secret", new) as other:
        office.configure(other.url)
        assert office.run("crm", "test", AFTERCALL_CRM_SECRET=both).returncode == 0
        assert office.run("crm", "test").returncode == 4
    again = office.run("crm", "rotate-secret", AFTERCALL_CRM_SECRET=both)
    assert "2 secrets are in use: an earlier rotation was not finished" in again.stderr
    first = office.run("crm", "rotate-secret", AFTERCALL_CRM_SECRET="")
    assert first.returncode == 0
    assert "1. Give it to the CRM.\n" in first.stderr
    (office.path / "secret").write_text(new)
    named = office.json("crm", "rotate-secret")
    assert (named["variable"], named["in_use"], named["file"]) == ("AFTERCALL_CRM_SECRET", 1, None)


TWO = """
[crm.endpoints.billing]
url = "{url}/crm/billing"
categories = ["opt_out"]
signing_env = "BILLING_KEYS"
"""


def test_an_endpoint_has_a_table_and_a_secret_of_its_own(desk: Desk, tenant: Tenant):
    desk.configure(tenant.url, extra=TWO.format(url=tenant.url))
    lacking = desk.run("crm", "test")
    assert lacking.returncode == 78
    assert "BILLING_KEYS is not set" in lacking.stderr
    desk.environment["BILLING_KEYS"] = SECRETS["AFTERCALL_CRM_SECRET"]
    assert desk.run("crm", "test").stdout.count("ok  ") == 2
    assert desk.run("check").stdout.count("answers.") == 2
    asked = desk.run("crm", "rotate-secret")
    assert asked.returncode == 78
    assert "Name the one whose secret is to change: crm, billing." in asked.stderr
    billing = desk.run("crm", "rotate-secret", "billing").stderr
    assert "BILLING_KEYS in the environment" in billing
    assert "is also the secret of" not in billing
    third = TWO.replace("billing", "third")
    desk.configure(tenant.url, extra=(TWO + third).format(url=tenant.url))
    named = desk.run("crm", "rotate-secret", "billing")
    desk.configure(tenant.url, extra=TWO.format(url=tenant.url))
    assert "BILLING_KEYS is also the secret of third: each must take it." in named.stderr
    desk.rows("calls.csv", "C1,a,DO_NOT_CALL,a1,,", "C1,b,INTERESTED,a1,,")
    desk.run("sync", "calls.csv", "--no-results")
    assert {e["contact"] for e in desk.json("crm", "list", "--endpoint", "billing")["events"]} == {
        "a"
    }
    assert len(ids(desk, "--endpoint", "crm")) == 2


def test_events_of_an_endpoint_that_was_renamed_are_told_of(desk: Desk, tenant: Tenant):
    desk.environment["BILLING_KEYS"] = SECRETS["AFTERCALL_CRM_SECRET"]
    desk.configure(tenant.url, extra=TWO.format(url=tenant.url))
    tenant.asked("faults", {"crm_error": 1})
    desk.rows("calls.csv", "C1,a,DO_NOT_CALL,a1,,")
    desk.run("sync", "calls.csv", "--no-results")
    desk.configure(tenant.url, extra=TWO.format(url=tenant.url).replace("billing]", "books]"))
    tenant.asked("faults", {})
    done = desk.run("crm", "deliver", "--wait")
    assert "warning: 1 event for the endpoint billing not delivered" in done.stderr
    assert "fix: Give it back its table" in done.stderr
    assert desk.json("crm", "deliver")["not_configured"] == {"billing": 1}
    enabled = desk.run("crm", "enable", "billing")
    assert "The configuration does not have it" in enabled.stderr
    assert "next:" not in enabled.stderr
    desk.configure(tenant.url, extra=TWO.format(url=tenant.url))
    assert desk.json("crm", "deliver")["endpoints"]["billing"]["taken"] == 1


def test_without_a_crm_there_is_nothing_to_do(desk: Desk, tenant: Tenant):
    desk.configure(tenant.url)
    file = desk.path / "aftercall.toml"
    file.write_text(file.read_text().partition("[crm]")[0])
    for words in ("deliver", "test", "rotate-secret"):
        done = desk.run("crm", words)
        assert done.returncode == 78
        assert done.stderr.startswith("error: No CRM is configured.")


@contextmanager
def at_work(office: Desk) -> Iterator[None]:
    """Have another process work on the journal: a run whose contact is on a call."""
    with office.begin("sync", "more.csv", "--no-results", "-q") as process:
        try:
            until((office.path / "aftercall.db.lock").exists)
            until(lambda: office.json("runs")["total"] == 2)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.mark.parametrize("words", [["replay"], ["enable", "crm"]])
def test_while_a_run_goes_on_it_is_the_run_that_delivers(office: Desk, tenant: Tenant, words):
    broken_for(office, tenant, 2)
    if words == ["replay"]:
        kill_letters(office)
    busy = {"campaign": "C9", "contact": "busy", "state": "CONNECTED"}
    tenant.asked("world", {"contacts": [busy]})
    office.rows("more.csv", "C9,busy,INTERESTED,a1,,")
    with at_work(office):
        refused = office.run("crm", "deliver")
        assert refused.returncode == 75
        done = office.run("crm", *words)
        assert done.returncode == 0
        assert "The process that works on the journal delivers them." in done.stderr
        until(lambda: tenant.stats["crm"]["distinct"] == 2)
