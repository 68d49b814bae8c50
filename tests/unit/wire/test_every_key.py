"""Keys of a profile that only say how something is called, or when: each is obeyed."""

import base64
import json
from typing import Any

import pytest

from aftercall.domain import answer
from aftercall.domain.answer import Found
from aftercall.domain.audit import Origin, Subject
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.status import Status
from aftercall.settings import settings_from
from aftercall.wire.auth import Token, read_token, refreshed_by
from aftercall.wire.codes import Item, read_part
from aftercall.wire.discovery import tenant_id_of, token_url_in
from aftercall.wire.follow_ups import Sender, follow_up_request, rules_for
from aftercall.wire.http import HttpRequest
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile
from aftercall.wire.requests import (
    Unwritable,
    lookup_request,
    read_request,
    readback_request,
    refresh_request,
    token_discovery_request,
    token_request,
)
from aftercall.wire.responses import read_contact, read_held, read_written
from aftercall.wire.target import Target
from aftercall.wiring.values import pace_of, plan_of

from .make import answered, row
from .test_language import BASE, WHO, profile, sign_in, target

READ_BACK: dict[str, Any] = {"url": "/c/{contact}/d", "fields": {"outcome": "code"}}


def json_of(request: HttpRequest | None) -> Any:
    assert request is not None
    return json.loads(request.body or b"")


def web_token(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"aGVhZA.{body}.c2ln"


class TestSigningIn:
    def token(self, made: Profile, **told: object) -> Token:
        got = read_token(made, answered(200, {"access_token": "t"} | told), 0.0, Mask())
        assert isinstance(got, Token)
        return got

    def test_the_names_of_an_access_key_in_json(self) -> None:
        named = {"key_id_field": "user", "key_secret_field": "pass", "extra": {"realm": "r"}}
        made = sign_in(style="access_key_json", **named)
        assert json_of(token_request(target(made), WHO)) == {
            "user": "key id",
            "pass": "key+secret",
            "realm": "r",
        }

    def test_how_long_a_token_lives_and_how_early_it_is_renewed(self) -> None:
        lives = {"expires_in_default_seconds": 1000, "renew_early_seconds": 300}
        made = sign_in(style="none", **lives)
        assert self.token(made).renew_at_seconds == 700.0
        assert self.token(made, expires_in=2000).renew_at_seconds == 1700.0

    def test_the_names_in_the_answer(self) -> None:
        names = {"scope": "s.granted", "refresh_token": "s.again", "id_token": "s.who"}
        made = sign_in(style="none", scope="a b", answer=names)
        told = {"granted": "a", "again": "r-1", "who": web_token(sub="robot")}
        got = self.token(made, s=told)
        assert (got.scopes_missing, got.refresh) == (("b",), "r-1")
        assert got.claims == {"sub": "robot"}

    def test_the_key_of_a_refresh_in_json(self) -> None:
        refresh = {"url": "/again", "style": "json", "field": "old"}
        made = sign_in(style="none", refresh=refresh | {"answer": {"refresh_token": "next"}})
        assert json_of(refresh_request(target(made), WHO, "r-1")) == {"old": "r-1"}
        reply = answered(200, {"access_token": "t", "next": "r-2"})
        got = read_token(made, reply, 0.0, Mask(), refreshed_by(made.auth[0]))
        assert isinstance(got, Token)
        assert got.refresh == "r-2"

    def test_where_the_token_endpoint_is_asked_for(self) -> None:
        found = {"url": "https://id.gw.example/where", "token_url": "endpoints.token"}
        made = profile(
            base={"url": "https://{instance}.gw.example", "hosts": ["gw.example"]},
            auth=[{"style": "none", "url": "/token", "discovery": found}],
        )
        one = Target(made, "https://na1.gw.example", "na1")
        request = token_discovery_request(one, WHO)
        assert request is not None
        assert request.url == "https://id.gw.example/where"
        reply = answered(200, {"endpoints": {"token": "https://id.gw.example/t"}})
        assert token_url_in(one, made.auth[0], reply) == "https://id.gw.example/t"

    def test_which_claim_is_the_tenants_id(self) -> None:
        asked = {"url": "/where?t={tenant_id}", "api": "api", "tenant_id": ["tid", "tenant"]}
        made = profile(base={"discovery": asked})
        assert tenant_id_of(target(made), {"tenant": "7", "tenantId": "8"}) == "7"


class TestReading:
    def test_versions_methods_and_places_of_their_own(self) -> None:
        made = profile(
            version="1",
            read__url="/v{version}/c/{contact}",
            read__version="2",
            read__method="POST",
            readback=READ_BACK
            | {"url": "/v{version}/d/{contact}", "version": "3"}
            | {"method": "POST", "envelope": ["held.last"]},
        )
        read = read_request(target(made), row(), "t", "r")
        assert (read.method, read.url) == ("POST", f"{BASE}/v2/c/P1")
        back = readback_request(target(made), row(), "t", "r")
        assert (back.method, back.url) == ("POST", f"{BASE}/v3/d/P1")
        got = read_held(made, answered(200, {"held": {"last": {"code": 5}}}), 0, Mask())
        assert isinstance(got, Found)
        assert got.contact.outcome == "5"

    def test_which_statuses_say_that_there_is_no_such_contact(self) -> None:
        made = profile(read__absent=[422])
        assert isinstance(read_contact(made, answered(422), 0, Mask()), answer.Absent)
        assert isinstance(read_contact(profile(), answered(422), 0, Mask()), answer.Refused)

    def test_which_statuses_say_that_it_has_no_disposition(self) -> None:
        made = profile(readback=READ_BACK | {"none": [410]})
        assert isinstance(read_held(made, answered(410), 0, Mask()), Found)
        assert isinstance(read_held(made, answered(404), 0, Mask()), answer.Absent)

    def test_the_header_of_what_a_write_depends_on(self) -> None:
        made = profile(read__etag_header="X-Version")
        headers = {"etag": '"1"', "x-version": '"2"'}
        got = read_contact(made, answered(200, {"state": "READY"}, headers), 0, Mask())
        assert isinstance(got, Found)
        assert got.contact.etag == '"2"'


class TestWriting:
    @pytest.mark.parametrize(("status", "taken"), [(202, True), (200, False)])
    def test_the_statuses_of_success(self, status: int, *, taken: bool) -> None:
        got = read_written(profile(write__success=[202]), answered(status, {}), 0, Mask())
        assert isinstance(got, answer.Accepted) is taken

    @pytest.mark.parametrize(
        "body", [{"done": False}, {"bad": 2}, {"done": True, "why": "locked"}], ids=str
    )
    def test_how_a_success_says_that_it_was_none(self, body: dict[str, object]) -> None:
        signs = {"flag": "done", "count": "bad", "error": "why"}
        made = profile(write__failure=signs)
        assert isinstance(read_written(made, answered(200, body), 0, Mask()), answer.Uncertain)
        assert read_written(profile(), answered(200, body), 0, Mask()) == answer.Accepted()

    def test_a_pace_of_its_own_is_the_most_there_is(self) -> None:
        made = profile(pace={"requests_per_second_max": 3.0})
        given = {"tenant": {"instance": "na1"}, "outcomes": {"SALE": "positive"}}
        for wanted, granted in ((10.0, 3.0), (2.0, 2.0)):
            settings = settings_from(given | {"limits": {"requests_per_second": wanted}}, {})
            assert pace_of(settings, made, "C1").per_second == granted

    @pytest.mark.parametrize(
        ("extra", "never"),
        [({"from": "event_id"}, {"custom_fields"}), ({"from": "custom_fields.due"}, set[str]())],
    )
    def test_what_is_sent_in_part_is_not_never_written(
        self, extra: dict[str, str], never: set[str]
    ) -> None:
        fields = {"o": "outcome", "a": "agent", "n": "notes", "t": "timestamp", "x": extra}
        made = profile(write__fields=fields, write__dropped=["custom_fields"])
        given = {"tenant": {"instance": "na1"}, "outcomes": {"SALE": "positive"}}
        assert plan_of(settings_from(given, {}), made).policy.dropped == never


class TestLists:
    def test_the_names_by_which_a_part_is_asked_for(self) -> None:
        rules = {"url": "/v{version}/codes", "version": "9", "items": "all", "id": "n"}
        page = {"skip": "from", "top": "count", "size": 5, "total": "in.all"}
        made = profile(lookup={"d": rules | {"name": "label", "page": page}})
        request = lookup_request(target(made), made.lookup["d"], "", 10, "t")
        assert request.url == f"{BASE}/v9/codes?from=10&count=5"
        body = {"all": [{"n": 1, "label": "A"}], "in": {"all": 99}}
        part = read_part(made.lookup["d"], answered(200, body), 10)
        assert part is not None
        assert (part.items, part.more) == ((Item("1", "A"),), True)

    def test_what_an_item_belongs_to(self) -> None:
        rules = {"url": "/codes", "items": "all", "id": "n", "name": "label", "group": "g.id"}
        made = profile(lookup={"d": rules})
        part = read_part(
            made.lookup["d"], answered(200, {"all": [{"n": 1, "label": "A", "g": {"id": 4}}]}), 0
        )
        assert part is not None
        assert part.items == (Item("1", "A", "4"),)


class TestFollowUps:
    def asked(self, custom: dict[str, Any], **rules: Any) -> HttpRequest:
        fields = {
            "tag": "target",
            "by": {"value": "aftercall"},
            "at": {"from": "custom_fields.due", "format": "epoch_seconds"},
            "text": {"from": "custom_fields.why", "characters_max": 4} | rules.pop("why", {}),
        }
        tags = {"url": "/v{version}/tags/{contact}", "fields": fields, **rules}
        made = profile(version="1", follow_ups__tags=tags)
        declared = rules_for(made, FollowUpKind.TAGS)
        assert declared is not None
        one = FollowUp(
            number=1,
            serial=0,
            action=Action(FollowUpKind.TAGS, "17"),
            row=row(custom_fields=custom),
            status=Status.APPLIED,
            subject=Subject(row=1, origin=Origin("R", "F", 1)),
            told={},
        )
        return follow_up_request(target(made), declared, [one], Sender("t", "r"))

    def test_a_method_a_version_and_fields_of_its_own(self) -> None:
        custom = {"due": "2026-01-02T10:00:00Z", "why": "busy"}
        request = self.asked(custom, method="PUT", version="6")
        assert (request.method, request.url) == ("PUT", f"{BASE}/v6/tags/P1")
        assert json_of(request) == {
            "tag": "17",
            "by": "aftercall",
            "at": 1767348000,
            "text": "busy",
        }

    def test_a_text_that_is_too_long_is_refused_or_cut(self) -> None:
        with pytest.raises(Unwritable, match="4 characters"):
            self.asked({"why": "later"})
        assert json_of(self.asked({"why": "later"}, why={"too_long": "cut"}))["text"] == "late"
