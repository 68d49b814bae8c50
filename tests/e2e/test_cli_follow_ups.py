"""Follow-ups from the configuration to the listing, once through the whole program."""

import csv
import json
from pathlib import Path

from .rig import CANARY, Desk, simulated

KEYS = {"CXONE_ACCESS_KEY_ID": "e2e-key", "CXONE_ACCESS_KEY_SECRET": f"{CANARY}-key"}
CONFIG = """\
[tenant]
profile = "acd"
base_url = "{url}"

[outcomes]
INTERESTED = "positive"
DO_NOT_CALL = "opt_out"
CALL_BACK = "callback"

[limits]
requests_per_second = 1000.0

[follow_ups]
callbacks = ["callback"]
dnc_groups = {{ opt_out = 301 }}
"""
HEADER = "campaign,contact,outcome,agent,timestamp,custom.phone_number,custom.callback_time\n"
PHONE = "+12025550147"
WHEN = "2026-01-02T03:04:05Z"
ROWS = (
    f"C1,p1,DO_NOT_CALL,a1,{WHEN},{PHONE},\n"
    f"C1,p2,DO_NOT_CALL,a1,{WHEN},,\n"
    f"C1,p3,CALL_BACK,a1,{WHEN},12,2026-12-01T10:00:00Z\n"
)


def test_they_are_planned_done_listed_retried_and_erased(tmp_path: Path) -> None:
    with simulated("--rate", "0", "--key-id", "e2e-key", "--key-secret", f"{CANARY}-key") as acd:
        desk = Desk(tmp_path, dict(KEYS))
        desk.write("aftercall.toml", CONFIG.format(url=acd.url))
        desk.write("calls.csv", HEADER + ROWS)
        plan = desk.json("plan", "calls.csv")
        assert plan["follow_ups"] == {"dnc_group": 2, "callback": 1}
        assert plan["requests"] == 3 * 3 + 1 + 1

        synced = desk.run("sync", "calls.csv", "--quiet")
        assert synced.returncode == 4
        assert "follow-ups  number  state" in synced.stdout
        listing = desk.run("followups", "list")
        assert "impossible: a required value is empty" in listing.stdout
        assert "(as custom.NAME for a custom field)" in listing.stdout
        assert "refused: the tenant refused it (400)" in listing.stdout
        told = desk.json("followups", "list", "--state", "refused")
        assert told["counts"] == {"callback": {"refused": 1}}
        (refused,) = told["follow_ups"]
        run = refused["run"]
        assert f"followups retry {run} --state refused" in listing.stderr
        with (tmp_path / f"{run}-success.csv").open(encoding="utf-8") as file:
            cells = [row["aftercall_follow_ups"] for row in csv.DictReader(file)]
        assert cells == [
            "dnc_group 301: done", "dnc_group 301: impossible", "callback: refused"
        ]  # fmt: skip

        options = ("--state", "refused", "--quiet", "--no-results")
        again = desk.json("followups", "retry", run, *options)
        assert again["exit_code"] == 4
        assert again["follow_ups"] == {
            "dnc_group": {"done": 1, "impossible": 1},
            "callback": {"refused": 1},
        }
        none = desk.run("followups", "retry", run, "--quiet", "--no-results")
        assert none.stderr == (
            "Nothing was tried again: no follow-up of the run is failed. --state chooses others.\n"
        )
        one = desk.json("followups", "show", str(refused["number"]))
        assert [entry["kind"] for entry in one["audit"]] == [
            "follow_up_settled", "follow_up_reopened", "follow_up_settled"
        ]  # fmt: skip

        said = ("--reason", "asked for", "--yes")
        assert desk.run("audit", "erase", "--contact", "p1", *said).returncode == 0
        done = [json.loads(line) for line in acd.asked("follow-ups").splitlines()]
        assert [entry["phone"] for entry in done] == [PHONE.removeprefix("+")]
    held = b"".join(path.read_bytes() for path in tmp_path.glob("*.db*"))
    assert PHONE[-7:].encode() not in held
    wrong = desk.run("sync", "calls.csv", AFTERCALL__TENANT__PROFILE="outbound-v1")
    assert wrong.returncode == 78
    assert "follow_ups.dnc_groups: the profile outbound-v1 declares no such" in wrong.stderr
