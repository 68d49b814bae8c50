"""The simulated ACD API: its answers have the documented fields, its refusals the documented words.

The names stand here as the published specifications give them, apart from both the simulator and
the profile.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aftercall.simulator import World

from .rig import Answer, Rig, serving

API = "/incontactapi/services/v33.0"
KEY = {"accessKeyId": "key", "accessKeySecret": "shh"}

TOKEN = {"access_token", "token_type", "expires_in", "refresh_token", "id_token"}
KEY_TOKEN = TOKEN | {"refresh_token_expires_in"}
PASSWORD_TOKEN = TOKEN | {"issued_token_type"}
REFRESHED = {
    "token", "tokenExpirationTimeSec", "refreshToken", "refreshTokenExpirationTimeSec", "sessionId"
}  # fmt: skip
CONFIGURATION = {
    "private", "ui_endpoint", "auth_endpoint", "api_endpoint", "area", "cluster", "domain",
    "acdDomain", "uhDomain", "tenantId", "globaldomain",
}  # fmt: skip
DISPOSITION = {
    "dispositionId", "dispositionName", "notes", "lastUpdated", "classificationId",
    "systemOutcome", "isActive", "isPreviewDisposition",
}  # fmt: skip
SKILL_DISPOSITION = {
    "dispositionId", "dispositionName", "displayOrder", "classification", "reportingGroup",
    "systemOutcome", "requireCommitmentAmount", "requireRescheduleDate", "agentSpecific",
    "isPreviewDisposition", "dispositionCategoryName",
}  # fmt: skip
ACTIVE = {
    "contactId", "masterContactId", "campaignId", "skillId", "agentId", "state", "stateId",
    "isOutbound", "lastUpdateTime",
}  # fmt: skip
COMPLETED = {
    "primaryDispositionId", "secondaryDispositionId", "dispositionNotes", "endReason", "acwSeconds",
    "isOutbound", "lastUpdateTime", "campaignId", "skillId", "agentId",
}  # fmt: skip
HELD = {"dispositionId", "dispositionName", "dispositionByAgendId", "notes", "lastUpdated"}
STATE = {"ContactStateCategory", "ContactStateDescription", "ContactStateId"}

WORLD = World.from_json(
    {
        "open": True,
        "contacts": [
            {"campaign": "C1", "contact": "talking", "state": "Active", "skill": 4711},
            {"campaign": "C1", "contact": "ringing", "state": "RINGING"},
            {"campaign": "C1", "contact": "over", "state": "EndContact", "outcome": "1002"},
            {"campaign": "C1", "contact": "acw", "state": "WRAP_UP"},
            {"campaign": "C1", "contact": "odd", "state": "Active"}
            | {"refuse": {"status": 400, "message": "Skill Not Running"}},
        ],
    }
)


@asynccontextmanager
async def signed_in(**settings: Any) -> AsyncIterator[Rig]:
    given = {"world": WORLD, "key_id": "key", "key_secret": "shh", **settings}
    async with serving(**given) as rig:
        rig.token = (await by_key(rig)).json["access_token"]
        yield rig


async def by_key(rig: Rig, **changed: str) -> Answer:
    return await rig.send("POST", "/authentication/v1/token/access-key", json={**KEY, **changed})


async def get(rig: Rig, path: str) -> Answer:
    return await rig.send("GET", API + path, headers=rig._headers())


async def put(rig: Rig, contact: str, **info: str) -> Answer:
    given = {"skill": "9001", "dispositionCode": "1001", **info}
    path = f"{API}/contacts/{contact}/set-disposition"
    return await rig.send("POST", path, headers=rig._headers(), json={"dispositionInfo": given})


async def test_an_access_key_signs_in() -> None:
    async with signed_in() as rig:
        got = await by_key(rig)
        assert (got.status, set(got.json)) == (200, KEY_TOKEN)
        assert (await by_key(rig, accessKeySecret="guess")).status == 401
        refresh = {"token": got.json["refresh_token"]}
        renewed = await rig.send("POST", "/public/user/refresh", json=refresh)
        assert (renewed.status, set(renewed.json)) == (200, REFRESHED)
        assert (await rig.send("POST", "/public/user/refresh", json={"token": "x"})).status == 401


async def test_an_application_signs_in_with_an_access_key() -> None:
    async with signed_in(client_id="id", client_secret="secret") as rig:
        form = {"grant_type": "password", "username": "key", "password": "shh"}
        pair = base64.b64encode(b"id:secret").decode()
        headers = {"Authorization": f"Basic {pair}"}
        got = await rig.send("POST", "/auth/token", data=form, headers=headers)
        assert (got.status, set(got.json)) == (200, PASSWORD_TOKEN)
        in_form = form | {"client_id": "id", "client_secret": "secret"}
        assert (await rig.send("POST", "/auth/token", data=in_form)).status == 200
        assert (await rig.send("POST", "/auth/token", data=form)).status == 401
        wrong = in_form | {"password": "x"}
        assert (await rig.send("POST", "/auth/token", data=wrong)).json["error"] == "invalid_grant"
        client = in_form | {"grant_type": "client_credentials"}
        assert (await rig.send("POST", "/auth/token", data=client)).status == 400


async def test_the_api_is_found_by_the_tenants_id() -> None:
    async with signed_in() as rig:
        path = "/.well-known/cxone-configuration"
        got = await rig.send("GET", f"{path}?tenantId=11eb-simulated")
        assert set(got.json) == CONFIGURATION
        assert got.json["api_endpoint"] == rig.simulator.url
        assert (await rig.send("GET", f"{path}?tenantId=other")).status == 404


async def test_contacts_have_the_documented_fields() -> None:
    async with signed_in() as rig:
        talking = await get(rig, "/contacts/talking")
        assert set(talking.json["resultSet"]) == ACTIVE
        assert talking.json["resultSet"]["skillId"] == 4711
        over = await get(rig, "/contacts/over")
        assert set(over.json) >= COMPLETED
        assert over.json["primaryDispositionId"] == 1002
        assert (await get(rig, "/contacts/unlisted")).status == 200


async def test_an_unknown_contact_is_404_in_a_closed_world() -> None:
    async with signed_in(world=World()) as rig:
        assert (await get(rig, "/contacts/nobody")).status == 404
        assert (await get(rig, "/contacts/nobody/disposition")).status == 404
        assert (await put(rig, "nobody")).status == 400


async def test_lists_have_the_documented_fields() -> None:
    async with signed_in() as rig:
        every = (await get(rig, "/dispositions")).json
        assert {"totalRecords", "businessUnitId", "_links", "dispositions"} == set(every)
        assert all(set(one) == DISPOSITION for one in every["dispositions"])
        part = (await get(rig, "/dispositions?skip=2&top=3")).json
        assert part["dispositions"] == every["dispositions"][2:5]
        of_skill = (await get(rig, "/skills/4711/dispositions")).json["dispositions"]
        assert all(set(one) == SKILL_DISPOSITION for one in of_skill)
        assert "Retired" not in {one["dispositionName"] for one in of_skill}
        assert (await get(rig, "/skills/1/dispositions")).status == 404
        states = (await get(rig, "/contact-state-descriptions")).json
        assert all(set(one) == STATE for one in states["contactStateDescriptions"])
        groups = (await get(rig, "/dispositions/classifications")).json["classificationResults"]
        assert {"classificationId", "classificationName", "isContactFinal"} <= set(groups[0])


async def test_a_disposition_is_set_and_read_back() -> None:
    async with signed_in() as rig:
        assert (await get(rig, "/contacts/acw/disposition")).status == 204
        done = await put(rig, "acw", notes="n", callbackTime="2026-01-02T10:00:00Z")
        assert (done.status, done.body) == (200, b"")
        held = await get(rig, "/contacts/acw/disposition")
        assert set(held.json) == HELD
        assert (held.json["dispositionId"], held.json["notes"]) == (1001, "n")
        (entry,) = rig.simulator.ledger()
        assert entry["campaign"] == "C1"
        assert entry["after"]["customFields"] == {"callbackTime": "2026-01-02T10:00:00Z"}
        await put(rig, "acw", notes="n", callbackTime="2026-01-02T10:00:00Z")
        assert [one["effective"] for one in rig.simulator.ledger()] == [True, False]


@pytest.mark.parametrize(
    ("contact", "info", "text"),
    [
        ("over", {}, "Invalid Contact ID"),
        ("ringing", {}, "Invalid Contact ID"),
        ("odd", {}, "Skill Not Running"),
        ("acw", {"skill": "1"}, "Invalid Skill"),
        ("acw", {"dispositionCode": "77"}, "Invalid Disposition Code"),
        ("acw", {"dispositionCode": "1010"}, "Invalid Disposition Code"),
        ("acw", {"dispositionCode": "1011"}, "Specified Disposition Has No Classification"),
        ("acw", {"commitmentAmount": "lots"}, "Invalid Commitment Amount"),
        ("acw", {"callbackTime": "tomorrow"}, "Invalid Callback Time"),
        ("acw", {"agentId": "7"}, "Invalid Skill"),
    ],
    ids=str,
)
async def test_refusals_have_the_documented_words(
    contact: str, info: dict[str, str], text: str
) -> None:
    async with signed_in() as rig:
        got = await put(rig, contact, **info)
        assert (got.status, got.headers["icStatusDescription"]) == (400, text)
        assert got.json["error_description"] == text
        assert rig.simulator.ledger() == []


async def test_a_token_or_a_permission_may_be_lacking() -> None:
    async with signed_in(denied=frozenset({"dispositions", "set-disposition"})) as rig:
        assert (await get(rig, "/dispositions")).status == 403
        assert (await put(rig, "acw")).status == 403
        assert (await get(rig, "/contacts/acw")).status == 200
        rig.simulator.revoke_tokens()
        assert (await get(rig, "/contacts/acw")).status == 401
