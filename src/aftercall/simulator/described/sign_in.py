"""Signing in as a profile's file describes it, and telling where the API is."""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from aftercall.simulator.described.documents import put
from aftercall.simulator.described.surface import Address
from aftercall.simulator.mischief import before_token
from aftercall.simulator.replies import json_reply, oauth_problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from aftercall.simulator.described.surface import Surface
    from aftercall.simulator.state import State

TENANT_ID = "described-tenant"
FOREVER = float("inf")
NO_TOKEN = {"static_bearer", "none"}


class DescribedSignIn:
    """The token endpoints, and the discovery of the API's address."""

    def __init__(self, state: State, surface: Surface) -> None:
        self._state = state
        self._refresh: set[str] = set()
        self._ways = surface.table().get("auth", [])
        self._places: list[tuple[Address, Mapping[str, Any], bool]] = []
        for way in self._ways:
            if "url" in way:
                self._places.append((Address("POST", way["url"], ""), way, False))
            if "refresh" in way:
                self._places.append((Address("POST", way["refresh"]["url"], ""), way, True))
        self._discovery = surface.table("base", "discovery")
        if state.config.bearer:
            state.tokens.keep(state.config.bearer, FOREVER, frozenset())

    @property
    def needs_token(self) -> bool:
        """Whether the API wants a token at all."""
        return all(way["style"] != "none" for way in self._ways)

    def speaks(self, method: str, raw_path: str) -> bool:
        """Say whether an address is one of these."""
        return self._discovers(method, raw_path) or any(
            place.values(method, raw_path) is not None for place, _, _ in self._places
        )

    def _discovers(self, method: str, raw_path: str) -> bool:
        url = self._discovery.get("url")
        return url is not None and Address("GET", url, "").values(method, raw_path) is not None

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer and count one request."""
        if self._discovers(request.method, request.raw_path):
            paths = self._discovery["api"]
            told: dict[str, Any] = {}
            put(told, paths if isinstance(paths, str) else paths[0], _self(request))
            return json_reply(200, told)
        response = await self._sign_in(request)
        self._state.counters.answered("TOKEN", response.status)
        return response

    async def _sign_in(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        instead = await before_token(self._state)
        if instead is not None:
            return instead
        fitting = [
            (way, renews)
            for place, way, renews in self._places
            if place.values(request.method, request.raw_path) is not None
        ]
        for way, renews in fitting:
            try:
                answer = self._renewed(way, body) if renews else self._let_in(request, way, body)
            except (ValueError, AttributeError):
                return oauth_problem(400, "invalid_request", "the body cannot be read")
            if answer is not None:
                return answer
        return oauth_problem(401, "invalid_client", "unknown credentials")

    def _let_in(
        self, request: web.BaseRequest, way: Mapping[str, Any], body: bytes
    ) -> web.Response | None:
        """Return a token if the credentials of a way are right; None if they are not."""
        state = self._state
        if way["style"] == "access_key_json":
            given = json.loads(body)
            names = ("key_id_field", "accessKeyId"), ("key_secret_field", "accessKeySecret")
            told = [str(given.get(way.get(name, usual), "")) for name, usual in names]
            return self._granted(way) if state.access_key.match(*told) else None
        form = _form(body)
        if form.get("grant_type") != way["style"]:
            return None
        if not state.credentials.match(*_client(request, way, form)):
            return None
        key = (form.get("username", ""), form.get("password", ""))
        if way["style"] == "password" and not state.access_key.match(*key):
            return None
        return self._granted(way)

    def _renewed(self, way: Mapping[str, Any], body: bytes) -> web.Response | None:
        rules = way["refresh"]
        if rules.get("style", "oauth") == "json":
            given = json.loads(body).get(rules.get("field", "token"))
        else:
            form = _form(body)
            if form.get("grant_type") != "refresh_token":
                return None
            given = form.get("refresh_token")
        return self._granted(way, rules.get("answer", {})) if given in self._refresh else None

    def _granted(
        self, way: Mapping[str, Any], names: Mapping[str, str] | None = None
    ) -> web.Response:
        state = self._state
        names = way.get("answer", {}) if names is None else names
        seconds = state.config.token_seconds
        claims = self._discovery.get("tenant_id", ["tenantId"])
        token = _web_token(dict.fromkeys(claims, TENANT_ID))
        state.tokens.keep(token, state.clock.monotonic() + seconds, frozenset())
        state.counters.tokens_issued += 1
        told: dict[str, Any] = {}
        put(told, names.get("access_token", "access_token"), token)
        put(told, names.get("expires_in", "expires_in"), seconds)
        if way.get("scope"):
            put(told, names.get("scope", "scope"), way["scope"])
        if "refresh" in way:
            refresh = secrets.token_urlsafe(32)
            self._refresh.add(refresh)
            put(told, names.get("refresh_token", "refresh_token"), refresh)
        return json_reply(200, told, {"Cache-Control": "no-store"})


def _self(request: web.BaseRequest) -> str:
    return f"{request.scheme}://{request.host}"


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True))


def _client(
    request: web.BaseRequest, way: Mapping[str, Any], form: Mapping[str, str]
) -> tuple[str, str]:
    """Return client id and secret from where the file says that they stand."""
    if way.get("client_auth", "form") == "form":
        return form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    name, _, secret = b64decode(coded if scheme.lower() == "basic" else "").decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)


def _web_token(claims: dict[str, Any]) -> str:
    parts = [b'{"alg":"none"}', json.dumps(claims).encode(), secrets.token_bytes(24)]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
