from __future__ import annotations

from typing import Any

import pytest

from aftercall.simulator import World

from .rig import MovedClock, serving

CHANGE = {
    "outcomeCode": "SOLD",
    "agentId": "agent-7",
    "notes": "will pay",
    "dispositionTimestamp": "2025-01-02T03:04:05Z",
    "customFields": {"amount": 12.5, "plan": "gold"},
}


async def test_untouched_contact_is_shown_with_nulls() -> None:
    async with serving() as rig:
        answer = await rig.get("p1")
    assert answer.status == 200
    assert answer.headers["ETag"] == '"v1"'
    assert answer.json.pop("lastUpdated").endswith("Z")
    assert answer.json == {
        "contactId": "p1",
        "campaignId": "c1",
        "state": "READY",
        "outcomeCode": None,
        "agentId": None,
        "notes": None,
        "dispositionTimestamp": None,
        "customFields": {},
    }


async def test_patch_is_stored_shown_and_written_to_the_ledger() -> None:
    clock = MovedClock()
    async with serving(clock=clock) as rig:
        before = await rig.get()
        clock.forward(5)
        written = await rig.patch(CHANGE, X_Request_ID="r-1")
        after = await rig.get()
        [entry] = rig.simulator.ledger()
    assert (written.status, written.body) == (204, b"")
    assert written.headers["ETag"] == after.headers["ETag"] == '"v2"'
    assert {name: after.json[name] for name in CHANGE} == CHANGE
    assert after.json["lastUpdated"] > before.json["lastUpdated"]
    assert entry.pop("at") == pytest.approx(clock.wall())
    assert entry == {
        "n": 1,
        "campaign": "c1",
        "contact": "p1",
        "before": {name: before.json[name] for name in CHANGE},
        "after": CHANGE,
        "effective": True,
        "state": "READY",
        "live_call": False,
        "if_match": False,
        "request_id": "r-1",
        "answered": True,
    }


async def test_repeated_patch_is_committed_without_effect() -> None:
    async with serving() as rig:
        for _ in range(3):
            assert (await rig.patch(CHANGE)).status == 204
        stats, ledger = rig.simulator.stats(), rig.simulator.ledger()
        tag = (await rig.get()).headers["ETag"]
    assert (stats["changes"], stats["repeats"]) == (1, 2)
    assert [entry["effective"] for entry in ledger] == [True, False, False]
    assert [entry["n"] for entry in ledger] == [1, 2, 3]
    assert tag == '"v2"'


async def test_patch_can_answer_with_the_contact() -> None:
    async with serving(patch_status=200) as rig:
        answer = await rig.patch({"outcomeCode": "SOLD"})
    assert (answer.status, answer.json["outcomeCode"]) == (200, "SOLD")


async def test_custom_fields_are_merged_and_null_removes() -> None:
    async with serving() as rig:
        await rig.patch({"notes": "kept", "customFields": {"a": 1, "b": 2}})
        await rig.patch({"customFields": {"b": None, "c": 3}})
        shown = (await rig.get()).json
        await rig.patch({"notes": None})
        emptied = (await rig.get()).json
    assert (shown["notes"], shown["customFields"]) == ("kept", {"a": 1, "c": 3})
    assert (emptied["notes"], emptied["customFields"]) == (None, {"a": 1, "c": 3})


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "object"),
        (b'{"outcome":"SOLD"}', "unknown fields: outcome"),
        (b'{"outcomeCode":"sold"}', "outcomeCode"),
        (b'{"outcomeCode":"AB"}', "outcomeCode"),
        (b'{"outcomeCode":"SOLD\\n"}', "outcomeCode"),
        (b'{"outcomeCode":7}', "outcomeCode must be a string"),
        (b'{"outcomeCode":"UNKNOWN_CODE"}', "not configured"),
        (b'{"notes":["x"]}', "notes"),
        (b'{"customFields":null}', "customFields"),
        (b'{"customFields":{"a":{}}}', "customFields.a"),
        (b'{"customFields":{"a":NaN}}', "JSON"),
    ],
)
async def test_invalid_changes_are_refused_with_words(body: bytes, word: str) -> None:
    async with serving(refused_codes=frozenset({"UNKNOWN_CODE"})) as rig:
        headers = {"Authorization": f"Bearer {rig.token}", "Content-Type": "application/json"}
        answer = await rig.send("PATCH", rig.contact_url("c1", "p1"), data=body, headers=headers)
        ledger = rig.simulator.ledger()
    assert (answer.status, answer.json["error"]) == (400, "validation_error")
    assert word in answer.json["message"]
    assert ledger == []


async def test_if_match() -> None:
    async with serving() as rig:
        stale = await rig.patch({"notes": "a"}, If_Match='"v7"')
        fresh = await rig.patch({"notes": "a"}, If_Match='"v1"')
        again = await rig.patch({"notes": "b"}, If_Match='"v1"')
        listed = await rig.patch({"notes": "b"}, If_Match='"v1", "v2"')
        anything = await rig.patch({"notes": "c"}, If_Match="*")
        conditional = [entry["if_match"] for entry in rig.simulator.ledger()]
    statuses = [answer.status for answer in (stale, fresh, again, listed, anything)]
    assert statuses == [412, 204, 412, 204, 204]
    assert conditional == [True, True, True]


async def test_without_etags_if_match_is_ignored() -> None:
    async with serving(etags=False) as rig:
        read = await rig.get()
        written = await rig.patch({"notes": "a"}, If_Match='"v7"')
    assert "ETag" not in read.headers
    assert "ETag" not in written.headers
    assert written.status == 204


@pytest.mark.parametrize("name", ["a/b", "100%", "a%2Fb", "%252F", "two words", "p+q", "☎️😀", "."])
async def test_identifiers_are_decoded_exactly_once(name: str) -> None:
    world = World.from_json({"contacts": [{"campaign": name, "contact": name, "notes": "me"}]})
    async with serving(world=world) as rig:
        read = await rig.get(name, name)
        written = await rig.patch({"outcomeCode": "SOLD"}, name, name)
        [entry] = rig.simulator.ledger()
    assert (read.status, written.status) == (200, 204)
    assert (read.json["contactId"], read.json["notes"]) == (name, "me")
    assert (entry["campaign"], entry["contact"]) == (name, name)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/outbound/campaigns/c/contacts/a/b", 404),
        ("/api/v1/outbound/campaigns/c/contacts/", 404),
        ("/api/v1/outbound/campaigns//contacts/p", 404),
        ("/api/v1/outbound/campaigns/c/others/p", 404),
        ("/api/v1/outbound/campaigns/c/contacts/%FF", 400),
        ("/api/v2/outbound/campaigns/c/contacts/p", 404),
    ],
)
async def test_paths_that_name_no_contact(path: str, status: int) -> None:
    async with serving() as rig:
        headers = {"Authorization": f"Bearer {rig.token}"}
        answer = await rig.send("GET", path, headers=headers)
    assert answer.status == status
    assert answer.json["error"]


async def test_other_methods_and_unknown_contacts() -> None:
    async with serving(world=World()) as rig:
        method = await rig.send("PUT", rig.contact_url("c1", "p1"))
        read, write = await rig.get(), await rig.patch({"notes": "x"})
    assert method.status == 405
    assert (read.status, read.json["error"]) == (404, "not_found")
    assert write.status == 404


@pytest.mark.parametrize("status", [403, 409, 422])
async def test_contact_that_refuses(status: int) -> None:
    refuse = {"status": status, "message": "closed by compliance"}
    contact = {"campaign": "c1", "contact": "p1", "refuse": refuse}
    async with serving(world=World.from_json({"contacts": [contact]})) as rig:
        read, write = await rig.get(), await rig.patch({"outcomeCode": "SOLD"})
    assert read.status == 200
    assert (write.status, write.json["message"]) == (status, "closed by compliance")


@pytest.mark.parametrize("state", ["DIALING", "RINGING", "CONNECTED", "WRAP_UP"])
async def test_write_into_a_live_call_is_taken_and_held_against_the_caller(state: str) -> None:
    contact: dict[str, Any] = {"campaign": "c1", "contact": "p1", "state": state}
    async with serving(world=World.from_json({"contacts": [contact]})) as rig:
        written = await rig.patch({"outcomeCode": "SOLD"})
        stats, [entry] = rig.simulator.stats(), rig.simulator.ledger()
    assert written.status == 204
    assert (entry["state"], entry["live_call"]) == (state, True)
    assert stats["live_call_writes"] == 1


async def test_requests_are_counted_by_method_and_status() -> None:
    async with serving() as rig:
        await rig.get()
        await rig.get()
        await rig.patch({"notes": "x"})
        await rig.patch({"notes": 5})
        requests = rig.simulator.stats()["requests"]
    assert requests == {
        "TOKEN": {"200": 1},
        "GET": {"200": 2},
        "PATCH": {"204": 1, "400": 1},
    }
