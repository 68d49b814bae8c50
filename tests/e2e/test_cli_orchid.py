"""A second gateway of one's own: a profile from the documentation, and a server of no kin."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from .orchid import CLIENT, KEY, Orchid, orchid
from .rig import Desk

PROFILE = """\
name = "orchid"
version = "3"

[headers]
X-Gateway-Key-Id = "outbound-7"

[[auth]]
style = "password"
url = "/id/v2/token"
client_auth = "basic"
scope = "people.read people.write"
extra = { audience = "dialer" }
renew_early_seconds = 1

[auth.answer]
access_token = "result.session.token"
expires_in = "result.session.valid"
refresh_token = "result.session.again"
scope = "result.session.rights"

[auth.refresh]
url = "/id/v2/again"

[auth.refresh.answer]
access_token = "token"
expires_in = "valid"

[read]
url = "/gw/v{version}/people/{contact}?campaign={campaign}"
envelope = ["data.person"]
empty_is_absent = true
state_id = "phase"
etag = "rev"
fields = {}

[read.told]
desk = "desk.id"

[readback]
url = "/gw/v{version}/people/{contact}/last"
version = "2"
envelope = ["data.last"]
none = [404]
none_if_empty = ["data"]
fields = { outcome = "code", notes = "memo", timestamp = "at" }

[states]
lookup = "phases"
wait = ["Calling", "Talking"]
allowed = ["Parked", "Done"]
closed = ["Archived"]
closed_words = "Archived: the gateway takes nothing for it any more."

[write]
method = "PUT"
url = "/gw/v{version}/people/{contact}/outcome"
version = "4.1"
body = "form"
success = [200, 202]
idempotency_header = "Idempotency-Key"
dropped = ["custom_fields"]

[write.fields]
code = { from = "outcome", type = "integer" }
desk = { from = ["told.desk", "custom_fields.desk"], type = "integer", when_absent = "refuse" }
memo = { from = "notes", characters_max = 40, too_long = "cut", when_absent = "empty" }
at = { from = "timestamp", format = "epoch_seconds" }
worker = "agent"
channel = { value = "bulk" }
callback = { from = "custom_fields.callback_time", format = "epoch_milliseconds" }

[write.failure]
items = "results"
flag = "taken"
error = "why.text"

[codes]
source = "lookup"
lookup = "desk_codes"

[lookup.phases]
url = "/gw/v{version}/phases"
items = "data.phases"
id = "id"
name = "label"

[lookup.desk_codes]
url = "/gw/v{version}/desks/{key}/codes"
key = ["told.desk", "custom_fields.desk"]
items = "data.codes"
id = "no"
name = "label"
active = "usable"
page = { skip = "from", top = "count", size = 2, total = "data.all" }

[errors]
words = ["trouble.text"]

[[errors.rules]]
on = "write"
status = [409]
text = "desk is closed"
means = "wait"
wait_seconds = 0.2
reason = "desk_closed"

[[errors.rules]]
on = "write"
status = [200, 202]
text = "not allowed"
means = "permanent"
reason = "orchid_no"
fix = "Ask Orchid."

[[errors.rules]]
status = [420]
means = "throttled"

[pace]
requests_per_second_max = 200.0
retry_after_header = "X-Calm-Down"
"""
CONFIG = """\
[tenant]
profile = "orchid.toml"
base_url = "{url}"

[outcomes]
INTERESTED = "positive"
NOT_INTERESTED = "negative"
CALL_BACK = "callback"
DO_NOT_CALL = "opt_out"

[limits]
requests_per_second = 1000.0

[retry]
wait_seconds_initial = 0.05
wait_seconds_max = 0.1
"""
SECRETS = {
    "CXONE_CLIENT_ID": CLIENT[0],
    "CXONE_CLIENT_SECRET": CLIENT[1],
    "CXONE_ACCESS_KEY_ID": KEY[0],
    "CXONE_ACCESS_KEY_SECRET": KEY[1],
}
HEADER = "campaign,contact,outcome,agent,timestamp,notes,custom.callback_time,custom.score\n"
LONG = "a note that is quite long and goes on well over forty characters"
AT = 1_767_323_045
WRITTEN = (
    "p1",
    "d80-1",
    "d80-2",
    "talking",
    "changed",
    "hurried",
    "closed",
    "half",
    "lost",
    "back",
)
PLAIN = (
    *("gone", "archived", "talking", "newer", "changed", "hurried", "closed"),
    *("never", "half", "lost"),
)
"""Each behaves as it is called."""
ROWS = dict.fromkeys(PLAIN, ("INTERESTED", "", "", "")) | {
    "p1": ("INTERESTED", LONG, "", "7"),
    "d80-1": ("DO_NOT_CALL", "", "", ""),
    "d80-2": ("INTERESTED", "", "", ""),
    "back": ("CALL_BACK", "", "2026-12-01T10:00:00Z", ""),
    "d80-3": ("CALL_BACK", "", "", ""),
    "tomorrow": ("INTERESTED", "", "tomorrow", ""),
}


@pytest.fixture
def gateway() -> Iterator[Orchid]:
    with orchid() as one:
        yield one


@pytest.fixture
def office(gateway: Orchid, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, dict(SECRETS))
    desk.write("orchid.toml", PROFILE)
    desk.write("aftercall.toml", CONFIG.replace("{url}", gateway.url))
    lines = [
        f"C1,{name},{outcome},a1,2026-01-02T03:04:05Z,{notes},{due},{score}\n"
        for name, (outcome, notes, due, score) in ROWS.items()
    ]
    desk.write("calls.csv", HEADER + "".join(lines))
    return desk


def test_a_run_writes_what_can_be_written_and_says_why_the_rest_was_not(
    office: Desk, gateway: Orchid
) -> None:
    done = office.run("sync", "calls.csv", "--quiet")
    assert done.returncode == 4, done.stderr
    told = office.json("show")
    assert told["statuses"] == {"applied": 10, "superseded": 1, "missing": 1, "rejected": 4}
    assert Counter(told["reasons"]["rejected"]) == {
        "no_such_disposition": 1,
        "contact_closed": 1,
        "orchid_no": 1,
        "wrong_type": 1,
    }
    held = {one.name: one.last for one in gateway.people.values() if one.last is not None}
    assert held.keys() == {*WRITTEN, "newer"}
    assert held["p1"] == {"code": 11, "memo": LONG[:40], "at": AT}
    assert held["d80-1"] == {"code": 22, "memo": "", "at": AT}
    assert (held["d80-2"]["code"], held["back"]["code"]) == (21, 13)
    # Tried again under the same key, and after a lost answer read back, not written again.
    tries = {name: gateway.people[name].writes for name in ("changed", "hurried", "closed", "half")}
    assert tries == dict.fromkeys(tries, 2)
    assert gateway.people["lost"].writes == 1
    assert all(len(gateway.people[name].keys) == 1 for name in tries)
    # Each list is asked for once, in parts; a token that has run out is renewed elsewhere.
    asked = Counter(target for method, target in gateway.seen if method == "GET")
    parts = [f"/gw/v3/desks/{desk}/codes?from={at}&count=2" for desk in (70, 80) for at in (0, 2)]
    assert {target: asked[target] for target in ("/gw/v3/phases", *parts)} == dict.fromkeys(
        ("/gw/v3/phases", *parts), 1
    )
    signed = Counter(target for method, target in gateway.seen if method == "POST")
    assert signed["/id/v2/token"] == 1


def test_a_token_that_runs_out_is_renewed_by_its_refresh_token(
    office: Desk, gateway: Orchid
) -> None:
    rows = "".join(f"C1,q{n},INTERESTED,a1,2026-01-02T03:04:05Z,,,\n" for n in range(15))
    office.write("many.csv", HEADER + rows)
    done = office.run("sync", "many.csv", "--quiet", "--rate", "15")
    assert done.returncode == 0, done.stderr
    signed = Counter(target for method, target in gateway.seen if method == "POST")
    assert signed["/id/v2/token"] == 1
    assert signed["/id/v2/again"] >= 1


def test_the_check_tells_what_this_gateway_offers(office: Desk, gateway: Orchid) -> None:
    told = " ".join(office.run("check", "--deep", "--contact", "C1/p1").stdout.split())
    for words in (
        "issued a token for the access key",
        "scopes All that are needed were granted.",
        "lists phases: 5.",
        "states All 5 are known.",
        "state PARKED (may be written), outcome none, desk 70, ETag 1.",
        "readback Dispositions may be read.",
        "calls Contacts have an ETag",
        "The tenant has none for: DO_NOT_CALL",
        "write Not tried",
    ):
        assert words in told
    assert not any(method == "PUT" for method, _ in gateway.seen)


def test_it_can_be_rehearsed_with_faults(office: Desk, gateway: Orchid) -> None:
    office.write("some.csv", HEADER + "".join(f"C1,q{n},INTERESTED,a1,,x,,\n" for n in range(30)))
    told = office.json("sync", "some.csv", "--rehearse", "--faults", "--seed", "5")
    assert told["proof"]["holds"] is True
    assert told["statuses"] == {"applied": 30}
    assert gateway.seen == []
