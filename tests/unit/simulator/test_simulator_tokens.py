from __future__ import annotations

import asyncio

from .rig import SCOPE, MovedClock, serving


async def test_token_answer_has_all_members() -> None:
    async with serving(token_seconds=120) as rig:
        answer = await rig.ask_token()
    assert answer.status == 200
    assert len(answer.json.pop("access_token")) >= 32
    assert answer.json == {"token_type": "bearer", "expires_in": 120, "scope": SCOPE}


async def test_every_token_is_new_and_counted() -> None:
    async with serving() as rig:
        answers = await asyncio.gather(*(rig.ask_token() for _ in range(5)))
        issued = rig.simulator.stats()["tokens_issued"]
    assert len({answer.json["access_token"] for answer in answers}) == 5
    assert issued == 6


async def test_wrong_credentials_are_refused() -> None:
    async with serving(client_id="id", client_secret="secret") as rig:
        wrong_secret = await rig.ask_token(client_secret="guess")
        wrong_id = await rig.ask_token(client_id="guess")
        right = await rig.ask_token()
    assert (wrong_secret.status, wrong_id.status, right.status) == (401, 401, 200)
    assert wrong_secret.json["error"] == "invalid_client"
    assert wrong_secret.json["error_description"]


async def test_unknown_client_takes_any_credentials_but_empty_ones() -> None:
    async with serving() as rig:
        empty = await rig.ask_token(client_secret="")
        any_other = await rig.ask_token(client_secret="whatever")
    assert (empty.status, any_other.status) == (401, 200)


async def test_malformed_token_requests() -> None:
    async with serving() as rig:
        grant = await rig.ask_token(grant_type="password")
        scope = await rig.ask_token(scope="something:else")
        form = await rig.send("POST", "/api/v1/oauth2/token", data=b"\xff\xfe")
        method = await rig.send("GET", "/api/v1/oauth2/token")
    assert (grant.status, grant.json["error"]) == (400, "unsupported_grant_type")
    assert (scope.status, scope.json["error"]) == (400, "invalid_scope")
    assert (form.status, form.json["error"]) == (400, "invalid_request")
    assert method.status == 405


async def test_tokens_expire() -> None:
    clock = MovedClock()
    async with serving(clock=clock, token_seconds=60) as rig:
        clock.forward(59.9)
        assert (await rig.get()).status == 200
        clock.forward(0.2)
        late = await rig.get()
        assert (late.status, late.json["error"]) == (401, "invalid_token")
        await rig.log_in()
        assert (await rig.get()).status == 200


async def test_missing_unknown_and_odd_authorization() -> None:
    async with serving() as rig:
        url = rig.contact_url("c1", "p1")
        missing = await rig.send("GET", url)
        unknown = await rig.send("GET", url, headers={"Authorization": "Bearer nobody"})
        scheme = await rig.send("GET", url, headers={"Authorization": f"Basic {rig.token}"})
        lower = await rig.send("GET", url, headers={"Authorization": f"bearer {rig.token}"})
    assert [answer.status for answer in (missing, unknown, scheme, lower)] == [401, 401, 401, 200]
    assert missing.json["error"] == "invalid_token"


async def test_tokens_can_be_revoked_over_http_and_in_process() -> None:
    async with serving() as rig:
        revoked = await rig.send("POST", "/_sim/tokens/revoke")
        assert revoked.json == {"revoked": 1}
        assert (await rig.get()).status == 401
        await rig.log_in()
        assert rig.simulator.revoke_tokens() == 1
        assert (await rig.get()).status == 401


async def test_secret_can_be_changed_while_serving() -> None:
    async with serving(client_secret="secret") as rig:
        changed = await rig.send("POST", "/_sim/credentials", json={"client_secret": "rotated"})
        assert changed.status == 204
        assert (await rig.get()).status == 200, "tokens outlive the secret"
        assert (await rig.ask_token()).status == 401
        assert (await rig.ask_token(client_secret="rotated")).status == 200
        rig.simulator.set_client_secret("secret")
        assert (await rig.ask_token()).status == 200


async def test_missing_scopes_are_named() -> None:
    async with serving(scope="outbound:campaign:write outbound:contact:write") as rig:
        granted = await rig.ask_token()
        read, write = await rig.get(), await rig.patch({"outcomeCode": "SOLD"})
        ledger = rig.simulator.ledger()
    assert granted.json["scope"] == "outbound:campaign:write outbound:contact:write"
    assert read.status == 200
    assert (write.status, write.json["error"]) == (403, "insufficient_scope")
    assert "requires outbound:disposition:write" in write.json["error_description"]
    assert ledger == []


async def test_reading_needs_the_contact_scope() -> None:
    async with serving(scope="outbound:disposition:write") as rig:
        read, write = await rig.get(), await rig.patch({"outcomeCode": "SOLD"})
    assert (read.status, write.status) == (403, 204)
    assert "requires outbound:contact:write" in read.json["error_description"]


async def test_token_endpoint_down_and_back() -> None:
    faults = {"token_down": 1, "fault_limit": 2}
    async with serving() as rig:
        await rig.send("POST", "/_sim/faults", json=faults)
        statuses = [(await rig.ask_token()).status for _ in range(6)]
    assert statuses == [503, 503, 200, 503, 503, 200]


async def test_token_endpoint_slow() -> None:
    async with serving() as rig:
        await rig.send("POST", "/_sim/faults", json={"token_slow": 1, "slow_seconds": 0.15})
        begun = asyncio.get_running_loop().time()
        answer = await rig.ask_token()
        taken = asyncio.get_running_loop().time() - begun
    assert answer.status == 200
    assert taken >= 0.14
