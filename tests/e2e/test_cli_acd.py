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
    assert "was not added: it has no classification" in done.stderr
    text = (north.path / "aftercall.toml").read_text()
    assert "# the tenant of the north" in text
    assert 'INTERESTED = "positive"   # ours' in text
    config = tomllib.loads(text)
    assert config["outcomes"]["DO_NOT_CALL"] == "opt_out"
    assert config["outcomes"]["CALL_BACK"] == "callback"
    assert config["outcome_ids"]["INTERESTED"] == "1001"
    assert "has all that can be added already" in north.run("outcomes", "pull").stderr


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


def levels(out: str) -> dict[str, str]:
    """Return how each thing that was looked at stands; the worst counts."""
    found: dict[str, str] = {}
    for line in out.splitlines():
        if line[:4].strip() in {"ok", "warn", "FAIL"}:
            level, name = line[:4].strip(), line[6:].split("  ")[0].strip()
            found[name] = max(found.get(name, ""), level, key=["", "ok", "warn", "FAIL"].index)
    return found


def test_check_says_what_the_tenant_offers_and_what_follows(north: Desk, acd: Tenant):
    north.run("outcomes", "pull")
    done = north.run("check")
    assert done.returncode == 0
    assert levels(done.stdout) == {
        "journal": "ok",
        "audit": "warn",
        "sign in": "ok",
        "clock": "ok",
        "address": "ok",
        "lists": "ok",
        "contacts": "ok",
        "readback": "ok",
        "calls": "warn",
        "newest": "warn",
        "outcomes": "ok",
        "write": "ok",
    }
    assert "Not tried: aftercall check --deep --contact any/CONTACT --write OUTCOME" in flat(
        done.stdout
    )
    assert "access key of simulated.user (tenant 11eb-simulated)" in done.stdout
    assert acd.ledger == []


def test_a_deep_check_changes_nothing_unless_a_test_contact_is_named(north: Desk, acd: Tenant):
    north.run("outcomes", "pull")
    acd.asked("world", {"open": True})
    deep = north.run("check", "--deep", "--contact", "C1/p1")
    assert deep.returncode == 0
    assert "state ACTIVE (may be written), outcome none, skill 9001" in deep.stdout
    assert levels(deep.stdout)["states"] == "ok"
    assert acd.ledger == []
    assert north.run("check", "--contact", "C1/p1", "--write", "SALE").returncode == 2
    assert acd.ledger == []
    assert north.run("check", "--deep", "--contact", "C1/p1", "--write", "NONE").returncode == 2
    wrote = north.run("check", "--deep", "--contact", "C1/p1", "--write", "SALE")
    assert wrote.returncode == 0
    assert [change["after"]["outcomeCode"] for change in acd.ledger] == ["1006"]


def test_what_is_lacking_is_told_with_its_fix(tmp_path: Path):
    options = (
        "--open",
        "--deny",
        "contacts",
        "--deny",
        "dispositions",
        "--deny",
        "set-disposition",
    )
    with simulated(*options) as one:
        desk = Desk(tmp_path, dict(KEYS))
        (tmp_path / "aftercall.toml").write_text(CONFIG.format(url=one.url), encoding="utf-8")
        done = desk.run("check")
        wrong = desk.run("check", CXONE_ACCESS_KEY_SECRET="")
    assert done.returncode == 75
    assert levels(done.stdout)["contacts"] == "FAIL"
    assert levels(done.stdout)["lists"] == "FAIL"
    assert "fix: Have the permission to view contacts, in the role of" in done.stdout
    assert wrong.returncode == 78


def test_an_outcome_that_the_tenant_lacks_is_told(north: Desk):
    config = north.path / "aftercall.toml"
    config.write_text(config.read_text().replace("[limits]", 'PURPLE = "positive"\n[limits]'))
    done = north.run("check")
    assert "The tenant has none for: PURPLE" in done.stdout
    assert "or take them out of [outcomes]" in flat(done.stdout)
    assert "aftercall outcomes pull" in done.stdout
    assert "not at the tenant: PURPLE; rows with them are refused. Take them out" in (
        north.run("outcomes", "pull").stderr
    )


def test_init_takes_what_is_known_and_ends_with_a_check(north: Desk, acd: Tenant):
    options = ("--profile", "acd", "--base-url", acd.url)
    done = north.run("init", "fresh.toml", *options)
    assert done.returncode == 0
    assert "fresh.toml" in done.stdout
    assert levels(done.stdout)["sign in"] == "ok"
    config = tomllib.loads((north.path / "fresh.toml").read_text())
    assert config["tenant"] == {"profile": "acd", "base_url": acd.url}
    unknown = north.run("init", "other.toml", "--profile", "acdc", "--instance", "na1")
    assert unknown.returncode == 78
    assert not (north.path / "other.toml").exists()


def flat(out: str) -> str:
    """Return what was printed with its lines joined, wherever a table wrapped them."""
    return " ".join(out.split())


def test_each_list_that_may_not_be_seen_says_what_cannot_be_done_without_it(tmp_path: Path):
    with simulated("--deny", "dispositions", "--deny", "classifications") as one:
        desk = Desk(tmp_path, dict(KEYS))
        (tmp_path / "aftercall.toml").write_text(CONFIG.format(url=one.url), encoding="utf-8")
        told = flat(desk.run("check", "--deep").stdout)
        options = ("--deep", "--contact", "C1/p1", "--write", "INTERESTED")
        tried = flat(desk.run("check", *options).stdout)
        assert one.ledger == []
    assert "see dispositions granted; without it no outcomes can be pulled." in told
    assert "see classifications granted; without it outcomes that are pulled get no" in told
    assert "see skill dispositions granted; without it no row is written." in tried
    assert "Nothing was written: the list with the ids of outcomes is not there." in tried
    assert "The tenant has no INTERESTED" not in tried


def test_a_disposition_that_may_not_be_read_back_is_told(tmp_path: Path):
    with simulated("--deny", "disposition", "--open") as one:
        desk = Desk(tmp_path, dict(KEYS))
        (tmp_path / "aftercall.toml").write_text(CONFIG.format(url=one.url), encoding="utf-8")
        for options in ((), ("--deep", "--contact", "any/p1")):
            done = desk.run("check", *options)
            assert done.returncode == 75
            assert levels(done.stdout)["contacts"] == "ok"
            assert levels(done.stdout)["readback"] == "FAIL"
            assert "Dispositions may not be read: The user has no permission" in flat(done.stdout)
            assert "dispositions of contacts granted. Without that no row" in flat(done.stdout)


def test_a_contact_in_a_state_that_nobody_listed_is_not_in_order(north: Desk, acd: Tenant):
    odd = {"campaign": "C1", "contact": "p7", "state": "Daydreaming"}
    acd.asked("world", {"open": True, "contacts": [odd]})
    done = north.run("check", "--contact", "any/p7")
    assert levels(done.stdout)["contacts"] == "warn"
    assert "state DAYDREAMING (not in the profile: waits)" in flat(done.stdout)
    assert "fix: Add what is missing to a copy of the profile" in flat(done.stdout)
