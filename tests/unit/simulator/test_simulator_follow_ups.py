"""The simulated tags, DNC groups and callbacks: documented fields, refusals, a journal, faults.

The names stand here as the published specifications give them, apart from simulator and profile.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aftercall.simulator import World

from .rig import Answer, Rig, always, serving

API = "/incontactapi/services/v33.0"
WORLD = World.from_json(
    {
        "open": True,
        "contacts": [{"campaign": "C1", "contact": "over", "state": "EndContact"}],
        "inactive_dnc_groups": [302],
    }
)
NUMBER = {"phoneNumber": "(202) 555-0101"}
CALLBACK = {"phoneNumber": "+12025550101", "skillId": 9001, "scheduleDate": "2026-12-01T10:00:00Z"}


@asynccontextmanager
async def signed_in(**settings: Any) -> AsyncIterator[Rig]:
    given = {"world": WORLD, "key_id": "key", "key_secret": "shh", **settings}
    async with serving(**given) as rig:
        key = {"accessKeyId": "key", "accessKeySecret": "shh"}
        answer = await rig.send("POST", "/authentication/v1/token/access-key", json=key)
        rig.token = answer.json["access_token"]
        yield rig


async def post(rig: Rig, path: str, body: object) -> Answer:
    return await rig.send("POST", API + path, headers=rig._headers(), json=body)


async def test_records_have_a_result_each_and_the_right_ones_stay() -> None:
    async with signed_in() as rig:
        body = {"dncGroupRecords": [NUMBER, {"phoneNumber": "none", "expiredDate": "2027-01-01"}]}
        part = await post(rig, "/dnc-groups/301/records", body)
        assert part.status == 206
        assert part.json["errorCount"] == 1
        assert [set(one) for one in part.json["recordResults"]] == [
            {"success", "error", "formattedPhone"}
        ] * 2
        assert [one["success"] for one in part.json["recordResults"]] == [True, False]
        again = await post(rig, "/dnc-groups/301/records", {"dncGroupRecords": [NUMBER]})
        assert (again.status, again.json["errorCount"]) == (200, 0)
        told = [(one["phone"], one["repeat"]) for one in rig.simulator.follow_ups()]
        assert told == [("2025550101", False), ("2025550101", True)]


async def test_tags_are_for_contacts_that_exist_closed_or_not() -> None:
    async with signed_in() as rig:
        tagged = await post(rig, "/contacts/over/tags", {"tags": [{"tagId": 17}, {"tagId": 18}]})
        assert (tagged.status, tagged.json) == (200, {"resultSet": {"errorCount": 0}})
        assert [one["tag"] for one in rig.simulator.follow_ups()] == [17, 18]
    async with signed_in(world=World()) as rig:
        assert (await post(rig, "/contacts/nobody/tags", {"tags": [{"tagId": 1}]})).status == 404


async def test_a_callback_has_an_id_and_a_second_one_is_a_second_one() -> None:
    async with signed_in() as rig:
        first = await post(rig, "/scheduled-callbacks", CALLBACK)
        second = await post(rig, "/scheduled-callbacks", {**CALLBACK, "firstName": "Kim"})
        assert (first.status, second.status) == (200, 200)
        assert first.json["callbackId"] != second.json["callbackId"]
        assert len(rig.simulator.follow_ups()) == 2
        rig.simulator.reset()
        assert rig.simulator.follow_ups() == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/dnc-groups/302/records", {"dncGroupRecords": [NUMBER]}, 409),
        ("/dnc-groups/all/records", {"dncGroupRecords": [NUMBER]}, 404),
        ("/dnc-groups/301/records", {"dncGroupRecords": [NUMBER] * 4501}, 400),
        ("/dnc-groups/301/records", {"records": [NUMBER]}, 400),
        ("/dnc-groups/301/records", {"dncGroupRecords": [{"phone": "1"}]}, 400),
        ("/dnc-groups/301/records", {"dncGroupRecords": []}, 400),
        ("/contacts/p1/tags", {"tags": [{"tagId": "17"}]}, 400),
        ("/contacts/p1/tags", {"tags": []}, 400),
        ("/scheduled-callbacks", {**CALLBACK, "skillId": 4}, 400),
        ("/scheduled-callbacks", {**CALLBACK, "skillId": "9001"}, 400),
        ("/scheduled-callbacks", {**CALLBACK, "phoneNumber": "x"}, 400),
        ("/scheduled-callbacks", {**CALLBACK, "scheduleDate": "tomorrow"}, 400),
        ("/scheduled-callbacks", {**CALLBACK, "colour": "red"}, 400),
        ("/scheduled-callbacks", [], 400),
    ],
)
async def test_what_is_not_of_the_documented_form_is_refused(
    path: str, body: object, status: int
) -> None:
    async with signed_in() as rig:
        refused = await post(rig, path, body)
        assert refused.status == status
        assert refused.json["error_description"] == refused.headers["icStatusDescription"]
        assert rig.simulator.follow_ups() == []


async def test_they_are_denied_and_fail_like_the_others() -> None:
    async with signed_in(denied=frozenset({"dnc-groups"})) as rig:
        body = {"dncGroupRecords": [NUMBER]}
        assert (await post(rig, "/dnc-groups/301/records", body)).status == 403
        wrong = await rig.send("GET", f"{API}/scheduled-callbacks", headers=rig._headers())
        assert wrong.status == 405
        rig.token = "other"
        assert (await post(rig, "/scheduled-callbacks", CALLBACK)).status == 401
    async with signed_in(faults=always("error_after_commit")) as rig:
        assert (await post(rig, "/scheduled-callbacks", CALLBACK)).status == 500
        assert len(rig.simulator.follow_ups()) == 1
        assert (await post(rig, "/scheduled-callbacks", CALLBACK)).status == 200
