"""Follow-ups from the configuration to the listing, once through the whole program."""

import csv
import json
from datetime import UTC, datetime, timedelta
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


def since(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def test_an_opt_out_without_its_dnc_record_stays_on_the_list_of_opt_outs(tmp_path: Path) -> None:
    with simulated("--rate", "0", "--key-id", "e2e-key", "--key-secret", f"{CANARY}-key") as acd:
        desk = Desk(tmp_path, dict(KEYS))
        desk.write("aftercall.toml", CONFIG.format(url=acd.url))
        rows = (
            f"C1,p1,DO_NOT_CALL,a1,{since(1)},{PHONE},\n"
            f"C1,p2,DO_NOT_CALL,a1,{since(1)},12,\n"
            f"C1,p3,DO_NOT_CALL,a1,{since(60)},,\n"
        )
        desk.write("calls.csv", HEADER + rows)
        assert "opt-outs: 3 of 3 landed" in desk.run("sync", "calls.csv", "--quiet").stdout

        listed = desk.run("optouts")
        assert listed.returncode == 4, "p3 is late"
        assert listed.stdout.startswith("3 opt-outs: 1 late, 1 pending, 1 applied\n")
        assert "; DNC group 301 refused: the tenant refused it" in listed.stdout
        assert "; DNC group 301 impossible: a required value is empty" in listed.stdout
        assert "--state refused" in listed.stderr
        told = {one["contact"]: one for one in desk.json("optouts")["opt_outs"]}
        assert told.keys() == {"p2", "p3"}
        (lacking,) = told["p2"]["dnc_groups_lacking"]
        assert (lacking["dnc_group"], lacking["state"]) == ("301", "refused")
        assert told["p2"]["applied"] is not None

        said = ("--by", "Kim", "--reason", "number unknown")
        row = str(told["p3"]["row"])
        assert desk.run("optouts", "acknowledge", row, *said).returncode == 0
        assert {one["contact"] for one in desk.json("optouts")["opt_outs"]} == {"p2"}
        desk.write("mended.csv", f"{HEADER}C1,p2,DO_NOT_CALL,a1,{since(0.5)},{PHONE},\n")
        desk.run("sync", "mended.csv", "--quiet")
        listed = desk.run("optouts")
        assert (listed.returncode, listed.stdout) == (
            0, "4 opt-outs: 3 applied, 1 acknowledged\n"
        )  # fmt: skip


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
