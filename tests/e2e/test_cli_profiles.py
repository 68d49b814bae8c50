"""The commands about profiles: list, show, check, new and schema."""

import json
import tomllib

from aftercall.adapters.profiles import built_in_names

from .rig import Desk, Tenant, plain_rows


def test_profiles_are_listed_and_shown(desk: Desk):
    done = desk.run("profile", "list")
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert names == list(built_in_names())
    shown = desk.run("profile", "show", "outbound-v1")
    assert tomllib.loads(shown.stdout)["name"] == "outbound-v1"


def test_a_new_profile_holds_together_and_shows_its_requests(desk: Desk):
    done = desk.run("profile", "new", "gateway.toml")
    assert (done.returncode, done.stdout) == (0, "gateway.toml\n")
    assert done.stderr.endswith("next: aftercall profile check gateway.toml\n")
    checked = desk.run("profile", "check", "gateway.toml")
    assert checked.returncode == 0
    assert "PATCH /campaigns/CAMPAIGN/contacts/CONTACT" in checked.stdout
    assert '"outcomeCode":"OUTCOME"' in checked.stdout
    assert "CXONE_CLIENT_SECRET" in checked.stdout


def test_a_profile_is_not_overwritten_unless_asked(desk: Desk):
    desk.run("profile", "new", "gateway.toml", "--from", "outbound-v1")
    assert tomllib.loads((desk.path / "gateway.toml").read_text())["name"] == "gateway"
    again = desk.run("profile", "new", "gateway.toml")
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert desk.run("profile", "new", "gateway.toml", "--force").returncode == 0
    assert desk.run("profile", "new", "Gate way.txt").returncode == 1


def test_all_that_is_wrong_with_a_profile_is_told(desk: Desk):
    desk.run("profile", "new", "gateway.toml")
    path = desk.path / "gateway.toml"
    text = path.read_text().replace('method = "PATCH"', 'metod = "PATCH"')
    path.write_text(text.replace("allowed = [", "alowed = ["))
    checked = desk.run("profile", "check", "gateway.toml")
    assert checked.returncode == 78
    assert 'write.metod: unknown key; did you mean "method"?' in checked.stderr
    assert 'states.alowed: unknown key; did you mean "allowed"?' in checked.stderr
    desk.configure("http://127.0.0.1:9")
    config = desk.path / "aftercall.toml"
    config.write_text(config.read_text().replace("[tenant]", '[tenant]\nprofile = "gateway.toml"'))
    assert desk.run("check").returncode == 78


def test_an_unknown_profile_is_refused_with_those_there_are(office: Desk):
    done = office.run("sync", "calls.csv", AFTERCALL__TENANT__PROFILE="outbound-v2")
    assert done.returncode in {2, 78}
    office.rows("calls.csv", *plain_rows(1))
    done = office.run("sync", "calls.csv", AFTERCALL__TENANT__PROFILE="outbound-v2")
    assert done.returncode == 78
    assert "Did you mean 'outbound-v1'?" in done.stderr


def test_a_profile_of_ones_own_is_what_a_run_speaks(office: Desk, tenant: Tenant):
    office.run("profile", "new", "gateway.toml", "--from", "outbound-v1")
    config = office.path / "aftercall.toml"
    config.write_text(config.read_text().replace("[tenant]", '[tenant]\nprofile = "gateway.toml"'))
    office.rows("calls.csv", *plain_rows(3))
    assert office.run("sync", "calls.csv").returncode == 0
    assert len(tenant.ledger) == 3
    profile = office.path / "gateway.toml"
    profile.write_text(profile.read_text().replace('agentId = "agent"', 'agentNo = "agent"'))
    office.rows("more.csv", "C9,p1,INTERESTED,a1,hello,2026-01-02T03:04:05Z")
    assert office.run("sync", "more.csv").returncode == 4
    assert "unknown fields: agentNo" in office.run("show", "--status", "rejected").stdout


def test_the_schema_is_one(desk: Desk):
    schema = json.loads(desk.run("profile", "schema").stdout)
    assert {"name", "auth", "read", "write", "states"} == set(schema["required"])
