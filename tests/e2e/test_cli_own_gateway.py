"""A gateway of one's own, from its profile to its follow-ups, as an integration engineer goes.

It has nothing of what the built-in profiles have: a sign-in with a JSON object, the token deeper in
the answer, a contact within a list, POST, ids in place of codes, results of their own per item,
times since 1970, and follow-ups in its own words.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .rig import CANARY, Desk, Tenant, simulated

GREEN = """\
name = "green"

[[auth]]
style = "access_key_json"
url = "/id/session"
key_id_field = "user"
key_secret_field = "password"

[auth.answer]
access_token = "session.bearer"
expires_in = "session.lives"

[read]
url = "/v3/records/{contact}?list={campaign}"
envelope = ["payload.items.0"]
none_if_empty = ["payload.items"]

[read.fields]
state = "phase"
outcome = "disp.no"
agent = "disp.who"
timestamp = "disp.when"
notes = "memo"
custom_fields = "extras"

[write]
method = "POST"
url = "/v3/records/{contact}/dispositions?list={campaign}"
wrapper = "disposition"
success = [200]
if_match = false

[write.fields]
no = { from = "outcome", type = "integer" }
who = "agent"
memo = "notes"
when = { from = "timestamp", format = "epoch_milliseconds" }
extras = "custom_fields"

[write.failure]
items = "results"
flag = "accepted"
error = "problem"

[states]
wait = ["LIVE"]
allowed = ["PARKED"]

[codes]
source = "lookup"
lookup = "codes"
catalogue = "codes"

[[codes.categories]]
category = "opt_out"
text = "call"

[[codes.categories]]
category = "positive"
text = "."

[lookup.codes]
url = "/v3/codes"
items = "payload.items"
id = "no"
name = "label"
page = { size = 2, total = "payload.count" }

[errors]
words = ["problem.text"]

[follow_ups.tags]
url = "/v3/records/{contact}/labels"
fields = { label = "target" }
repeatable = true

[follow_ups.dnc_group]
url = "/v3/blocklists/{target}/numbers"
items = "numbers"
items_max = 100
fields = { n = { from = "custom_fields.phone", when_absent = "refuse" } }
repeatable = true
failure = { items = "results", flag = "accepted", error = "problem" }

[follow_ups.callback.fields]
record = "contact"
at = { from = "custom_fields.due", format = "epoch_seconds", when_absent = "refuse" }

[follow_ups.callback]
url = "/v3/callbacks"
success = [201]
"""
CONFIG = """\
[tenant]
profile = "green.toml"
base_url = "{url}"

[outcomes]
INTERESTED = "positive"
DO_NOT_CALL = "opt_out"
LATER = "callback"

[limits]
requests_per_second = 1000.0

[retry]
attempts_max = 5
wait_seconds_initial = 0.05
wait_seconds_max = 0.1

[follow_ups]
callbacks = ["callback"]
dnc_groups = { opt_out = "301" }
tags = { INTERESTED = ["17", "18"] }
"""
KEYS = {"CXONE_ACCESS_KEY_ID": "robot", "CXONE_ACCESS_KEY_SECRET": f"{CANARY}-password"}
HEADER = "campaign,contact,outcome,agent,timestamp,custom.phone,custom.due\n"
WHEN = "2026-01-02T03:04:05Z"
ROWS = (
    f"C1,p1,INTERESTED,a1,{WHEN},,\n"
    f"C1,p2,DO_NOT_CALL,a1,{WHEN},+12025550147,\n"
    f"C1,p3,LATER,a1,{WHEN},,2026-12-01T10:00:00Z\n"
    f"C1,p4,LATER,a1,{WHEN},,tomorrow\n"
)
NAMES = {"INTERESTED": 11, "DO_NOT_CALL": 15, "LATER": 13}


@pytest.fixture
def green(tmp_path: Path) -> Iterator[Tenant]:
    file, world = tmp_path / "green.toml", tmp_path / "world.json"
    file.write_text(GREEN, encoding="utf-8")
    listed = [
        {"id": number, "name": name.replace("_", " ").title(), "classification": 2}
        for name, number in (NAMES | {"NEVER_CALL_AGAIN": 16}).items()
    ]
    world.write_text(json.dumps({"open": True, "dispositions": listed}), encoding="utf-8")
    options = ("--profile", str(file), "--world", str(world), "--rate", "0")
    keys = ("--key-id", KEYS["CXONE_ACCESS_KEY_ID"], "--key-secret", f"{CANARY}-password")
    with simulated(*options, *keys) as one:
        yield one


@pytest.fixture
def office(green: Tenant, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, dict(KEYS))
    desk.write("aftercall.toml", CONFIG.replace("{url}", green.url))
    desk.write("calls.csv", HEADER + ROWS)
    return desk


def taken(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the follow-ups in the tenant's own book."""
    return [json.loads(line) for line in tenant.asked("follow-ups").splitlines()]


def test_the_check_shows_each_request_of_a_row_and_of_its_follow_ups(office: Desk) -> None:
    shown = office.run("profile", "check", "green.toml").stdout
    assert "GET /v3/records/CONTACT?list=CAMPAIGN\n" in shown
    assert '{"disposition":{"no":1001,"who":"AGENT","memo":"NOTES","when":1767323045000' in shown
    assert 'POST /v3/blocklists/TARGET/numbers\n    {"numbers":[{"n":"PHONE"}]}' in shown
    assert 'POST /v3/records/CONTACT/labels\n    {"label":"TARGET"}' in shown
    assert 'POST /v3/callbacks\n    {"record":"CONTACT","at":1767348000}' in shown


def test_the_check_shows_what_else_is_asked_for_and_what_is_not_sent(office: Desk) -> None:
    shown = office.run("profile", "check", "green.toml").stdout
    assert "  codes: GET /v3/codes?skip=0&top=2\n" in shown
    assert " of the custom fields are sent" not in shown
    file = office.path / "green.toml"
    some = 'due = { from = "custom_fields.due", format = "epoch_seconds" }'
    file.write_text(GREEN.replace('extras = "custom_fields"\n\n[write.f', f"{some}\n\n[write.f"))
    shown = office.run("profile", "check", "green.toml").stdout
    assert "custom    only due of the custom fields are sent\n" in shown
    static = '[codes]\nsource = "static"\nstatic = { SALE = "17" }\n\n[errors]'
    own = GREEN.partition("[codes]")[0] + static + GREEN.partition("[errors]")[2]
    file.write_text(own)
    assert '{"disposition":{"no":17,' in office.run("profile", "check", "green.toml").stdout


def test_without_a_list_of_all_outcomes_it_is_said_how_else(office: Desk) -> None:
    file = office.path / "green.toml"
    file.write_text(GREEN.replace('catalogue = "codes"\n', ""))
    pulled = office.run("outcomes", "pull")
    assert pulled.returncode == 1
    assert "fix: Name a list that has them all (one without key) as [codes] catalogue" in (
        pulled.stderr
    )
    config = office.path / "aftercall.toml"
    config.write_text(config.read_text().replace("[limits]", 'PURPLE = "positive"\n[limits]'))
    told = " ".join(office.run("check").stdout.split())
    assert "The tenant has none for: PURPLE" in told
    assert "fix: Give the id or name under [outcome_ids], or take them out" in told
    static = '[codes]\nsource = "static"\n\n[errors]'
    file.write_text(GREEN.partition("[codes]")[0] + static + GREEN.partition("[errors]")[2])
    assert "and their ids under [outcome_ids], by hand" in office.run("outcomes", "pull").stderr


def test_its_outcomes_are_pulled_by_their_own_names(office: Desk) -> None:
    looked = office.run("outcomes", "pull", "--dry-run")
    assert "would be added" in looked.stderr
    assert looked.stderr.endswith("next: aftercall outcomes pull\n")
    done = office.run("outcomes", "pull")
    assert done.returncode == 0
    assert "not at the tenant" not in done.stderr
    config = tomllib.loads((office.path / "aftercall.toml").read_text())
    assert config["outcomes"]["NEVER_CALL_AGAIN"] == "opt_out"
    assert config["outcomes"]["LATER"] == "callback", "a category that is there is never changed"
    names = {"NEVER_CALL_AGAIN": "16"} | {code: str(number) for code, number in NAMES.items()}
    assert config["outcome_ids"] == names


def test_why_no_outcome_could_be_made_of_a_disposition_is_told(office: Desk) -> None:
    file = office.path / "green.toml"
    file.write_text(GREEN.replace('text = "."', 'text = "sold"').replace('text = "call"', ""))
    done = office.run("outcomes", "pull")
    assert "Never Call Again (16) was not added: it has no classification, or none" in done.stderr
    bare = GREEN.replace("[[codes.categories]]", "[[unused]]")
    file.write_text("".join(bare.partition("[[unused]]")[0]) + "[lookup" + bare.split("[lookup")[1])
    done = office.run("outcomes", "pull")
    assert "the profile has no [[codes.categories]]" in done.stderr


def test_a_run_writes_and_follows_up_as_the_file_says(office: Desk, green: Tenant) -> None:
    done = office.run("sync", "calls.csv", "--quiet")
    assert done.returncode == 4
    assert Counter(change["after"]["outcomeCode"] for change in green.ledger) == {
        "11": 1, "15": 1, "13": 2
    }  # fmt: skip
    told = [(one["kind"], one.get("contact") or one["fields"]) for one in taken(green)]
    assert sorted(told, key=str) == sorted(
        [
            ("tag", "p1"),
            ("tag", "p1"),
            ("dnc", {"n": "+12025550147"}),
            ("callback", {"record": "p3", "at": 1796119200}),
        ],
        key=str,
    )
    listed = office.json("followups", "list", "--state", "impossible")
    (wrong,) = listed["follow_ups"]
    assert (wrong["contact"], wrong["reason"]) == ("p4", "wrong_type")
    assert "custom_fields.due as a time with a zone" in wrong["words"]


def test_a_rehearsal_shows_the_follow_ups_and_proves_them(office: Desk, green: Tenant) -> None:
    done = office.run("sync", "calls.csv", "--rehearse")
    assert done.returncode == 4
    assert "follow-ups  number  state" in done.stdout
    _, _, undone = done.stdout.partition("the first follow-ups that were not done\n")
    assert "callback  C1  p4  LATER  impossible: a value is of the wrong kind" in undone
    assert "follow-ups taken: " in done.stdout
    assert "callback 1 of 1" in done.stdout
    assert taken(green) == []
    told = json.loads(office.run("sync", "calls.csv", "--rehearse", "--json").stdout)
    assert told["follow_ups"]["tags"] == {"done": 2}
    assert told["proof"]["follow_ups_taken"] == {"tags": 2, "dnc_group": 1, "callback": 1}
    assert told["proof"]["holds"] is True


def test_no_callback_is_there_twice_whatever_goes_wrong(office: Desk) -> None:
    office.write(
        "many.csv",
        HEADER + "".join(f"C1,q{n},LATER,a1,{WHEN},,2026-12-01T10:00:00Z\n" for n in range(40)),
    )
    faults = ("--fault", "reset_after=0.5", "--fault", "error_after_commit=0.3", "--seed", "3")
    told = json.loads(office.run("sync", "many.csv", "--rehearse", *faults, "--json").stdout)
    states = told["follow_ups"]["callback"]
    assert states["unknown"] > 0
    assert told["proof"]["follow_ups_taken"]["callback"] >= states["done"]
    assert told["proof"]["holds"] is True
