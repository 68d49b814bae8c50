import json
from datetime import timedelta, timezone
from urllib.parse import parse_qs, quote, unquote

import pytest

from aftercall.wire.requests import (
    ON_NOTHING,
    Basis,
    read_request,
    token_request,
    write_body,
    write_request,
)
from aftercall.wire.target import Identity

from .make import NOON, PROFILE, TARGET, row

BASE = "https://acme.niceincontact.com/api/v1/outbound/campaigns/"

STRANGE_IDS = [
    "a/b",
    "..",
    "../x",
    "%2F",
    "a%252Fb",
    "a b",
    "ü😀",
    "?x=1#y",
    "{contact}",
    "a;b,c&d=e+f",
    "a\r\nX-Evil: 1",
    "@evil.example",
    "\\",
]


def test_a_contact_is_read_at_its_own_address() -> None:
    request = read_request(TARGET, row(), "tok", "req-1")
    assert (request.method, request.body) == ("GET", None)
    assert request.url == BASE + "C1/contacts/P1"
    assert request.headers == {
        "Authorization": "Bearer tok",
        "Accept": "application/json",
        "User-Agent": "aftercall",
        "X-Request-ID": "req-1",
    }


def test_a_disposition_is_patched_onto_the_same_address_on_condition() -> None:
    written = write_request(TARGET, row(notes="Zoë"), "tok", "req-1", Basis('"v7"'))
    assert (written.method, written.url) == ("PATCH", BASE + "C1/contacts/P1")
    assert written.headers["If-Match"] == '"v7"'
    assert written.headers["Content-Type"] == "application/json"
    assert written.body == '{"outcomeCode":"INTERESTED","agentId":"A1","notes":"Zoë"}'.encode()


def test_without_an_etag_there_is_no_condition() -> None:
    assert "If-Match" not in write_request(TARGET, row(), "tok", "req-1", ON_NOTHING).headers


def test_what_the_row_does_not_have_is_left_out_of_the_body() -> None:
    assert write_body(PROFILE, row()) == {"outcomeCode": "INTERESTED", "agentId": "A1"}


def test_what_the_row_has_is_in_the_body() -> None:
    stamp = NOON.astimezone(timezone(timedelta(hours=5)))
    body = write_body(PROFILE, row(notes="", timestamp=stamp, custom_fields={"a": [1, None]}))
    assert body == {
        "outcomeCode": "INTERESTED",
        "agentId": "A1",
        "notes": "",
        "dispositionTimestamp": "2026-11-23T12:00:00.000Z",
        "customFields": {"a": [1, None]},
    }


@pytest.mark.parametrize("strange", STRANGE_IDS)
def test_each_id_is_one_segment_of_the_path_whatever_it_holds(strange: str) -> None:
    for request in (
        read_request(TARGET, row(campaign=strange, contact=strange), "tok", "r"),
        write_request(TARGET, row(campaign=strange, contact=strange), "tok", "r", ON_NOTHING),
    ):
        assert request.url.startswith(BASE)
        assert request.url.isascii()
        campaign, word, contact = request.url.removeprefix(BASE).split("/")
        assert (unquote(campaign), word, unquote(contact)) == (strange, "contacts", strange)
        assert not set(request.url) & set(" \r\n\t?#\\{}")


def test_an_id_that_looks_like_a_placeholder_is_not_filled_in() -> None:
    url = read_request(TARGET, row(campaign="{contact}", contact="P1"), "tok", "r").url
    assert url == BASE + quote("{contact}", safe="") + "/contacts/P1"


def test_nothing_of_a_row_reaches_the_request_line_or_a_header() -> None:
    evil = "x\r\nX-Evil: 1\r\n\r\nGET /"
    given = row(campaign=evil, contact=evil, agent=evil, outcome=evil, notes=evil, event_id=evil)
    for request in (
        read_request(TARGET, given, "tok", "r"),
        write_request(TARGET, given, "tok", "r", Basis('"v1"')),
    ):
        head = request.method + request.url + "".join(request.headers.values())
        assert "\r" not in head
        assert "\n" not in head
        assert "X-Evil" not in "".join(request.headers)


def test_the_body_carries_any_notes_as_one_json_text() -> None:
    notes = 'a "quoted"\r\nline\u2028 and \\ 😀'
    body = write_request(TARGET, row(notes=notes), "tok", "r", ON_NOTHING).body
    assert body is not None
    assert json.loads(body)["notes"] == notes
    assert b"\n" not in body


def test_a_token_is_asked_for_as_rfc_6749_says() -> None:
    request = token_request(TARGET, Identity("id with space", "s&cret=+ä"))
    assert request is not None
    assert (request.method, request.url) == (
        "POST",
        "https://acme.niceincontact.com/api/v1/oauth2/token",
    )
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in request.headers
    assert request.body is not None
    assert parse_qs(request.body.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id with space"],
        "client_secret": ["s&cret=+ä"],
        "scope": ["outbound:campaign:write outbound:contact:write outbound:disposition:write"],
    }


def test_what_is_shown_of_a_request_leaves_out_its_secrets_and_its_notes() -> None:
    identity = Identity("client", "top-secret")
    shown = repr(identity) + repr(token_request(TARGET, identity))
    shown += repr(write_request(TARGET, row(notes="personal"), "bearer-secret", "r", ON_NOTHING))
    assert "secret" not in shown
    assert "personal" not in shown
