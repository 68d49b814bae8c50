"""The profile `acd` against the documentation: every address and name as it is published.

The values stand here as in NICE's specifications, apart from the profile and from the simulator.
"""

import json
from typing import Any

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain import answer
from aftercall.domain.answer import Found
from aftercall.domain.audit import Origin, Subject
from aftercall.domain.call_record import CallRecord
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.status import Status
from aftercall.settings import settings_from
from aftercall.wire.codes import Item, read_part
from aftercall.wire.discovery import api_url_in, token_url_in
from aftercall.wire.follow_ups import Sender, follow_up_request, rules_for
from aftercall.wire.http import HttpRequest
from aftercall.wire.masking import Mask
from aftercall.wire.requests import (
    Basis,
    discovery_request,
    lookup_request,
    read_request,
    readback_request,
    refresh_request,
    token_discovery_request,
    token_request,
    write_request,
)
from aftercall.wire.responses import read_contact, read_held, read_written
from aftercall.wire.target import Identity, Target
from aftercall.wiring.values import target_of

from .make import answered, row

ACD = load_profile("acd")
APP = Identity("app", "secret", "key", "key-secret")
KEY = Identity(key_id="key", key_secret="key-secret")
API = "https://api-na1.niceincontact.com"
SERVICES = f"{API}/incontactapi/services/v33.0"


@pytest.fixture
def here() -> Target:
    """Return the tenant as a configuration with `instance = "na1"` makes it."""
    tenant = {"profile": "acd", "instance": "na1"}
    return target_of(settings_from({"tenant": tenant, "outcomes": {"SALE": "positive"}}, {}))


@pytest.fixture
def api(here: Target) -> Target:
    """Return the tenant whose API's address is known."""
    return Target(here.profile, here.base_url, here.instance, API)


def place(request: HttpRequest | None) -> str:
    assert request is not None
    return f"{request.method} {request.url}"


def body(request: HttpRequest | None) -> Any:
    assert request is not None
    return json.loads(request.body or b"")


class TestSigningIn:
    def test_where_it_is_done(self, here: Target) -> None:
        cxone = "https://cxone.niceincontact.com"
        asked = token_discovery_request(here, APP)
        assert place(asked) == f"GET {cxone}/.well-known/openid-configuration"
        assert place(token_request(here, APP)) == f"POST {cxone}/auth/token"
        assert place(refresh_request(here, APP, "r")) == f"POST {cxone}/auth/token"
        area = "https://na1.nice-incontact.com"
        assert token_discovery_request(here, KEY) is None
        login = token_request(here, KEY)
        assert place(login) == f"POST {area}/authentication/v1/token/access-key"
        assert body(login) == {"accessKeyId": "key", "accessKeySecret": "key-secret"}
        again = refresh_request(here, KEY, "r")
        assert (place(again), body(again)) == (f"POST {area}/public/user/refresh", {"token": "r"})

    def test_the_token_endpoint_may_be_named(self, here: Target) -> None:
        named = answered(200, {"token_endpoint": "https://cxone.niceincontact.com/other"})
        assert token_url_in(here, ACD.auth[0], named) == "https://cxone.niceincontact.com/other"

    @pytest.mark.parametrize(
        ("told", "found"),
        [
            ({"api_endpoint": f"{API}/"}, API),
            ({"area": "na1"}, API),
            ({"cluster": "c7"}, "https://api-c7.nice-incontact.com"),
            ({"api_endpoint": "https://api.incontact.com"}, "https://api.incontact.com"),
            ({"api_endpoint": "https://api.example"}, None),
        ],
        ids=str,
    )
    def test_where_the_api_is(self, here: Target, told: dict[str, str], found: str | None) -> None:
        asked = discovery_request(here, "t-1", "token")
        where = "https://cxone.niceincontact.com/.well-known/cxone-configuration?tenantId=t-1"
        assert place(asked) == f"GET {where}"
        assert api_url_in(here, answered(200, told)) == found


class TestContacts:
    def test_what_is_asked(self, api: Target) -> None:
        assert place(read_request(api, row(), "t", "r")) == f"GET {SERVICES}/contacts/P1"
        held = readback_request(api, row(), "t", "r")
        assert place(held) == f"GET {SERVICES}/contacts/P1/disposition"
        assert held.headers["Correlationid"] == "r"

    def test_what_is_written(self, api: Target) -> None:
        custom = {
            "callback_time": "2026-01-02T10:00:00Z",
            "callback_number": "+12025550100",
            "commitment_amount": 12.5,
            "other": "x",
        }
        given = row(notes="n", custom_fields=custom)
        basis = Basis('"1"', {"skill": "4711"}, "1001")
        sent = write_request(api, given, "t", "r", basis)
        assert place(sent) == f"POST {SERVICES}/contacts/P1/set-disposition"
        assert body(sent) == {
            "dispositionInfo": {
                "skill": "4711",
                "dispositionCode": "1001",
                "notes": "n",
                "callbackTime": "2026-01-02T10:00:00Z",
                "callbackNumber": "+12025550100",
                "commitmentAmount": "12.5",
            }
        }
        assert "If-Match" not in sent.headers

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda one: {"resultSet": {"activeContacts": [one]}},
            lambda one: {"resultSet": one},
            lambda one: {"contactId": one},
            lambda one: one,
        ],
    )
    def test_an_active_contact_in_each_envelope(self, wrap: Any) -> None:
        one = {"state": "Active", "stateId": 4, "skillId": 4711}
        got = read_contact(ACD, answered(200, wrap(one)), 0, Mask(), {"4": "Active"})
        assert isinstance(got, Found)
        assert (got.contact.state, got.contact.idle) == ("ACTIVE", True)
        assert got.contact.told == {"skill": "4711"}

    def test_a_completed_contact(self) -> None:
        told = {
            "primaryDispositionId": 1002,
            "dispositionNotes": "n",
            "endReason": "Contact Hung Up",
            "skillId": 4711,
        }
        got = read_contact(ACD, answered(200, told), 0, Mask())
        assert isinstance(got, Found)
        assert (got.contact.closed, got.contact.outcome, got.contact.notes) == (True, "1002", "n")
        assert isinstance(read_contact(ACD, answered(204), 0, Mask()), answer.Absent)

    @pytest.mark.parametrize(
        ("states", "idle", "closed"),
        [
            ("Active Holding Joined Masking Disconnected CallBackDisconnected", True, False),
            ("Incoming Ringing Dialing Preview NaturalCallRinging", False, False),
            ("NaturalCallAMD NaturalCallDialing InQueue Queuing Transfer", False, False),
            ("EndContact Released", False, True),
        ],
    )
    def test_what_each_state_means(self, states: str, *, idle: bool, closed: bool) -> None:
        for state in states.split():
            got = read_contact(ACD, answered(200, {"state": state}), 0, Mask())
            assert isinstance(got, Found)
            assert (got.contact.idle, got.contact.closed) == (idle, closed), state
            known = ACD.states.wait | ACD.states.allowed | ACD.states.closed
            assert got.contact.state in known, state

    def test_a_disposition_that_is_held(self) -> None:
        told = {
            "dispositionId": 1001,
            "dispositionName": "Interested",
            "dispositionByAgendId": 9,
            "notes": "n",
            "lastUpdated": "2026-01-02T10:00:00Z",
        }
        got = read_held(ACD, answered(200, told), 0, Mask())
        assert isinstance(got, Found)
        held = got.contact
        assert (held.outcome, held.notes, held.agent) == ("1001", "n", None)
        assert (held.timestamp_ms, held.stored_ms) == (None, 1_767_348_000_000)
        for status in (204, 404):
            assert isinstance(read_held(ACD, answered(status), 0, Mask()), Found)


class TestLists:
    @pytest.mark.parametrize(
        ("name", "key", "path"),
        [
            ("states", "", "v33.0/contact-state-descriptions"),
            ("skill_dispositions", "4711", "v12.0/skills/4711/dispositions"),
            ("dispositions", "", "v33.0/dispositions?skip=0&top=100"),
            ("classifications", "", "v33.0/dispositions/classifications"),
        ],
    )
    def test_where_they_are(self, api: Target, name: str, key: str, path: str) -> None:
        request = lookup_request(api, ACD.lookup[name], key, 0, "t")
        assert place(request) == f"GET {API}/incontactapi/services/{path}"

    @pytest.mark.parametrize(
        ("name", "told", "item"),
        [
            (
                "states",
                {
                    "contactStateDescriptions": [
                        {"ContactStateId": 4, "ContactStateDescription": "Active"}
                    ]
                },
                Item("4", "Active"),
            ),
            (
                "skill_dispositions",
                {"dispositions": [{"dispositionId": 1, "dispositionName": "Sale"}]},
                Item("1", "Sale"),
            ),
            (
                "dispositions",
                {
                    "totalRecords": 2,
                    "dispositions": [
                        {"dispositionId": 1, "dispositionName": "Sale", "classificationId": 2}
                        | {"isActive": True},
                        {"dispositionId": 2, "dispositionName": "Old", "isActive": False},
                    ],
                },
                Item("1", "Sale", "2"),
            ),
            (
                "classifications",
                {
                    "classificationResults": [
                        {"classificationId": 2, "classificationName": "Positive no amount"}
                    ]
                },
                Item("2", "Positive no amount"),
            ),
        ],
    )
    def test_what_stands_in_them(self, name: str, told: dict[str, Any], item: Item) -> None:
        part = read_part(ACD.lookup[name], answered(200, told), 0)
        assert part is not None
        assert (part.items, part.more) == ((item,), False)

    def test_a_long_list_is_fetched_to_its_total(self) -> None:
        told = {"totalRecords": 3, "dispositions": [{"dispositionId": 1, "dispositionName": "S"}]}
        part = read_part(ACD.lookup["dispositions"], answered(200, told), 0)
        assert part is not None
        assert part.more


class TestFollowUps:
    def sent(self, api: Target, kind: FollowUpKind, target: str = "") -> HttpRequest:
        custom = {
            "callback_time": "2026-01-02T10:00:00Z",
            "first_name": "Ada",
            "last_name": "L",
            "callback_agent": "77",
            "dnc_expires": "2031-01-01",
        }
        one = FollowUp(
            number=1,
            serial=0,
            action=Action(kind, target),
            row=row(
                notes="n",
                custom_fields=custom,
                call_record=CallRecord(called_number="+12025550100"),
            ),
            status=Status.APPLIED,
            subject=Subject(row=1, origin=Origin("R", "F", 1)),
            told={"skill": "4711"},
        )
        rules = rules_for(ACD, kind)
        assert rules is not None
        return follow_up_request(api, rules, [one], Sender("t", "r"))

    def test_a_record_in_a_dnc_group(self, api: Target) -> None:
        sent = self.sent(api, FollowUpKind.DNC_GROUP, "301")
        assert place(sent) == f"POST {SERVICES}/dnc-groups/301/records"
        record = {"phoneNumber": "+12025550100", "expiredDate": "2031-01-01"}
        assert body(sent) == {"dncGroupRecords": [record]}
        rules = rules_for(ACD, FollowUpKind.DNC_GROUP)
        assert rules is not None
        assert (rules.items_max, sorted(rules.success)) == (4500, [200, 206])

    def test_a_tag(self, api: Target) -> None:
        sent = self.sent(api, FollowUpKind.TAGS, "17")
        assert place(sent) == f"POST {SERVICES}/contacts/P1/tags"
        assert body(sent) == {"tags": [{"tagId": 17}]}

    def test_a_callback(self, api: Target) -> None:
        sent = self.sent(api, FollowUpKind.CALLBACK)
        assert place(sent) == f"POST {SERVICES}/scheduled-callbacks"
        assert body(sent) == {
            "phoneNumber": "+12025550100",
            "scheduleDate": "2026-01-02T10:00:00Z",
            "skillId": 4711,
            "firstName": "Ada",
            "lastName": "L",
            "targetAgentId": 77,
            "notes": "n",
        }


class TestRefusals:
    @pytest.mark.parametrize(
        "told",
        [
            {"error": "e", "error_description": "Invalid Skill"},
            {"error": "e", "errorDescription": "Invalid Skill"},
            {"message": "Invalid Skill"},
            {"Message": "Invalid Skill"},
            {"error": "Invalid Skill"},
        ],
        ids=str,
    )
    def test_the_words_stand_in_one_of_several_places(self, told: dict[str, str]) -> None:
        got = read_written(ACD, answered(400, told), 0, Mask())
        assert isinstance(got, answer.Refused)
        assert (got.code, got.words[:14]) == ("wrong_skill", "Invalid Skill.")

    def test_or_in_a_header_or_are_the_body(self) -> None:
        header = answered(400, b"", {"icstatusdescription": "Invalid Skill"})
        plain = answered(400, b"Invalid Skill", {"content-type": "text/plain"})
        for told in (header, plain):
            got = read_written(ACD, told, 0, Mask())
            assert isinstance(got, answer.Refused)
            assert got.code == "wrong_skill"

    def test_a_wait_that_is_not_named(self) -> None:
        for status, words in ((429, ""), (409, "Too many requests")):
            got = read_written(ACD, answered(status, {"message": words}), 0, Mask())
            assert got == answer.Throttled(2.0)
        got = read_written(ACD, answered(409, {"message": "Conflict"}), 0, Mask())
        assert got == answer.Refused("refused_409", "Conflict")

    def test_a_skill_that_does_not_run_is_waited_for(self) -> None:
        got = read_written(ACD, answered(400, {"message": "Skill Not Running"}), 0, Mask())
        assert isinstance(got, answer.Busy)
        assert (got.code, got.wait_seconds) == ("skill_not_running", 60.0)

    @pytest.mark.parametrize("status", [200, 202, 204])
    def test_success_has_no_body(self, status: int) -> None:
        assert read_written(ACD, answered(status), 0, Mask()) == answer.Accepted()
