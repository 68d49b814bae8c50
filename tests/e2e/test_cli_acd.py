"""The whole way with the documented API: outcomes pull, check, sync."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .rig import CANARY, Desk, Tenant, simulated

CONFIG = """\
# the tenant of the north
[tenant]
profile = "acd"
base_url = "{url}"

[outcomes]
INTERESTED = "positive"   # ours

[limits]
requests_per_second = 1000
"""
KEYS = {"CXONE_ACCESS_KEY_ID": "e2e-key", "CXONE_ACCESS_KEY_SECRET": f"{CANARY}-key"}


@pytest.fixture
def acd() -> Iterator[Tenant]:
    with simulated(
        "--rate", "0", "--key-id", KEYS["CXONE_ACCESS_KEY_ID"], "--key-secret", f"{CANARY}-key"
    ) as one:
        yield one


@pytest.fixture
def north(acd: Tenant, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, dict(KEYS))
    (tmp_path / "aftercall.toml").write_text(CONFIG.format(url=acd.url), encoding="utf-8")
    return desk


def test_outcomes_are_pulled_into_the_configuration(north: Desk):
    before = (north.path / "aftercall.toml").read_text()
    dry = north.run("outcomes", "pull", "--dry-run")
    assert dry.returncode == 0
    assert "DO_NOT_CALL" in dry.stdout
    assert (north.path / "aftercall.toml").read_text() == before

    done = north.run("outcomes", "pull")
    assert done.returncode == 0
    assert "has no classification: not added" in done.stderr
    text = (north.path / "aftercall.toml").read_text()
    assert "# the tenant of the north" in text
    assert 'INTERESTED = "positive"   # ours' in text
    config = tomllib.loads(text)
    assert config["outcomes"]["DO_NOT_CALL"] == "opt_out"
    assert config["outcomes"]["CALL_BACK"] == "callback"
    assert config["outcome_ids"]["INTERESTED"] == "1001"
    assert "has all of them already" in north.run("outcomes", "pull").stderr


def test_rows_are_written_and_fed_back(north: Desk, acd: Tenant):
    assert north.run("outcomes", "pull").returncode == 0
    north.rows(
        "calls.csv",
        "C1,p1,INTERESTED,a1,,2026-01-02T03:04:05Z",
        "C1,p2,DO_NOT_CALL,a1,,2026-01-02T03:04:05Z",
    )
    done = north.run("sync", "calls.csv")
    assert done.returncode == 0
    held = {change["contact"]: change["after"]["outcomeCode"] for change in acd.ledger}
    assert held == {"p1": "1001", "p2": "1004"}
    assert json.loads(north.run("show", "--json").stdout)["statuses"] == {"applied": 2}


def test_a_profile_without_a_catalogue_says_so(office: Desk):
    done = office.run("outcomes", "pull")
    assert done.returncode == 1
    assert "has no list of outcomes" in done.stderr


def test_a_permission_that_is_lacking_is_named(tmp_path: Path):
    with simulated("--deny", "dispositions") as one:
        desk = Desk(tmp_path, dict(KEYS))
        (tmp_path / "aftercall.toml").write_text(CONFIG.format(url=one.url), encoding="utf-8")
        done = desk.run("outcomes", "pull")
    assert done.returncode == 75
    assert "does not let us see its dispositions (403)" in done.stderr


def test_what_is_missing_of_the_secrets_is_named(north: Desk):
    north.environment = {
        "CXONE_CLIENT_ID": "",
        "CXONE_CLIENT_SECRET": "",
        "CXONE_ACCESS_KEY_ID": "x",
    }
    done = north.run("check")
    assert done.returncode == 78
    assert "CXONE_ACCESS_KEY_SECRET is not set" in done.stderr
