"""What the profile language can say beyond the built-in surface, request by request."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aftercall.domain import answer
from aftercall.domain.answer import Found, Observed
from aftercall.wire.auth import Token, TokenRefused, claims_of, read_token, refreshed_by
from aftercall.wire.codes import CodeBook, Item, fetched_book, read_part, static_book
from aftercall.wire.discovery import api_url_in, tenant_id_of
from aftercall.wire.http import HttpRequest
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, profile_from
from aftercall.wire.refusals import is_unauthorized
from aftercall.wire.requests import (
    ON_NOTHING,
    Basis,
    Unwritable,
    discovery_request,
    key_in,
    lookup_request,
    read_request,
    readback_request,
    refresh_request,
    token_request,
    write_body,
    write_request,
)
from aftercall.wire.responses import read_contact, read_held, read_written, with_held
from aftercall.wire.target import Identity, Target, auth_of

from .make import NOON, NOON_MS, answered, row
from .test_profile import TABLES

WHO = Identity("app id", "app&secret", "key id", "key+secret", "bearer-token")
BASE = "https://gw.example"


def profile(**tables: Any) -> Profile:
    """Return the built-in profile with some tables changed, by dotted name."""
    whole: dict[str, Any] = json.loads(json.dumps(TABLES))
    for name, value in tables.items():
        *way, last = name.split("__")
        table = whole
        for part in way:
            table = table.setdefault(part, {})
        table[last] = value
    return profile_from(whole)


def target(made: Profile, instance: str | None = None) -> Target:
    return Target(made, BASE, instance)


def form_of(request: HttpRequest | None) -> Mapping[str, list[str]]:
    assert request is not None
    assert request.body is not None
    return parse_qs(request.body.decode(), strict_parsing=True)


def sign_in(**auth: Any) -> Profile:
    return profile(auth=[{"url": "/token", **auth}])


class TestSigningIn:
    def test_a_password_grant_carries_the_access_key(self) -> None:
        made = sign_in(style="password", extra={"tenant": "t"})
        assert form_of(token_request(target(made), WHO)) == {
            "grant_type": ["password"],
            "username": ["key id"],
            "password": ["key+secret"],
            "client_id": ["app id"],
            "client_secret": ["app&secret"],
            "tenant": ["t"],
        }

    def test_the_client_may_stand_in_the_header(self) -> None:
        request = token_request(target(sign_in(style="password", client_auth="basic")), WHO)
        assert "client_id" not in form_of(request)
        assert request is not None
        scheme, _, pair = request.headers["Authorization"].partition(" ")
        # RFC 6749, section 2.3.1: form-encoded before they are joined.
        assert (scheme, base64.b64decode(pair)) == ("Basic", b"app+id:app%26secret")

    def test_an_access_key_may_be_json(self) -> None:
        request = token_request(target(sign_in(style="access_key_json")), WHO)
        assert request is not None
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body or b"") == {
            "accessKeyId": "key id",
            "accessKeySecret": "key+secret",
        }

    @pytest.mark.parametrize("style", ["static_bearer", "none"])
    def test_some_tenants_are_not_asked(self, style: str) -> None:
        assert token_request(target(sign_in(style=style)), WHO) is None

    def test_a_request_without_a_token_has_no_such_header(self) -> None:
        request = read_request(target(sign_in(style="none")), row(), "", "r")
        assert "Authorization" not in request.headers

    def test_the_first_way_whose_credentials_are_there_is_used(self) -> None:
        ways = [{"style": "password", "url": "/a"}, {"style": "access_key_json", "url": "/b"}]
        made = profile(auth=ways)
        assert auth_of(made, WHO).style == "password"
        assert auth_of(made, Identity(key_id="k", key_secret="s")).style == "access_key_json"
        assert auth_of(made, Identity()).style == "password"

    def test_a_token_is_renewed_by_its_refresh_token(self) -> None:
        named = {"access_token": "token", "expires_in": "tokenExpirationTimeSec"}
        rules = {"url": "/refresh", "style": "json", "field": "token", "answer": named}
        made = sign_in(style="access_key_json", refresh=rules)
        request = refresh_request(target(made), WHO, "r-1")
        assert request is not None
        assert request.url == f"{BASE}/refresh"
        assert json.loads(request.body or b"") == {"token": "r-1"}
        reply = answered(200, {"token": "new", "tokenExpirationTimeSec": 100})
        got = read_token(made, reply, 0.0, Mask(), refreshed_by(made.auth[0]))
        assert got == Token("new", 50.0)

    def test_a_refresh_may_be_a_form(self) -> None:
        made = sign_in(style="password", refresh={"url": "/token"})
        form = form_of(refresh_request(target(made), WHO, "r-1"))
        assert (form["grant_type"], form["refresh_token"]) == (["refresh_token"], ["r-1"])
        assert refresh_request(target(sign_in(style="password")), WHO, "r-1") is None

    def test_what_a_token_says_of_us_is_read(self) -> None:
        body = base64.urlsafe_b64encode(b'{"tenantId": "t-1", "role": {"x": 1}, "n": 7}').decode()
        token = f"aGVhZA.{body.rstrip('=')}.c2ln"
        assert claims_of(token) == {"tenantId": "t-1", "n": "7"}
        made = sign_in(style="access_key_json")
        got = read_token(made, answered(200, {"access_token": "a", "id_token": token}), 0.0, Mask())
        assert isinstance(got, Token)
        assert got.claims == {"tenantId": "t-1", "n": "7"}

    @pytest.mark.parametrize("token", [None, "", "a.b", "a.%%.c", "a.W10.c", "a.e30.c.d"])
    def test_a_token_that_is_none_of_that_kind_says_nothing(self, token: str | None) -> None:
        assert claims_of(token) == {}

    def test_a_refusal_quotes_none_of_our_secrets(self) -> None:
        words = " ".join(WHO.secrets)
        got = read_token(profile(), answered(401, {"error": words}), 0.0, Mask(WHO.secrets))
        assert isinstance(got, TokenRefused)
        assert not any(secret in got.words for secret in WHO.secrets)
        assert "secret" not in repr(WHO)
        assert "bearer-token" not in repr(WHO)


DISCOVERY = {
    "url": "https://login.example/.well-known/x?tenantId={tenant_id}",
    "api": ["api_endpoint"],
    "else_url": ["https://api-{area}.example", "https://api-{cluster}.example"],
}


class TestFindingTheApi:
    made = profile(
        base={"url": "https://{instance}.example", "hosts": ["example"]} | {"discovery": DISCOVERY}
    )

    def asked(self, body: object, instance: str | None = "na1", status: int = 200) -> str | None:
        base = BASE if instance is None else f"https://{instance}.example"
        return api_url_in(Target(self.made, base, instance), answered(status, body))

    def test_it_is_asked_for_with_the_tenants_id(self) -> None:
        one = Target(self.made, "https://na1.example", "na1")
        tenant_id = tenant_id_of(one, {"tenantId": "t/1"})
        request = discovery_request(one, tenant_id, "tok")
        assert request is not None
        assert request.url == "https://login.example/.well-known/x?tenantId=t%2F1"
        assert request.headers["Authorization"] == "Bearer tok"

    def test_a_configured_address_takes_the_place_of_every_host(self) -> None:
        request = discovery_request(target(self.made), "t", "tok")
        assert request is not None
        assert request.url == f"{BASE}/.well-known/x?tenantId=t"

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({"api_endpoint": "https://api-na1.example/"}, "https://api-na1.example"),
            ({"area": "e32"}, "https://api-e32.example"),
            ({"area": "e32.evil.test/"}, None),
            ({"cluster": "c7"}, "https://api-c7.example"),
            ({"area": "e32", "cluster": "c7"}, "https://api-e32.example"),
            ({"cluster": "c7.evil.test/"}, None),
            ({"api_endpoint": "http://api-na1.example"}, None),
            ({"api_endpoint": "https://evil.test"}, None),
            ({"api_endpoint": "https://evil-example"}, None),
            ({"api_endpoint": "https://u@api.example"}, None),
            ({"api_endpoint": "https://evil.test\\.example"}, None),
            ({"api_endpoint": "https://api.example?x"}, None),
            ({}, None),
            ([], None),
        ],
        ids=str,
    )
    def test_only_an_address_to_be_trusted_gets_the_token(
        self, body: object, found: str | None
    ) -> None:
        assert self.asked(body) == found

    def test_a_configured_gateway_is_never_left(self) -> None:
        assert self.asked({"api_endpoint": "https://api-na1.example"}, None) is None
        assert self.asked({"api_endpoint": f"{BASE}/api"}, None) == f"{BASE}/api"

    def test_requests_go_there_once_it_is_known(self) -> None:
        one = Target(self.made, "https://na1.example", "na1", "https://api-na1.example/x")
        assert read_request(one, row(), "t", "r").url.startswith("https://api-na1.example/x/api/v1")


def written(fields: dict[str, Any], row_given: Any = None, **write: Any) -> HttpRequest:
    tables = {f"write__{name}": value for name, value in write.items()}
    made = profile(write__fields=fields, **BARE, **tables)
    return write_request(target(made), row_given or row(), "t", "r", ON_NOTHING)


ALL = ("agent", "notes", "timestamp", "custom_fields")
BARE = {"read__fields": {"state": "state", "outcome": "outcomeCode"}}
"""A read that tells nothing which a write that drops it could be mistaken by."""


class TestWriting:
    def test_fields_can_be_nested_wrapped_typed_and_constant(self) -> None:
        fields = {
            "result.code": {"from": "outcome", "type": "integer"},
            "result.by": "agent",
            "source": {"value": "aftercall"},
            "callback": "custom_fields.callback_time",
        }
        request = written(
            fields,
            row(outcome="17", custom_fields={"callback_time": "2026-01-01", "x": 1}),
            wrapper="info",
            dropped=["notes", "timestamp"],
            method="POST",
        )
        assert request.method == "POST"
        assert json.loads(request.body or b"") == {
            "info": {
                "result": {"code": 17, "by": "A1"},
                "source": "aftercall",
                "callback": "2026-01-01",
            }
        }

    @pytest.mark.parametrize("body", ["form", "query"])
    def test_fields_can_be_a_form_or_the_query(self, body: str) -> None:
        fields = {"o": "outcome", "n": "notes", "c": "custom_fields"}
        given = row(notes="a&b", custom_fields={"a": 1})
        request = written(fields, given, body=body, dropped=["agent", "timestamp"])
        sent = urlsplit(request.url).query if body == "query" else (request.body or b"").decode()
        assert parse_qs(sent) == {"o": ["INTERESTED"], "n": ["a&b"], "c": ['{"a": 1}']}
        assert ("Content-Type" in request.headers) is (body == "form")

    @pytest.mark.parametrize(
        ("form", "sent"),
        [
            ("iso", "2026-11-23T12:00:00.000Z"),
            ("iso_seconds", "2026-11-23T12:00:00Z"),
            ("epoch_seconds", NOON_MS // 1000),
            ("epoch_milliseconds", NOON_MS),
        ],
    )
    def test_the_forms_of_a_time(self, form: str, sent: object) -> None:
        fields = {"o": "outcome", "at": {"from": "timestamp", "format": form}}
        request = written(fields, row(timestamp=NOON), dropped=["agent", "notes", "custom_fields"])
        assert json.loads(request.body or b"")["at"] == sent

    @pytest.mark.parametrize(
        ("absent", "body"), [("omit", {}), ("null", {"n": None}), ("empty", {"n": ""})]
    )
    def test_what_a_row_does_not_have(self, absent: str, body: dict[str, object]) -> None:
        fields = {"o": "outcome", "n": {"from": "notes", "when_absent": absent}}
        request = written(fields, dropped=["agent", "timestamp", "custom_fields"])
        assert json.loads(request.body or b"") == {"o": "INTERESTED", **body}

    @pytest.mark.parametrize(
        ("spec", "given", "code"),
        [
            ({"from": "notes", "when_absent": "refuse"}, {}, "missing_value"),
            ({"from": "notes", "type": "integer"}, {"notes": "x"}, "wrong_type"),
            ({"from": "notes", "characters_max": 3}, {"notes": "four"}, "too_long"),
        ],
    )
    def test_a_row_that_cannot_be_sent_is_refused_before_it_is(
        self, spec: dict[str, object], given: dict[str, object], code: str
    ) -> None:
        with pytest.raises(Unwritable) as caught:
            written(
                {"o": "outcome", "n": spec},
                row(**given),
                dropped=["agent", "timestamp", "custom_fields"],
            )
        assert caught.value.code == code
        assert "notes" in caught.value.words
        assert "four" not in caught.value.words

    def test_notes_that_are_too_long_can_be_cut(self) -> None:
        spec = {"from": "notes", "characters_max": 3, "too_long": "cut"}
        request = written(
            {"o": "outcome", "n": spec},
            row(notes="four"),
            dropped=["agent", "timestamp", "custom_fields"],
        )
        assert json.loads(request.body or b"")["n"] == "fou"

    def test_a_read_can_supply_what_a_write_needs(self) -> None:
        made = profile(
            read__told={"skill": "skillId"},
            write__fields={"s": ["told.skill", "campaign"], "o": "outcome"}
            | {"s": {"from": ["told.skill", "campaign"], "type": "integer"}},
            write__dropped=list(ALL),
            **BARE,
        )
        assert write_body(made, row(), Basis(told={"skill": "77"}, outcome="5")) == {
            "s": 77,
            "o": "5",
        }
        assert write_body(made, row(campaign="8"), ON_NOTHING)["s"] == 8

    def test_the_same_row_has_the_same_idempotency_key(self) -> None:
        keyed = profile(write__idempotency_header="Idempotency-Key")

        def key(given: Any) -> str:
            request = write_request(target(keyed), given, "t", "r", ON_NOTHING)
            return request.headers["idempotency-key"]

        assert key(row()) == key(row())
        assert key(row()) != key(row(outcome="NO_ANSWER"))

    def test_a_tenant_without_conditions_is_sent_none(self) -> None:
        made = profile(write__if_match=False)
        got = read_contact(made, answered(200, {"state": "READY"}, {"etag": '"1"'}), 0, Mask())
        assert isinstance(got, Found)
        assert got.contact.etag is None
        request = write_request(target(made), row(), "t", "r", Basis('"1"'))
        assert "If-Match" not in request.headers

    def test_an_operation_can_have_a_version_of_its_own(self) -> None:
        made = profile(
            version="27.0",
            read__url="/v{version}/c/{contact}",
            write__url="/v{version}/c/{contact}",
            write__version="33.0",
        )
        assert read_request(target(made), row(), "t", "r").url == f"{BASE}/v27.0/c/P1"
        assert write_request(target(made), row(), "t", "r", ON_NOTHING).url == f"{BASE}/v33.0/c/P1"

    def test_every_request_has_the_profiles_headers(self) -> None:
        made = profile(headers={"X-Gateway": "blue"}, request_id_header="CorrelationId")
        sent = read_request(target(made), row(), "t", "r-1").headers
        assert sent["x-gateway"] == "blue"
        assert {name.lower(): value for name, value in sent.items()}["correlationid"] == "r-1"


ENVELOPED = {
    "read__envelope": ["resultSet", ""],
    "read__fields": {"state": "state", "outcome": ["primary", "secondary.id"]},
    "read__told": {"skill": "skillId"},
    "read__state_id": "stateId",
    "states__closed": ["EndContact"],
    "states__closed_if_present": ["endReason"],
}


def contact(made: Profile, body: object, **more: Any) -> Observed:
    got = read_contact(made, answered(200, body), 0, Mask(), **more)
    assert isinstance(got, Found)
    return got.contact


class TestReading:
    made = profile(**ENVELOPED)

    def test_the_object_may_stand_within_another(self) -> None:
        for body in (
            {"resultSet": {"state": "READY", "primary": 5, "skillId": 7}},
            {"state": "READY", "secondary": {"id": "5"}, "skillId": "7"},
        ):
            got = contact(self.made, body)
            assert (got.state, got.outcome, got.told) == ("READY", "5", {"skill": "7"})

    def test_a_states_id_is_named_by_a_look_up(self) -> None:
        got = contact(self.made, {"stateId": 4, "state": None}, states={"4": "Wrap up"})
        assert (got.state, got.idle) == ("WRAP_UP", False)
        assert contact(self.made, {"stateId": 5, "state": None}).state is None

    def test_a_closed_contact_takes_no_write(self) -> None:
        got = contact(self.made, {"state": "End Contact"})
        assert (got.state, got.idle, got.closed) == ("END_CONTACT", False, False)
        got = contact(self.made, {"state": "EndContact"})
        assert (got.idle, got.closed) == (False, True)
        got = contact(self.made, {"primary": 5, "endReason": "x"})
        assert (got.state, got.closed) == ("CLOSED", True)

    def test_an_empty_answer_can_mean_that_there_is_none(self) -> None:
        assert isinstance(read_contact(self.made, answered(204), 0, Mask()), answer.Unavailable)
        made = profile(read__empty_is_absent=True)
        assert isinstance(read_contact(made, answered(204), 0, Mask()), answer.Absent)

    def test_a_version_can_stand_in_the_body(self) -> None:
        made = profile(read__etag="meta.version")
        got = contact(made, {"state": "READY", "meta": {"version": 9}})
        assert got.etag == "9"

    def test_when_it_was_stored_says_nothing_of_when_it_was_reached(self) -> None:
        made = profile(read__timestamp_means="written")
        got = contact(made, {"state": "READY", "dispositionTimestamp": "2026-11-23T12:00:00Z"})
        assert (got.timestamp_ms, got.stored_ms) == (None, NOON_MS)


class TestReadingBack:
    made = profile(
        readback={"url": "/c/{contact}/d", "fields": {"outcome": "id", "notes": "notes"}},
        read__fields={"state": "state", "outcome": "code"},
    )

    def held(self, status: int, body: object = b"") -> answer.ReadAnswer:
        return read_held(self.made, answered(status, body), 0, Mask())

    def test_it_has_an_address_of_its_own(self) -> None:
        assert readback_request(target(self.made), row(), "t", "r").url == f"{BASE}/c/P1/d"

    def test_what_is_held_is_read(self) -> None:
        assert self.held(200, {"id": 5, "notes": "n"}) == Found(
            Observed(None, outcome="5", notes="n")
        )
        assert self.held(200, {"id": None}) == Found(Observed(None))

    @pytest.mark.parametrize("status", [200, 204, 404])
    def test_nothing_may_be_held(self, status: int) -> None:
        assert self.held(status) == Found(Observed(None))

    def test_a_page_of_something_else_is_no_answer(self) -> None:
        assert isinstance(self.held(200, b"<html>"), answer.Unavailable)
        assert isinstance(self.held(500), answer.Unavailable)
        assert isinstance(self.held(403), answer.Forbidden)

    def test_what_is_read_back_counts_until_the_contact_is_closed(self) -> None:
        held = Observed(None, outcome="5", agent="a")
        assert with_held(Observed("READY", idle=True), held) == Observed(
            "READY", idle=True, outcome="5", agent="a"
        )
        assert with_held(Observed("READY", outcome="0"), held).outcome == "5"
        assert with_held(Observed("READY", outcome="6"), Observed(None)).outcome == "6"
        assert with_held(Observed("END", outcome="6", closed=True), held).outcome == "6"
        assert with_held(Observed("END", closed=True), held).outcome == "5"


RULES = [
    {"status": [409], "text": "too many requests", "means": "throttled"},
    {"status": [409], "text": "must be disconnected", "means": "wait", "reason": "not_yet"}
    | {"wait_seconds": 3.0, "fix": "Wait."},
    {"status": [400], "text": "Skill Not Running", "means": "permanent", "reason": "skill_off"}
    | {"fix": "Start the skill."},
    {"on": "write", "status": [401], "text": "security user", "means": "permission"},
    {"status": [400], "text": "token expired", "means": "auth"},
    {"status": [500], "text": "try again", "means": "retry"},
    {"status": [422], "means": "absent"},
    {"status": [423], "means": "unsure"},
    {"status": [200], "text": "locked", "means": "permanent", "reason": "locked"},
]


class TestRules:
    made = profile(errors__rules=RULES)

    def wrote(self, status: int, words: str = "", **headers: str) -> answer.WriteAnswer:
        reply = answered(status, {"message": words} if words else b"", headers)
        return read_written(self.made, reply, NOON_MS, Mask())

    def test_the_first_that_fits_counts(self) -> None:
        busy = answer.Busy("not_yet", "Contact must be disconnected. Wait.", 3.0)
        assert self.wrote(409, "Contact must be disconnected") == busy
        assert self.wrote(409, "Too Many Requests", **{"retry-after": "7"}) == answer.Throttled(7.0)
        assert self.wrote(409, "locked") == answer.Refused("refused_409", "locked")
        off = answer.Refused("skill_off", "Skill Not Running. Start the skill.")
        assert self.wrote(400, "Skill Not Running") == off
        assert self.wrote(400, "Invalid") == answer.Refused("refused_400", "Invalid")
        assert self.wrote(422, "gone") == answer.Absent("gone")
        assert isinstance(self.wrote(423), answer.Uncertain)
        assert isinstance(self.wrote(500, "please try again"), answer.Unavailable)
        assert isinstance(self.wrote(500, "broken"), answer.Uncertain)

    def test_a_token_can_run_out_by_another_status(self) -> None:
        expired = answered(400, {"message": "Token expired"})
        assert is_unauthorized(self.made, expired, "read")
        assert not is_unauthorized(self.made, answered(400), "read")
        assert is_unauthorized(self.made, answered(401), "write")
        user = answered(401, {"message": "Invalid Security User"})
        assert not is_unauthorized(self.made, user, "write")
        assert is_unauthorized(self.made, user, "read")

    def test_a_success_that_says_failure_can_be_final(self) -> None:
        reply = answered(200, {"success": False, "message": "locked"})
        assert read_written(self.made, reply, 0, Mask()) == answer.Refused("locked", "locked")

    def test_each_result_of_several_is_looked_at(self) -> None:
        made = profile(write__failure={"items": "results"})
        bad = answered(200, {"results": [{"success": True}, {"success": False, "error": "no"}]})
        assert isinstance(read_written(made, bad, 0, Mask()), answer.Uncertain)
        good = answered(200, {"errorCount": 0, "results": [{"success": True, "error": ""}]})
        assert read_written(made, good, 0, Mask()) == answer.Accepted()

    @pytest.mark.parametrize(
        ("body", "kind", "words"),
        [
            (b"Invalid Skill", "text/plain", "Invalid Skill"),
            (b'"Invalid Skill"', "application/json", "Invalid Skill"),
            (b"<html>", "text/html", ""),
            (b" <p>", "text/plain", ""),
            (b"x", "application/json", ""),
        ],
    )
    def test_the_body_itself_can_be_the_words(self, body: bytes, kind: str, words: str) -> None:
        made = profile(errors__plain_text=True)
        got = read_written(made, answered(400, body, {"content-type": kind}), 0, Mask())
        assert got == answer.Refused("refused_400", words)

    def test_a_wait_can_be_named_elsewhere_or_by_default(self) -> None:
        made = profile(pace={"retry_after_header": "X-Wait", "retry_after_seconds": 4})
        got = read_written(made, answered(429, b"", {"x-wait": "9"}), 0, Mask())
        assert got == answer.Throttled(9.0)
        assert read_written(made, answered(429), 0, Mask()) == answer.Throttled(4.0)


LOOKUP = {
    "url": "/skills/{key}/d",
    "key": ["told.skill", "custom_fields.skill"],
    "items": "list",
    "id": "id",
    "name": "name",
    "active": "on",
    "page": {"size": 2, "total": "total"},
}


class TestCodes:
    made = profile(
        read__told={"skill": "skillId"},
        codes={"source": "lookup", "lookup": "d"},
        lookup={"d": LOOKUP},
    )

    def test_a_list_is_asked_for_part_by_part(self) -> None:
        request = lookup_request(target(self.made), self.made.lookup["d"], "7/8", 4, "t")
        assert request.url == f"{BASE}/skills/7%2F8/d?skip=4&top=2"

    def test_its_key_is_the_first_that_there_is(self) -> None:
        sources = self.made.lookup["d"].key
        assert key_in(sources, row(), {"skill": "7"}) == "7"
        assert key_in(sources, row(custom_fields={"skill": 8}), {}) == "8"
        assert key_in(sources, row(), {}) is None

    def test_a_part_says_whether_there_is_more(self) -> None:
        rules = self.made.lookup["d"]
        two = [{"id": 1, "name": "A", "on": True}, {"id": 2, "name": "B", "on": False}]
        part = read_part(rules, answered(200, {"list": two, "total": 3}), 0)
        assert part is not None
        assert (part.items, part.seen, part.more) == ((Item("1", "A"),), 2, True)
        part = read_part(rules, answered(200, {"list": two[:1], "total": 3}), 2)
        assert part is not None
        assert part.more is False
        empty = read_part(rules, answered(204), 0)
        assert empty is not None
        assert (empty.items, empty.more) == ((), False)
        assert read_part(rules, answered(200, {"other": 1}), 0) is None
        assert read_part(rules, answered(500), 0) is None

    def test_a_code_is_found_by_id_by_name_or_by_itself(self) -> None:
        items = [Item("1", "Not interested!"), Item("2", "Sold"), Item("3", "Call back")]
        book = fetched_book({"SALE": "sold", "LATER": "3", "GONE": "99"}, items)
        assert [book.id_of(code) for code in ("NOT_INTERESTED", "SALE", "LATER")] == ["1", "2", "3"]
        assert book.id_of("GONE") is None
        assert book.id_of("OTHER") is None
        assert book.code_of("2", "LATER") == "SALE"
        assert book.code_of("1", "NOT_INTERESTED") == "NOT_INTERESTED"
        assert book.code_of("77", "SALE") == "77"

    def test_two_codes_of_one_id_are_both_held_by_it(self) -> None:
        book = CodeBook({"A_B": "1", "C_D": "1"})
        assert (book.code_of("1", "A_B"), book.code_of("1", "C_D")) == ("A_B", "C_D")

    def test_what_is_configured_wins_over_the_profiles_list(self) -> None:
        made = profile(codes={"source": "static", "static": {"SALE": "1", "LATER": "2"}})
        book = static_book(made, {"SALE": "9"})
        assert (book.id_of("SALE"), book.id_of("LATER"), book.id_of("X")) == ("9", "2", None)
