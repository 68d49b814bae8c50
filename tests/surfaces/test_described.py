"""A simulator that is given a profile's file speaks it: the rehearsal of a gateway of one's own."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aftercall.adapters.profiles import read_profile
from aftercall.domain.status import Status
from aftercall.simulator import Faults, Simulator, SimulatorConfig
from aftercall.simulator.described import load_surface
from aftercall.wire.profile import follow_ups_of, profile_from
from tests.fault.rig import ENVIRONMENT, names, row

from .gateway import NUMBERS
from .rig import (
    ACD_NAMES,
    GUARDED,
    KEYS,
    PAGE,
    TOML,
    SurfaceRig,
    lists_of_the_page,
    profile_of_the_page,
    world_on,
)

ODD = """\
name = "odd"
version = "7"

[base]
url = "https://{instance}.odd.example"
hosts = ["odd.example"]

[base.discovery]
url = "https://find.odd.example/where?who={tenant_id}"
api = "place.of"
tenant_id = ["who"]

[[auth]]
style = "password"
url = "https://login.odd.example/in"
client_auth = "basic"
renew_early_seconds = 0

[auth.refresh]
url = "https://login.odd.example/again"
style = "json"
field = "old"

[auth.refresh.answer]
access_token = "fresh.token"

[read]
url = "/v{version}/people?id={contact}&list={campaign}"
envelope = ["found.0"]
etag = "stamp"
state_id = "phase"
none_if_empty = ["found"]

[read.fields]
outcome = "last.code"
agent = "last.who"
timestamp = "last.when"
notes = "last.words"

[read.told]
desk = "desk"

[write]
method = "PUT"
url = "/v{version}/people/{contact}"
body = "form"
success = [202]

[write.fields]
list = "campaign"
code = { from = "outcome", type = "integer" }
who = "agent"
when = { from = "timestamp", format = "epoch_milliseconds" }
words = "notes"
desk = "told.desk"
extra = { from = "custom_fields", type = "text" }

[states]
lookup = "phases"
wait = ["Busy"]
allowed = ["Free"]

[codes]
source = "lookup"
lookup = "codes"

[lookup.phases]
url = "/phases"
items = "all"
id = "n"
name = "label"

[lookup.codes]
url = "/desks/{key}/codes"
key = ["told.desk"]
items = "all"
id = "n"
name = "label"
page = { size = 2, total = "many" }

[errors]
words = ["wrong.because"]

[pace]
retry_after_header = "X-Wait"
"""

TAGGED = """

[read.bulk]
url = "/api/v1/outbound/contacts"
ids = "id"
ids_in = "query_each"
campaign = "campaign"
max = 20
items = ""
id = "contactId"
etag = "version"
"""

BOTH = {**ENVIRONMENT, **KEYS}


def profiles() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the text of each profile, and what its tenant calls the outcomes."""
    acd = {code: str(number) for code, number in ACD_NAMES.items()}
    blue = {code: str(number) for code, number in NUMBERS.items()}
    return {
        "outbound-v1": (read_profile("outbound-v1").text, {}),
        "acd": (read_profile("acd").text, acd),
        "blue": (profile_of_the_page(), blue),
        "odd": (ODD, acd),
        "listed": (f"{profile_of_the_page()}\n{lists_of_the_page()}", blue),
        "tagged": (read_profile("outbound-v1").text + TAGGED, {}),
    }


class DescribedRig(SurfaceRig):
    """A rig whose tenant has ids of its own, or none."""

    def code_of(self, held: str) -> str:
        ids = profiles()[self.surface][1]
        return {told: code for code, told in ids.items()}.get(held, held)


@asynccontextmanager
async def described(name: str, directory: Path, **settings: Any) -> AsyncIterator[DescribedRig]:
    text, ids = profiles()[name]
    file = directory / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    dispositions = [
        {"id": number, "name": code.title(), "classification": 2}
        for code, number in ACD_NAMES.items()
    ]
    given: dict[str, Any] = {
        "profile": file,
        "world": world_on("", dispositions=dispositions),
        **GUARDED,
    }
    async with Simulator(SimulatorConfig(**(given | settings))) as simulator:
        tables = {"tenant": {"profile": str(file)}, "outcome_ids": ids}
        yield DescribedRig(simulator, directory, tables, BOTH, name)


@pytest.mark.parametrize("name", ["outbound-v1", "acd", "blue", "odd", "listed", "tagged"])
async def test_a_profile_is_served_as_it_stands_and_a_run_proves_itself(
    tmp_path: Path, name: str
) -> None:
    kinds = ("reset_before", "reset_after", "error_after_commit", "unauthorized")
    faults = Faults.from_json(dict.fromkeys(kinds, 0.05) | {"unauthorized": 0.02})
    ringing = {"contact": "busy", "timeline": [["RINGING", 0.5], ["READY", None]]}
    no = {"contact": "no", "refuse": {"status": 400, "message": "Not this one"}}
    dispositions = [{"id": n, "name": c.title(), "classification": 2} for c, n in ACD_NAMES.items()]
    world = world_on("", ringing, no, dispositions=dispositions, missing_ratio=0.2)
    async with described(name, tmp_path, faults=faults, world=world, token_seconds=2) as rig:
        people = [*names(25), "busy", "no", "a/b ü?&c"]
        rows = [row(one, notes="said: yes", custom_fields={"score": 7}) for one in people]
        report = await rig.sync(rows, retry={"wait_seconds_max": 0.3})

        counted = report.statuses
        assert counted[Status.MISSING] > 0
        assert counted[Status.APPLIED] == 27 - counted[Status.MISSING]
        reason, words = next(
            (entry["reason"], str(entry["message"]))
            for entry in report.audit_trail
            if entry["contact_id"] == "no"
        )
        assert counted[Status.REJECTED] == 1, reason
        assert "Not this one" in words
        rig.assert_books_balance(report)
        after = [change["after"] for change in rig.ledger()]
        assert {one["notes"] for one in after} == {"said: yes"}
        agents = {None} if name == "acd" else {"agent-1"}
        assert {one["agentId"] for one in after} == agents
        if name != "acd":
            assert {one["dispositionTimestamp"][:19] for one in after} == {"2026-01-15T10:00:00"}
            assert all(one["customFields"] == {"score": 7} for one in after)
        again = await rig.sync([row("p1", timestamp="2026-01-17T00:00:00Z")])
        assert again.total_processed == 1
        assert again.statuses[Status.UNCHANGED] + again.statuses.get(Status.MISSING, 0) == 1


async def test_who_may_not_sign_in_is_not_let_in(tmp_path: Path) -> None:
    async with described("odd", tmp_path, key_secret="another") as rig:
        with pytest.raises(Exception, match="refused the access key"):
            await rig.sync([row("p1")])
        assert rig.ledger() == []


def test_what_the_page_adds_to_its_profile_holds_together() -> None:
    blocks = TOML.findall(PAGE.read_text("utf-8"))
    added = [text for text in blocks if text.startswith(("[[errors.rules]]", "[follow_ups"))]
    assert len(added) == 2
    made = profile_from(tomllib.loads("\n".join([profile_of_the_page(), *added])))
    assert set(follow_ups_of(made)) == {"dnc_group", "callback"}


def test_a_profile_whose_requests_cannot_be_told_apart_is_no_surface(tmp_path: Path) -> None:
    same = ODD.replace('method = "PUT"\nurl = "/v{version}/people/{contact}"', 'method = "POST"')
    same = same.replace("[write]\n", '[write]\nurl = "/same"\n')
    same = same.replace(
        '[read]\nurl = "/v{version}/people?id={contact}&list={campaign}"',
        '[read]\nmethod = "POST"\nurl = "/same"',
    )
    (tmp_path / "same.toml").write_text(same)
    with pytest.raises(ValueError, match="the same method and address"):
        load_surface(tmp_path / "same.toml")
