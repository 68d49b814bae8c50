"""A profile that has contacts read in lists, at the command line: checked, planned, rehearsed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aftercall.adapters.profiles import read_profile
from aftercall.wiring.tenant_check import together_finding

from .rig import Desk, Tenant, simulated

LISTS = """
[read.bulk]
url = "/api/v1/outbound/contacts"
ids_in = "query_each"
ids = "id"
campaign = "campaign"
max = 40
items = "contacts"
id = "contactId"
etag = "version"
"""
PROMISE = "[read]\netag_covers_state = true\ngood_for_seconds = 30.0\n"
HELD = {"outcome": "INTERESTED", "timestamp": "2026-01-10T08:00:00.000Z", "agent": "a9"}


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    file, world = tmp_path / "lists.toml", tmp_path / "world.json"
    file.write_text(read_profile("outbound-v1").text + LISTS, encoding="utf-8")
    contacts = [{"campaign": "C1", "contact": "held", **HELD}]
    world.write_text(json.dumps({"open": True, "contacts": contacts}), encoding="utf-8")
    options = ("--profile", str(file), "--world", str(world), "--rate", "0")
    with simulated(*options) as one:
        yield one


@pytest.fixture
def office(tenant: Tenant, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.configure(tenant.url, rate=10, extra="")
    config = tmp_path / "aftercall.toml"
    config.write_text(
        config.read_text().replace("[tenant]\n", '[tenant]\nprofile = "lists.toml"\n')
    )
    lines = [f"C1,p{n},INTERESTED,a1,2026-01-02T03:04:05Z" for n in range(100)]
    lines += [f"C2,q{n},INTERESTED,a1,2026-01-02T03:04:05Z" for n in range(7)]
    desk.write("calls.csv", "\n".join(["campaign,contact,outcome,agent,timestamp", *lines, ""]))
    return desk


def change(office: Desk, old: str, new: str) -> None:
    file = office.path / "lists.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_plan_counts_lists_and_what_they_save(office: Desk) -> None:
    shown = office.run("plan", "calls.csv").stdout
    assert "Up to 15 contacts are read with one request." in shown
    assert "About 115 requests, in " in shown  # 107 writes, 7 lists of C1, 1 of C2
    told = office.json("plan", "calls.csv")
    assert {one["campaign"]: one["requests"] for one in told["campaigns"]} == {"C1": 107, "C2": 8}
    assert (told["requests"], told["contacts_per_read"]) == (115, 15)
    assert told["seconds"] == pytest.approx(107 / 9.5, rel=0.01)
    change(office, LISTS, "")
    alone = office.run("plan", "calls.csv").stdout
    assert "At most 214 requests, in " in alone
    assert "with one request" not in alone


def test_what_an_old_read_means_is_said_where_it_is_asked_for(office: Desk) -> None:
    change(office, "[read]\n", PROMISE)
    planned = office.run("plan", "calls.csv")
    assert "read 30 s before it is written, not 2 s: only the tenant's ETag" in planned.stderr
    assert "Up to 40 contacts are read with one request." in planned.stdout
    checked = office.run("profile", "check", "lists.toml").stdout
    assert "up to 40 contacts in one request; 40 at 10 requests a second" in checked
    assert "written over for 30 s, not for 2" in checked
    looked = office.run("check").stdout
    assert "a read is good for 30 s where the write depends on its ETag" in looked


def test_the_check_of_a_profile_shows_the_request_for_a_list(office: Desk) -> None:
    shown = office.run("profile", "check", "lists.toml").stdout
    assert "up to 40 contacts in one request; 15 at 10 requests a second" in shown
    assert "GET /api/v1/outbound/contacts?campaign=CAMPAIGN&id=CONTACT&id=1002\n" in shown
    assert "several at a time, or one by itself" in shown


def test_a_check_holds_a_list_against_a_read(office: Desk) -> None:
    looked = office.run("check", "--contact", "C1/held").stdout
    assert "A list tells the same of the contact." in looked
    change(office, 'etag = "version"\n', 'etag = "version"\nfields = { outcome = "nowhere" }\n')
    lied = office.run("check", "--contact", "C1/held")
    assert lied.returncode == 75
    assert "A list tells something else of the contact than reading it: outcome." in lied.stdout
    change(office, 'fields = { outcome = "nowhere" }', 'fields = { state = "nowhere" }')
    silent = office.run("check", "--contact", "C1/held").stdout
    assert "does not tell of the contact all that a write rests on" in silent
    change(office, 'items = "contacts"', 'items = "nobody"')
    assert "No list of contacts in the answer (200)." in office.run("check").stdout
    change(office, 'url = "/api/v1/outbound/contacts"\n', 'url = "/api/v1/outbound/nowhere"\n')
    refused = office.run("check").stdout
    assert "No list of contacts. The tenant answered 404" in refused


def test_a_run_whose_lists_were_of_no_use_says_so(office: Desk) -> None:
    change(office, 'items = "contacts"', 'items = "nobody"')
    ended = office.run("sync", "calls.csv", "--rate", "500", "--quiet")
    assert ended.returncode == 0
    assert "lists of contacts told nothing; contacts of that campaign" in ended.stderr
    assert "aftercall check --contact" in ended.stderr
    assert "warning" not in office.run("sync", "calls.csv").stderr


def test_without_a_contact_a_check_shows_that_lists_may_be_asked_for() -> None:
    found = together_finding(None, None)
    assert (found.level, found.words.partition(".")[0]) == ("ok", "Contacts may be read together")


def test_lists_are_rehearsed_with_all_that_can_be_wrong_with_them(office: Desk) -> None:
    faults = ("list_gaps", "list_short", "list_order", "list_twice", "list_strangers")
    chosen = [word for kind in (*faults, "list_blanks") for word in ("--fault", f"{kind}=0.3")]
    told = office.json("sync", "calls.csv", "--rehearse", *chosen, "--fault", "on_call=0.05")
    assert told["proof"]["holds"] is True
    assert told["statuses"]["applied"] == 107
