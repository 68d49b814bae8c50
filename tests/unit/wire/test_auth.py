import pytest

from aftercall.wire.auth import Token, TokenRefused, TokenUnavailable, read_token
from aftercall.wire.masking import Mask

from .make import PROFILE, answered

GOOD = {"access_token": "abc.def", "expires_in": 3600, "token_type": "Bearer"}


def got(status: int, body: object) -> Token | TokenRefused | TokenUnavailable:
    return read_token(PROFILE, answered(status, body), 1000.0, Mask(("s3cret/+ key",)))


def token(**given: object) -> Token:
    found = got(200, GOOD | given)
    assert isinstance(found, Token)
    return found


def test_a_token_is_renewed_a_minute_before_its_end() -> None:
    assert token() == Token("abc.def", 1000.0 + 3600 - 60, ())
    assert token(expires_in="600").renew_at_seconds == 1000.0 + 540


def test_a_short_life_is_half_used() -> None:
    assert token(expires_in=30).renew_at_seconds == 1000.0 + 15


@pytest.mark.parametrize("life", [None, 0, -5, "soon", [], float("inf")])
def test_a_life_that_is_not_told_is_the_profiles(life: object) -> None:
    assert token(expires_in=life).renew_at_seconds == 1000.0 + 3540


def test_scopes_that_were_not_granted_are_named() -> None:
    granted = "outbound:contact:write outbound:campaign:write other"
    assert token(scope=granted).scopes_missing == ("outbound:disposition:write",)


@pytest.mark.parametrize("granted", [None, "", ["outbound:contact:write"], 7])
def test_a_scope_that_is_not_told_is_taken_to_be_what_was_asked(granted: object) -> None:
    assert token(scope=granted).scopes_missing == ()


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_carry_the_words(status: int) -> None:
    body = {"error": "invalid_client", "error_description": "Unknown\r\nclient"}
    assert got(status, body) == TokenRefused("Unknown client")
    assert got(status, b"<html>") == TokenRefused(f"status {status}")


@pytest.mark.parametrize("quoted", ["s3cret/+ key", "s3cret%2F%2B+key", "S3CRET/+ KEY"])
def test_the_words_of_a_refusal_quote_no_secret(quoted: str) -> None:
    refused = got(401, {"error": f"client_secret={quoted} " + "x" * 300})
    assert isinstance(refused, TokenRefused)
    assert refused.words.startswith("client_secret=[secret] xxx")


@pytest.mark.parametrize("status", [201, 204, 302, 404, 429, 500, 503])
def test_any_other_status_may_be_better_later(status: int) -> None:
    found = got(status, GOOD)
    assert isinstance(found, TokenUnavailable)
    assert str(status) in found.words


@pytest.mark.parametrize(
    "secret", [None, "", 7, "a b", "a\r\nX-Evil: 1", "a\x00", "tökén", "a\tb", ["a"]]
)
def test_a_token_that_cannot_stand_in_a_header_is_none(secret: object) -> None:
    found = got(200, GOOD | {"access_token": secret})
    assert isinstance(found, TokenUnavailable)
    assert "Evil" not in found.words


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_holds_no_token(body: bytes) -> None:
    assert isinstance(got(200, body), TokenUnavailable)


def test_what_is_shown_of_a_token_leaves_it_out() -> None:
    assert "abc.def" not in repr(token())
