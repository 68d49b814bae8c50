"""`sync --rehearse` and `simulate --from-config`: a run against a likeness of the tenant."""

import hashlib
import json
import os
import signal
import subprocess
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aftercall.adapters.passing_directory import OWNER

from .rig import COMMAND, HEADER, SECRETS, Desk, Tenant, simulated, until

WATCH = """\
import os, sys
def note(event, given):
    if event == "socket.connect" and isinstance(given[1], tuple):
        place = str(given[1][0])
    elif event == "socket.getaddrinfo":
        place = str(given[0])
    else:
        return
    with open(os.environ["WATCHED"], "a") as file:
        file.write(place + "\\n")
sys.addaudithook(note)
"""
"""Notes every address that any Python process connects to, and every name that it looks up."""

REAL = """\
[tenant]
instance = "na1"
proxy = "http://proxy.example.net:3128"

[outcomes]
INTERESTED = "positive"
DO_NOT_CALL = "opt_out"

[limits]
requests_per_second = 5.0

[limits.campaigns]
C2 = 2.0

[crm]
url = "https://crm.example.com/hooks"

[crm.endpoints.legal]
url = "https://legal.example.com/hooks"
categories = ["opt_out"]
"""
UNSET = {"CXONE_CLIENT_ID": "", "CXONE_CLIENT_SECRET": "", "AFTERCALL_CRM_SECRET": ""}


def watched(desk: Desk) -> Path:
    """Have all processes of the desk note whom they speak to."""
    place = desk.path / "watch"
    place.mkdir()
    (place / "sitecustomize.py").write_text(WATCH)
    desk.environment |= {"PYTHONPATH": str(place), "WATCHED": str(place / "noted")}
    return place / "noted"


def state_of(desk: Desk) -> dict[str, str]:
    """Return every file of the desk with a digest of its content.

    SQLite keeps two files beside a journal for as long as somebody reads it, and at times longer.
    """
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in desk.path.iterdir()
        if file.is_file() and not file.name.endswith(("-shm", "-wal"))
    }


def test_a_rehearsal_leaves_nothing_behind_and_reaches_nobody(desk: Desk):
    with simulated() as tenant:
        desk.configure(tenant.url)
        desk.rows("old.csv", "C1,p1,INTERESTED,a1,,2026-01-02T03:04:05Z")
        assert desk.run("sync", "old.csv", "--no-results").returncode == 0
    desk.write("aftercall.toml", REAL)
    noted = watched(desk)
    desk.write(
        "more.csv",
        "campaign,Lead,outcome,agent,timestamp\n"
        + "".join(f"C2,q{n},DO_NOT_CALL,a1,2026-01-02T03:04:05Z\n" for n in range(40)),
    )
    stood = state_of(desk)
    temporary = desk.path / "temporary"
    killed = temporary / "aftercall-rehearsal-killed"
    killed.mkdir(parents=True, mode=0o700)
    (killed / OWNER).touch()
    desk.environment |= {**UNSET, "TMPDIR": str(temporary)}

    words = ("sync", "more.csv", "--map", "contact=Lead", "--rehearse", "--faults", "--seed", "5")
    done = desk.run(*words, "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rehearsal"] is True
    assert told["statuses"] == {"applied": 40}
    assert told["reconciles"] is True
    assert told["proof"]["holds"] is True
    assert (told["proof"]["applied"], told["proof"]["changes"]) == (40, 40)
    assert told["proof"]["repeats"] == told["proof"]["live_call_writes"] == 0
    assert told["crm"] == {"crm": {"delivered": 40}, "legal": {"delivered": 40}}
    assert sum(told["faults"].values()) > 5
    # Each request is counted, and what it would cost in earnest: 2 a second, 5 % left unused.
    (cost,) = told["campaigns"]
    assert told["requests"] == cost["requests"] >= 80
    assert told["seconds_at_least"] >= cost["requests"] / 2
    assert told["nothing_was_sent_to"] == [
        "na1.niceincontact.com", "crm.example.com", "legal.example.com"
    ]  # fmt: skip
    assert state_of(desk) == stood
    locks = f"aftercall-{os.getuid()}"
    left = [file.name for file in temporary.iterdir() if file.name != locks]
    assert left == [], "not even what a killed one had left"
    assert set(noted.read_text().split()) == {"127.0.0.1"}


def test_a_rehearsal_knows_what_was_written_before_and_reads_standard_input(desk: Desk):
    row = "C1,p1,INTERESTED,a1,,2026-01-02T03:04:05Z\n"
    with simulated() as tenant:
        desk.configure(tenant.url)
        desk.rows("calls.csv", row.strip())
        assert desk.run("sync", "calls.csv", "--no-results").returncode == 0
        stood, seen = state_of(desk), tenant.stats

        desk.environment = UNSET
        given = (HEADER + row + "C1,,INTERESTED,a1,,\n").encode()
        words = ("sync", "calls.csv", "-", "--rehearse", "--results", "kept")
        done = desk.run(*words, given=given)

        assert done.returncode == 4
        assert "read 3 = duplicate 2 + invalid 1  ok" in done.stdout
        assert "<stdin>:3  C1  INTERESTED  invalid: missing_value" in done.stdout
        assert "aftercall sync calls.csv - --rehearse --faults" in done.stdout
        assert f"nothing was sent to {tenant.url.removeprefix('http://')}." in done.stdout
        assert len(list((desk.path / "kept").iterdir())) == 2
        assert (tenant.stats, state_of(desk)) == (seen, stood)


def test_rows_that_other_runs_left_open_are_counted_and_told_apart(desk: Desk):
    with simulated() as tenant:
        desk.configure(tenant.url)
        desk.rows("old.csv", "C1,p1,INTERESTED,a1,,2026-01-02T03:04:05Z")
        odd = [{"campaign": "C1", "contact": "p1", "state": "Daydreaming"}]
        tenant.asked("world", {"open": True, "contacts": odd})
        begun = desk.begin("sync", "old.csv", "--no-results", "--quiet")
        until(lambda: tenant.stats["requests"].get("GET", {}).get("200", 0))
        begun.send_signal(signal.SIGINT)
        begun.communicate(timeout=30)
        assert begun.returncode == 130
    desk.rows("new.csv", "C1,p2,INTERESTED,a1,,2026-01-02T03:04:05Z")
    done = desk.run("sync", "new.csv", "--rehearse")
    assert "read 1 = applied 1  ok" in done.stdout
    assert "2 changes for 2 applied rows" in done.stdout
    assert "1 row of them had been left open by other runs" in done.stdout


def test_the_same_seed_lets_the_same_requests_go_wrong(desk: Desk):
    desk.write("aftercall.toml", REAL.replace("[crm", "[crm_").partition("[crm_")[0])
    desk.rows("calls.csv", *(f"C1,p{n},INTERESTED,a1,,2026-01-02T03:04:05Z" for n in range(30)))
    words = ("sync", "calls.csv", "--rehearse", "--fault", "reset_after=0.3", "--seed")
    first, again, other = (desk.json(*words, seed) for seed in ("1", "1", "2"))

    assert first["faults"] == again["faults"] != other["faults"]
    assert all(one["proof"]["holds"] for one in (first, again, other))


def test_what_goes_wrong_is_chosen_by_name_and_only_in_a_rehearsal(desk: Desk):
    desk.write("aftercall.toml", REAL)
    desk.rows("calls.csv", "C1,p1,INTERESTED,a1,,2026-01-02T03:04:05Z")
    for words, told in (
        (("--faults",), "add --rehearse"),
        (("--rehearse", "--fault", "gremlins"), "there is no fault 'gremlins'"),
        (("--rehearse", "--fault", "slow=2"), "must be a number from 0 to 1"),
    ):
        done = desk.run("sync", "calls.csv", *words)
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr


def served(desk: Desk, *words: str) -> tuple["subprocess.Popen[str]", str]:
    """Start a simulator of the configuration; return it and its address."""
    process = subprocess.Popen(
        [COMMAND, "simulate", "--from-config", "--exit-with-stdin", *words],
        cwd=desk.path,
        env=desk.variables(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, str(json.loads(process.stdout.readline())["url"])


def variables_in(told: str) -> dict[str, str]:
    """Return what a shell would export of the lines that were printed."""
    lines = [line.strip() for line in told.splitlines()]
    pairs = [line.removeprefix("export ") for line in lines if line.startswith("export ")]
    return {name: value.strip("'") for name, _, value in (pair.partition("=") for pair in pairs)}


def test_a_simulator_of_the_configuration_takes_its_secrets_and_says_how_to_reach_it(desk: Desk):
    text = REAL.replace('proxy = "http://proxy.example.net:3128"\n', "")
    desk.write("aftercall.toml", text)
    desk.environment = {"AFTERCALL_CRM_SECRET_LEGAL": "canary7391-raw-text"}
    desk.rows(
        "calls.csv",
        "C1,p1,DO_NOT_CALL,a1,,2026-01-02T03:04:05Z",
        "C2,p1,INTERESTED,a1,,2026-01-02T03:04:05Z",
    )
    process, url = served(desk)
    try:
        tenant = Tenant(url)
        assert process.stdin is not None
        assert process.stderr is not None
        turned = {
            "AFTERCALL__TENANT__BASE_URL": url,
            "AFTERCALL__CRM__URL": f"{url}/crm",
            "AFTERCALL__CRM__ENDPOINTS__LEGAL__URL": f"{url}/crm/legal",
            "AFTERCALL__JOURNAL__URL": "sqlite:///rehearsal.db",
        }
        desk.environment |= turned
        done = desk.run("sync", "calls.csv", "--no-results", "--wait-crm")
        assert (done.returncode, done.stdout.count("applied 2")) == (0, 1)
        wrong = desk.run("check", CXONE_CLIENT_SECRET="another")
        assert wrong.returncode == 75
        stats = tenant.stats
        assert stats["crm"]["distinct"] == 3
        assert stats["crm"]["bad_signatures"] == 0
        assert refused(tenant, "C9", "NO_SUCH_CODE") == "outcomeCode NO_SUCH_CODE is not configured"
    finally:
        told = process.communicate(timeout=20)[1]
    assert variables_in(told) == turned
    assert "canary7391" not in told
    assert "allows 5 requests/s to each campaign, 2 to C2" in told
    assert not (desk.path / "aftercall.db").exists()


ACD = """\
[tenant]
profile = "acd"
base_url = "https://acd.example.net"

[outcomes]
INTERESTED = "positive"
"""
KEYS = {"CXONE_ACCESS_KEY_ID": "e2e-key", "CXONE_ACCESS_KEY_SECRET": "canary7391-key"}


def test_ids_that_a_simulator_made_up_do_not_get_into_the_configuration(tmp_path: Path):
    desk = Desk(tmp_path, dict(KEYS))
    desk.write("aftercall.toml", ACD)
    process, url = served(desk)
    try:
        pulled = desk.run("outcomes", "pull", AFTERCALL__TENANT__BASE_URL=url)
        assert (pulled.returncode, pulled.stdout) == (1, "")
        assert f"At {url} is a simulator: ids that it lists are made up" in pulled.stderr
        assert "unset AFTERCALL__TENANT__BASE_URL" in " ".join(pulled.stderr.split())
    finally:
        process.communicate(timeout=20)
    assert (tmp_path / "aftercall.toml").read_text() == ACD


def refused(tenant: Tenant, campaign: str, code: str) -> str:
    """Write an outcome as a client of its own; return the beginning of what the tenant says."""
    form = {
        "grant_type": "client_credentials",
        "client_id": SECRETS["CXONE_CLIENT_ID"],
        "client_secret": SECRETS["CXONE_CLIENT_SECRET"],
    }
    address = urlsplit(tenant.url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("POST", "/api/v1/oauth2/token", urlencode(form))
    token = json.loads(connection.getresponse().read())["access_token"]
    path = f"/api/v1/outbound/campaigns/{campaign}/contacts/p1"
    body = json.dumps({"outcomeCode": code})
    connection.request("PATCH", path, body, {"Authorization": f"Bearer {token}"})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return str(answer["message"]).partition(" for this")[0]
