from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from aftercall.simulator import Faults, Simulator, SimulatorConfig

from .rig import MovedClock, Rig, serving

if TYPE_CHECKING:
    from pathlib import Path


async def lines(rig: Rig, path: str) -> list[dict[str, object]]:
    answer = await rig.send("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.body.splitlines()]


async def test_stats_over_http_are_those_in_process() -> None:
    async with serving() as rig:
        await rig.get()
        await rig.patch({"notes": "x"})
        await rig.send("POST", "/crm", json={})
        over_http = (await rig.send("GET", "/_sim/stats")).json
        in_process = rig.simulator.stats()
    assert over_http == in_process
    assert set(over_http) == {
        "requests",
        "campaigns",
        "in_flight_peak",
        "changes",
        "repeats",
        "live_call_writes",
        "faults",
        "tokens_issued",
        "crm",
    }


@pytest.mark.parametrize("in_file", [False, True])
async def test_ledger_and_events_are_streamed(tmp_path: Path, *, in_file: bool) -> None:
    path = tmp_path / "ledger.jsonl" if in_file else None
    async with serving(ledger_file=path) as rig:
        assert await lines(rig, "/_sim/ledger") == []
        await asyncio.gather(*(rig.patch({"notes": "x" * 300}, f"p{n}") for n in range(2500)))
        await rig.send("POST", "/crm", json={"a": 1})
        ledger = await lines(rig, "/_sim/ledger")
        events = await lines(rig, "/_sim/crm")
        assert ledger == rig.simulator.ledger()
    assert [entry["n"] for entry in ledger] == list(range(1, 2501))
    assert len({entry["contact"] for entry in ledger}) == 2500
    assert [event["body"] for event in events] == [{"a": 1}]


async def test_ledger_file_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"from":"before"}\n')
    async with serving(ledger_file=path) as rig:
        await rig.patch({"notes": "x"})
        assert len(path.read_text().splitlines()) == 2, "written before the answer"
        assert [entry["n"] for entry in rig.simulator.ledger()] == [1]
        rig.simulator.reset()
        assert rig.simulator.ledger() == []
        await rig.patch({"notes": "y"})
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert kept[0] == {"from": "before"}
    assert [entry["after"]["notes"] for entry in kept[1:]] == ["y"]


async def test_contact_is_shown_without_starting_its_timeline() -> None:
    clock = MovedClock()
    contact = {"campaign": "c/1", "contact": "p 1", "timeline": [["CONNECTED", 1], ["READY", None]]}
    async with serving(clock=clock) as rig:
        rig.simulator.extend_world({"contacts": [contact], "open": False})
        seen = []
        for _ in range(2):
            shown = await rig.send("GET", "/_sim/contact?campaign=c%2F1&contact=p%201")
            seen.append((shown.json["state"], shown.json["version"]))
            clock.forward(10)
        unknown = await rig.send("GET", "/_sim/contact?campaign=c1")
    assert seen == [("CONNECTED", 1), ("CONNECTED", 1)]
    assert unknown.status == 404


async def test_reset_begins_again() -> None:
    faults = Faults.from_json({"error_before": 1, "fault_limit": 1})
    async with serving(faults=faults) as rig:
        first = [(await rig.patch({"notes": "x"})).status for _ in range(2)]
        await rig.send("POST", "/crm", json={})
        answer = await rig.send("POST", "/_sim/reset")
        empty = rig.simulator.stats()
        ledger, events = rig.simulator.ledger(), rig.simulator.crm_events()
        second = [(await rig.patch({"notes": "x"})).status for _ in range(2)]
        [entry] = rig.simulator.ledger()
    assert answer.status == 204
    assert first == second == [503, 204]
    assert (ledger, events) == ([], [])
    assert (empty["requests"], empty["campaigns"], empty["changes"]) == ({}, {}, 0)
    assert (entry["n"], entry["effective"]) == (1, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/_sim/nothing", b"", 404),
        ("POST", "/_sim/stats", b"", 404),
        ("POST", "/_sim/faults", b"{", 400),
        ("POST", "/_sim/world", b"[" * 100_000, 400),
        ("POST", "/_sim/credentials", b'{"client_secret": 5}', 400),
        ("POST", "/_sim/credentials", b'{"password": "x"}', 400),
        ("GET", "/", b"", 404),
    ],
)
async def test_requests_that_make_no_sense(
    method: str, path: str, body: bytes, status: int
) -> None:
    async with serving() as rig:
        answer = await rig.send(method, path, data=body)
    assert answer.status == status
    assert answer.json["message"]


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "0.0.0.0"},  # noqa: S104 - refused, which is the point
        {"host": "192.168.1.1"},
        {"host": "example.org"},
        {"port": -1},
        {"latency_ms": -1},
        {"token_seconds": 0},
        {"patch_status": 202},
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        SimulatorConfig(**settings)  # type: ignore[arg-type]


async def test_default_settings_serve_an_empty_world() -> None:
    simulator = Simulator()
    with pytest.raises(RuntimeError, match="not been started"):
        assert simulator.url
    async with simulator:
        assert simulator.url.startswith("http://127.0.0.1:")
        assert simulator.crm_url == simulator.url + "/crm"
    await simulator.stop()


def test_secrets_are_not_printed() -> None:
    printed = repr(SimulatorConfig(client_secret="hidden-1", crm_secret="hidden-2"))
    assert "hidden" not in printed
