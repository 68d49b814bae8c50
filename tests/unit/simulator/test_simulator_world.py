from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from aftercall.simulator import World

from .rig import MovedClock, Rig, serving

if TYPE_CHECKING:
    from pathlib import Path


def one(**fields: Any) -> World:
    return World.from_json({"contacts": [{"campaign": "c1", "contact": "p1", **fields}]})


async def test_listed_contact_starts_as_described() -> None:
    fields = {"outcome": "NO_ANSWER", "agent": "a1", "notes": "n", "custom_fields": {"k": True}}
    async with serving(world=one(state="DONE", timestamp="2025-01-01T00:00:00Z", **fields)) as rig:
        shown = (await rig.get()).json
    assert shown["state"] == "DONE"
    assert (shown["outcomeCode"], shown["agentId"]) == ("NO_ANSWER", "a1")
    assert shown["dispositionTimestamp"] == "2025-01-01T00:00:00Z"
    assert shown["customFields"] == {"k": True}


async def test_timeline_runs_from_the_first_read() -> None:
    clock = MovedClock()
    world = one(timeline=[["CONNECTED", 3.0], ["WRAP_UP", 2], ["READY", None]])
    async with serving(world=world, clock=clock) as rig:
        clock.forward(100)
        seen = []
        for seconds in (0, 2.9, 0.2, 1.8, 0.2, 500):
            clock.forward(seconds)
            seen.append((await rig.get()).json["state"])
    assert seen == ["CONNECTED", "CONNECTED", "WRAP_UP", "WRAP_UP", "READY", "READY"]


async def test_write_before_the_first_read_meets_the_first_state() -> None:
    clock = MovedClock()
    async with serving(world=one(timeline=[["CONNECTED", 3], ["READY", None]]), clock=clock) as rig:
        clock.forward(100)
        await rig.patch({"outcomeCode": "SOLD"})
        [entry] = rig.simulator.ledger()
    assert entry["live_call"] is True


async def test_call_that_begins_after_the_read_changes_the_etag() -> None:
    clock = MovedClock()
    world = one(timeline=[["READY", 1], ["CONNECTED", 5], ["READY", None]])
    async with serving(world=world, clock=clock) as rig:
        first = await rig.get()
        clock.forward(2)
        refused = await rig.patch({"outcomeCode": "SOLD"}, If_Match=first.headers["ETag"])
        second = await rig.get()
    assert refused.status == 412
    assert second.json["state"] == "CONNECTED"
    assert second.headers["ETag"] != first.headers["ETag"]
    assert second.json["lastUpdated"] > first.json["lastUpdated"]


async def states(rig: Rig, count: int = 300) -> list[str]:
    answers = [await rig.get(f"p{number}") for number in range(count)]
    return [answer.json.get("state", "MISSING") for answer in answers]


async def test_seeded_fractions_of_an_open_world() -> None:
    world = World.from_json({"open": True, "missing_ratio": 0.2, "active_ratio": 0.3})
    clock = MovedClock()
    async with serving(world=world, seed=5, clock=clock) as rig:
        first = await states(rig)
        clock.forward(2)
        later = await states(rig)
    async with serving(world=world, seed=5, clock=MovedClock()) as rig:
        answers = [await rig.get(f"p{number}") for number in reversed(range(300))]
        again = [answer.json.get("state", "MISSING") for answer in reversed(answers)]
    async with serving(world=world, seed=6, clock=MovedClock()) as rig:
        other = await states(rig)
    assert first == again != other
    assert 30 <= first.count("MISSING") <= 90
    assert 40 <= first.count("CONNECTED") <= 110
    assert set(later) == {"MISSING", "READY"}


async def test_part_of_an_open_world_holds_outcomes() -> None:
    held = {"ratio": 0.5, "outcome": "NO_ANSWER", "agent": "old"}
    async with serving(world=World.from_json({"open": True, "held": held})) as rig:
        shown = [(await rig.get(f"p{number}")).json["outcomeCode"] for number in range(100)]
    assert 30 <= shown.count("NO_ANSWER") <= 70
    assert set(shown) == {"NO_ANSWER", None}


async def test_reading_an_open_world_keeps_nothing() -> None:
    async with serving() as rig:
        for number in range(50):
            await rig.get(f"p{number}")
        await rig.patch({"notes": "x"}, "p7")
        kept = rig.simulator._state.contacts._kept
    assert list(kept["c1"]) == ["p7"]


async def test_contacts_can_be_added_and_replaced_while_serving() -> None:
    async with serving(world=one(notes="old")) as rig:
        await rig.patch({"notes": "written"})
        contacts = [{"campaign": "c1", "contact": name, "notes": "new"} for name in ("p1", "p2")]
        answer = await rig.send("POST", "/_sim/world", json={"contacts": contacts})
        notes = [(await rig.get(name)).json["notes"] for name in ("p1", "p2")]
        rig.simulator.extend_world({"open": True})
        opened = await rig.get("p3")
    assert answer.status == 204
    assert notes == ["new", "new"]
    assert opened.status == 200


async def test_large_worlds_can_be_posted() -> None:
    contacts = [
        {"campaign": "c1", "contact": f"p{number}", "notes": "x" * 500} for number in range(4000)
    ]
    async with serving(world=World()) as rig:
        body = io.BytesIO(json.dumps({"contacts": contacts}).encode())
        answer = await rig.send("POST", "/_sim/world", data=body)
        last = await rig.get("p3999")
    assert (answer.status, last.status) == (204, 200)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"contact": []},
        {"contacts": {}},
        {"contacts": ["p1"]},
        {"contacts": [{"campaign": "c1"}]},
        {"contacts": [{"campaign": "c1", "contact": ""}]},
        {"contacts": [{"campaign": "c1", "contact": "p1", "colour": "red"}]},
        {"contacts": [{"campaign": "c1", "contact": "p1", "state": 7}]},
        {"contacts": [{"campaign": "c1", "contact": "p1", "timeline": [["READY"]]}]},
        {"contacts": [{"campaign": "c1", "contact": "p1", "timeline": [["READY", -1]]}]},
        {"contacts": [{"campaign": "c1", "contact": "p1", "refuse": {"status": 500}}]},
        {"campaigns": {"c1": {"rate": True}}},
        {"campaigns": {"c1": {"rate": -1}}},
        {"missing_ratio": 1.5},
        {"missing_ratio": "half"},
        {"held": {"ratio": 2}},
        {"open": "yes"},
    ],
)
async def test_worlds_that_make_no_sense(data: object) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        World.from_json(data)
    async with serving() as rig:
        answer = await rig.send("POST", "/_sim/world", json=data)
    assert (answer.status, answer.json["error"]) == (400, "bad_request")


def test_world_file(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    data = {"contacts": [{"campaign": "ç", "contact": "😀"}], "open": True}
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    world = World.load(path)
    assert world.open
    assert list(world.contacts) == [("ç", "😀")]
