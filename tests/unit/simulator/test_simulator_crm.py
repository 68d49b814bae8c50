from __future__ import annotations

import base64
import json
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from standardwebhooks import Webhook

from aftercall.simulator import Faults, SimulatorConfig
from aftercall.simulator.server import Simulator

from .rig import Answer, MovedClock, Rig, always, serving

if TYPE_CHECKING:
    from pathlib import Path

KEY = secrets.token_bytes(24)
SECRET = "whsec_" + base64.b64encode(KEY).decode()
EVENT = {"type": "disposition.written", "data": {"contact": "p/1", "text": "zażółć 😀"}}


def signed(event_id: str, body: str, secret: str = SECRET, age: float = 0) -> dict[str, str]:
    """Headers as an independent implementation of the standard makes them."""
    sent = datetime.fromtimestamp(int(time.time() - age), UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, sent, body),
    }


async def deliver(rig: Rig, event_id: str = "e1", path: str = "/crm", **changed: str) -> Answer:
    body = json.dumps(EVENT, ensure_ascii=False)
    headers = signed(event_id, body) | {k.replace("_", "-"): v for k, v in changed.items()}
    return await rig.send("POST", path, data=body.encode(), headers=headers)


async def test_signed_events_are_taken_and_recorded() -> None:
    async with serving(crm_secret=SECRET) as rig:
        before = time.time()
        first = await deliver(rig, "e1")
        second = await deliver(rig, "e2", "/crm/team/7")
        again = await deliver(rig, "e1")
        events, stats = rig.simulator.crm_events(), rig.simulator.stats()["crm"]
    assert {first.status, second.status, again.status} == {204}
    assert all(before <= event.pop("at") <= time.time() for event in events)
    assert events == [
        {"id": "e1", "path": "/crm", "body": EVENT, "attempt": 1},
        {"id": "e2", "path": "/crm/team/7", "body": EVENT, "attempt": 1},
        {"id": "e1", "path": "/crm", "body": EVENT, "attempt": 2},
    ]
    assert stats == {
        "received": 3,
        "distinct": 2,
        "bad_signatures": 0,
        "in_flight_peak": 1,
        "by_status": {"204": 3},
    }


async def test_secret_without_prefix_is_used_as_it_is() -> None:
    raw = "plain text, not base64 ä"
    body = json.dumps(EVENT)
    encoded = base64.b64encode(raw.encode()).decode()
    async with serving(crm_secret=raw) as rig:
        answer = await rig.send("POST", "/crm", data=body, headers=signed("e1", body, encoded))
    assert answer.status == 204


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook_id": "e2"},
        {"webhook_timestamp": "1"},
        {"webhook_timestamp": "now"},
        {"webhook_timestamp": str(int(time.time()) + 100)},
        {"webhook_signature": "v1,AAAA"},
        {"webhook_signature": ""},
        {"webhook_signature": "v1,ä"},
        signed("e1", "another body"),
        signed("e1", json.dumps(EVENT, ensure_ascii=False), age=1000),
        signed("e1", json.dumps(EVENT, ensure_ascii=False), "whsec_AAAA"),
    ],
)
async def test_bad_signatures_are_refused_and_counted(changed: dict[str, str]) -> None:
    async with serving(crm_secret=SECRET) as rig:
        answer = await deliver(rig, **changed)
        crm = rig.simulator.stats()["crm"]
    assert (answer.status, answer.json["error"]) == (401, "bad_signature")
    assert (crm["received"], crm["bad_signatures"], crm["by_status"]) == (0, 1, {"401": 1})


async def test_unsigned_event_is_refused_where_a_secret_is_known() -> None:
    async with serving(crm_secret=SECRET) as rig:
        answer = await rig.send("POST", "/crm", json=EVENT)
    assert answer.status == 401
    assert "webhook-id is missing" in answer.json["message"]


async def test_one_of_several_signatures_is_enough() -> None:
    body = json.dumps(EVENT, ensure_ascii=False)
    good = signed("e1", body)
    old = signed("e1", body, "whsec_AAAA")["webhook-signature"]
    async with serving(crm_secret=SECRET) as rig:
        answer = await deliver(
            rig,
            webhook_signature=f"{old} v2,xyz {good['webhook-signature']}",
            # A second may have passed since it was signed.
            webhook_timestamp=good["webhook-timestamp"],
        )
    assert answer.status == 204


async def test_while_a_secret_is_replaced_either_is_enough() -> None:
    other = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    body = json.dumps(EVENT, ensure_ascii=False)
    async with serving(crm_secret=f"{other}\n{SECRET}") as rig:
        answers = [await deliver(rig, **signed("e1", body, secret)) for secret in (SECRET, other)]
        stranger = await deliver(rig, **signed("e1", body, "whsec_AAAA"))
    assert [answer.status for answer in (*answers, stranger)] == [204, 204, 401]


async def test_without_secret_any_json_is_taken() -> None:
    async with serving() as rig:
        first = await rig.send("POST", "/crm", json=EVENT)
        again = await rig.send("POST", "/crm", json=EVENT)
        malformed = await rig.send("POST", "/crm", data=b"{")
        method = await rig.send("GET", "/crm")
        elsewhere = await rig.send("POST", "/crmx", json=EVENT)
        events = rig.simulator.crm_events()
    statuses = [answer.status for answer in (first, again, malformed, method, elsewhere)]
    assert statuses == [204, 204, 400, 405, 404]
    assert [(event["id"], event["attempt"]) for event in events] == [(None, 1), (None, 2)]


@pytest.mark.parametrize(("kind", "status"), [("crm_error", 500), ("crm_throttle", 429)])
async def test_event_is_not_taken_at_first(kind: str, status: int) -> None:
    async with serving(faults=always(kind)) as rig:
        answers = [await deliver(rig), await deliver(rig)]
        [event] = rig.simulator.crm_events()
        counted = rig.simulator.stats()["faults"]
    assert [answer.status for answer in answers] == [status, 204]
    assert event["attempt"] == 2
    assert counted == {kind: 1}
    assert ("Retry-After" in answers[0].headers) is (status == 429)


async def test_event_is_taken_without_an_answer() -> None:
    async with serving(faults=always("crm_reset_after")) as rig:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await deliver(rig)
        again = await deliver(rig)
        crm = rig.simulator.stats()["crm"]
    assert again.status == 204
    assert (crm["received"], crm["distinct"]) == (2, 1)
    assert crm["by_status"] == {"aborted": 1, "204": 1}


async def test_a_connection_is_closed_before_the_event_is_taken() -> None:
    async with serving(faults=always("crm_reset_before")) as rig:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await deliver(rig)
        assert rig.simulator.crm_events() == []
        assert (await deliver(rig)).status == 204


async def test_a_redirect_leads_to_where_nobody_may_follow() -> None:
    async with serving(faults=always("crm_redirect")) as rig:
        async with (
            aiohttp.ClientSession() as client,
            client.post(rig.simulator.crm_url, json=EVENT, allow_redirects=False) as answer,
        ):
            found = (answer.status, answer.headers["Location"])
        assert rig.simulator.crm_events() == []
    assert found == (302, "http://169.254.169.254/")


async def test_an_event_is_taken_with_a_huge_answer() -> None:
    async with serving(faults=always("crm_huge", huge_bytes=300_000)) as rig:
        async with (
            aiohttp.ClientSession() as client,
            client.post(rig.simulator.crm_url, json=EVENT) as answer,
        ):
            size = len(await answer.read())
        assert len(rig.simulator.crm_events()) == 1
    assert (answer.status, size > 250_000) == (200, True)


async def test_slow_crm_takes_the_event_at_once() -> None:
    async with serving(faults=always("crm_slow", slow_seconds=0.2)) as rig:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(0.05)) as hasty:
            with pytest.raises(TimeoutError):
                await hasty.post(rig.simulator.crm_url, json=EVENT)
        assert len(rig.simulator.crm_events()) == 1


async def test_gone_for_good_and_for_all() -> None:
    async with serving(faults=Faults.from_json({"crm_gone": 1})) as rig:
        statuses = {(await deliver(rig, f"e{number % 3}")).status for number in range(12)}
        received = rig.simulator.stats()["crm"]["received"]
    assert statuses == {410}
    assert received == 0


async def test_down_for_a_while() -> None:
    clock = MovedClock()
    async with serving(faults=Faults(crm_down_seconds=30), clock=clock) as rig:
        down = await deliver(rig)
        clock.forward(30)
        up = await deliver(rig)
        await rig.send("POST", "/_sim/faults", json={"crm_down_seconds": 5})
        down_again = await deliver(rig)
    assert (down.status, up.status, down_again.status) == (503, 204, 503)


async def test_events_can_go_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    async with serving(crm_file=path, crm_latency_ms=1) as rig:
        await deliver(rig)
        listed: list[dict[str, Any]] = rig.simulator.crm_events()
    assert [json.loads(line) for line in path.read_text().splitlines()] == listed
    assert listed[0]["id"] == "e1"


def test_malformed_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="base64"):
        Simulator(SimulatorConfig(crm_secret="whsec_?"))
