from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercall.simulator import FaultKind, Faults
from aftercall.simulator.faults import FaultDice

from .rig import MovedClock, Rig, always, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SOLD = {"outcomeCode": "SOLD"}
ELSEWHERE = ("token_", "crm_", "list_")
TENANT_KINDS = [kind for kind in FaultKind if not kind.value.startswith(ELSEWHERE)]
LIST_KINDS = [kind for kind in FaultKind if kind.value.startswith("list_")]


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No fault, however rude, may be reported as a defect of the server."""
    caplog.set_level(logging.INFO)
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def outcome(rig: Rig) -> str | None:
    answer = await rig.send("GET", "/_sim/contact?campaign=c1&contact=p1")
    code: str | None = answer.json["outcomeCode"]
    return code


async def test_reset_before_changes_nothing() -> None:
    async with serving(faults=always("reset_before")) as rig:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await rig.patch(SOLD)
        assert await outcome(rig) is None
        assert (await rig.patch(SOLD)).status == 204
        stats = rig.simulator.stats()
    assert stats["faults"] == {"reset_before": 1}
    assert stats["requests"]["PATCH"] == {"aborted": 1, "204": 1}
    assert stats["changes"] == 1


async def test_reset_after_commits_without_an_answer() -> None:
    async with serving(faults=always("reset_after")) as rig:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await rig.patch(SOLD)
        assert await outcome(rig) == "SOLD"
        assert (await rig.patch(SOLD)).status == 204
        ledger = rig.simulator.ledger()
    assert [entry["answered"] for entry in ledger] == [False, True]
    assert [entry["effective"] for entry in ledger] == [True, False]


@pytest.mark.parametrize(
    ("kind", "status", "committed"),
    [
        ("error_before", 503, None),
        ("error_after_commit", 500, "SOLD"),
        ("garbage", 200, None),
        ("unauthorized", 401, None),
        ("throttle", 429, None),
        ("redirect", 302, None),
        ("slow", 204, "SOLD"),
        ("slow_before", 204, "SOLD"),
    ],
)
async def test_answer_and_effect_on_a_write(kind: str, status: int, committed: str | None) -> None:
    async with serving(faults=always(kind, slow_seconds=0.01)) as rig:
        answer = await rig.patch(SOLD)
        assert await outcome(rig) == committed
        stats = rig.simulator.stats()
    assert answer.status == status
    assert stats["faults"] == {kind: 1}


async def test_garbage_is_no_json_for_reads_and_a_login_page_for_writes() -> None:
    async with serving(faults=Faults.from_json({"garbage": 1})) as rig:
        read, write = await rig.get(), await rig.patch(SOLD)
    assert (read.status, write.status) == (200, 200)
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        json.loads(read.body)
    assert write.headers["Content-Type"].startswith("text/html")


async def test_throttle_has_retry_after_and_redirect_a_forbidden_target() -> None:
    async with serving(faults=always("throttle")) as rig:
        assert (await rig.get()).headers["Retry-After"] == "1"
        await rig.send("POST", "/_sim/faults", json={"redirect": 1})
        assert (await rig.get()).headers["Location"] == "http://169.254.169.254/"


async def test_unauthorized_revokes_the_token() -> None:
    async with serving(faults=always("unauthorized")) as rig:
        statuses = [(await rig.get()).status for _ in range(2)]
        await rig.log_in()
        statuses.append((await rig.get()).status)
    assert statuses == [401, 401, 200]


@pytest.mark.parametrize(("kind", "early"), [("slow", "SOLD"), ("slow_before", None)])
async def test_slow_answers_commit_before_or_after_the_delay(kind: str, early: str | None) -> None:
    async with serving(faults=always(kind, slow_seconds=0.2)) as rig:
        writing = asyncio.create_task(rig.patch(SOLD))
        done, _ = await asyncio.wait([writing], timeout=0.1)
        assert not done
        assert await outcome(rig) == early
        assert (await writing).status == 204
        assert await outcome(rig) == "SOLD"


async def test_slow_write_is_committed_although_the_caller_left() -> None:
    async with serving(faults=always("slow", slow_seconds=0.1)) as rig:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rig.patch(SOLD), 0.05)
        assert await outcome(rig) == "SOLD"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_truncated_answers_break_off(method: str) -> None:
    async with serving(faults=always("truncated")) as rig:
        with pytest.raises(aiohttp.ClientPayloadError):
            await (rig.get() if method == "GET" else rig.patch(SOLD))
        assert await outcome(rig) == (None if method == "GET" else "SOLD")


async def test_conflict_hits_only_conditional_writes_and_keeps_the_outcome() -> None:
    async with serving(faults=always("conflict"), clock=MovedClock()) as rig:
        first = await rig.get()
        conflict = await rig.patch(SOLD, If_Match=first.headers["ETag"])
        second = await rig.get()
        resolved = await rig.patch(SOLD, If_Match=second.headers["ETag"])
    assert (first.status, conflict.status, resolved.status) == (200, 412, 204)
    assert second.headers["ETag"] == '"v2"'
    assert second.json["outcomeCode"] is None

    async with serving(faults=Faults.from_json({"conflict": 1})) as rig:
        unconditional = await rig.patch(SOLD)
    assert unconditional.status == 204


async def test_huge_answer_is_streamed() -> None:
    async with serving(faults=always("huge", huge_bytes=3_000_000)) as rig:
        answer = await rig.get()
    assert len(answer.body) > 2_900_000


async def test_caller_may_hang_up_on_a_huge_answer() -> None:
    async with serving(faults=always("huge")) as rig:
        headers = {"Authorization": f"Bearer {rig.token}"}
        async with rig.session.get(rig.contact_url("c1", "p1"), headers=headers) as reply:
            first = await reply.content.readexactly(1000)
            reply.close()
        assert (await rig.get()).status == 200
    assert first.startswith(b'{"notes":"')


@pytest.mark.parametrize("limit", [1, 3])
async def test_limit_bounds_the_faults_of_one_contact(limit: int) -> None:
    faults = Faults.from_json({"error_before": 1, "fault_limit": limit})
    async with serving(faults=faults) as rig:
        for contact in ("p1", "p2"):
            statuses = [(await rig.get(contact)).status for _ in range(limit + 2)]
            assert statuses == [503] * limit + [200] * 2


async def test_without_limit_faults_go_on() -> None:
    async with serving(faults=Faults.from_json({"error_before": 1, "fault_limit": 0})) as rig:
        assert {(await rig.get()).status for _ in range(10)} == {503}


async def test_same_seed_gives_the_same_faults_whatever_the_order() -> None:
    mix = Faults.from_json({"error_before": 0.3, "throttle": 0.3, "garbage": 0.2})

    async def run(seed: int, *, backwards: bool) -> dict[str, list[int]]:
        names = [f"p{number}" for number in range(40)]
        async with serving(faults=mix, seed=seed) as rig:

            async def one(name: str) -> tuple[str, list[int]]:
                return name, [(await rig.patch(SOLD, name)).status for _ in range(4)]

            if backwards:
                return dict([await one(name) for name in reversed(names)])
            return dict(await asyncio.gather(*(one(name) for name in names)))

    first = await run(1, backwards=False)
    assert first == await run(1, backwards=True)
    assert first != await run(2, backwards=False)
    assert {status for statuses in first.values() for status in statuses} == {503, 429, 200, 204}


async def test_requests_turned_away_do_not_shift_the_faults() -> None:
    faults = Faults.from_json({"error_before": 0.5, "fault_limit": 0})
    async with serving(faults=faults, seed=3) as rig:
        plain = [(await rig.get()).status for _ in range(8)]
    async with serving(faults=faults, seed=3) as rig:
        mixed = []
        for _ in range(8):
            rig.simulator.revoke_tokens()
            mixed.append((await rig.get()).status)
            await rig.log_in()
            mixed.append((await rig.get()).status)
    assert mixed[0::2] == [401] * 8
    assert mixed[1::2] == plain


@given(seed=st.integers(), probability=st.floats(0, 1), limit=st.integers(1, 5))
def test_dice_keep_the_limit_and_repeat(seed: int, probability: float, limit: int) -> None:
    faults = Faults(dict.fromkeys(TENANT_KINDS, probability), fault_limit=limit)

    def rolls() -> list[FaultKind | None]:
        dice = FaultDice(faults, seed)
        methods = ["GET", "PATCH"] * 10
        return [dice.for_contact(one, "c", "p", conditional=True) for one in methods]

    drawn = rolls()
    assert drawn == rolls()
    assert sum(fault is not None for fault in drawn) <= limit


@given(st.sampled_from(LIST_KINDS))
def test_faults_of_lists_hit_lists_alone(kind: FaultKind) -> None:
    dice = FaultDice(Faults({kind: 1.0}, fault_limit=1), 7)
    assert dice.for_contact("GET", "c", "p", conditional=False) is None
    assert [dice.for_list("c", "p") for _ in range(2)] == [kind, None]
    assert dice.for_list("c", "another") is kind


@given(st.sampled_from(TENANT_KINDS))
def test_frequency_follows_the_probability(kind: FaultKind) -> None:
    dice = FaultDice(Faults({kind: 0.25}), 7)
    hits = [
        dice.for_contact("PATCH", "c", f"p{number}", conditional=True) for number in range(2000)
    ]
    assert set(hits) == {kind, None}
    assert 400 <= hits.count(kind) <= 600
    assert dice.counts == {kind: hits.count(kind)}


@pytest.mark.parametrize(
    "data",
    [
        {"no_such_kind": 1},
        {"slow": 1.5},
        {"slow": "often"},
        {"slow": True},
        {"fault_limit": -1},
        {"fault_limit": 1.5},
        [],
    ],
)
async def test_faults_that_make_no_sense(data: dict[str, float]) -> None:
    async with serving() as rig:
        answer = await rig.send("POST", "/_sim/faults", json=data)
        unharmed = await rig.get()
    assert (answer.status, unharmed.status) == (400, 200)
    assert answer.json["message"]


async def test_faults_can_be_replaced_in_process() -> None:
    async with serving(faults=Faults.from_json({"error_before": 1, "fault_limit": 0})) as rig:
        first = await rig.get()
        rig.simulator.set_faults(Faults())
        second = await rig.get()
        counted = rig.simulator.stats()["faults"]
    assert (first.status, second.status) == (503, 200)
    assert counted == {"error_before": 1}
