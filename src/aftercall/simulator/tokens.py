"""The token endpoint and the tokens it gave out."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aftercall.simulator.mischief import before_token
from aftercall.simulator.replies import json_reply, oauth_problem, problem

if TYPE_CHECKING:
    from aiohttp import web

    from aftercall.simulator.state import State

SCOPE_CONTACT = "outbound:contact:write"
SCOPE_DISPOSITION = "outbound:disposition:write"
ALL_SCOPES = f"outbound:campaign:write {SCOPE_CONTACT} {SCOPE_DISPOSITION}"


@dataclass(slots=True)
class Credentials:
    """The client the tenant knows; None takes anything that is not empty."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)

    def match(self, client_id: str, client_secret: str) -> bool:
        """Return whether a caller is the known client."""
        return _same(self.client_id, client_id) and _same(self.client_secret, client_secret)


class Tokens:
    """Tokens that are valid, each with the moment it expires and its scopes."""

    def __init__(self) -> None:
        self._valid: dict[str, tuple[float, frozenset[str]]] = {}

    def issue(self, expires: float, scopes: frozenset[str]) -> str:
        """Create a token."""
        token = secrets.token_urlsafe(32)
        self.keep(token, expires, scopes)
        return token

    def keep(self, token: str, expires: float, scopes: frozenset[str]) -> None:
        """Let a token be valid."""
        self._valid[token] = (expires, scopes)

    def scopes(self, authorization: str, now: float) -> frozenset[str] | None:
        """Return the scopes of an Authorization header, or None if it opens nothing."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        expires, scopes = self._valid.get(token.strip(), (now, frozenset[str]()))
        if now >= expires:
            self._valid.pop(token.strip(), None)
            return None
        return scopes

    def revoke(self) -> int:
        """Make all tokens invalid and return how many there were."""
        count = len(self._valid)
        self._valid.clear()
        return count


class TokenEndpoint:
    """``POST /api/v1/oauth2/token``."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer and count one request."""
        response = await self._respond(request)
        self._state.counters.answered("TOKEN", response.status)
        return response

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return problem(405, "method_not_allowed", "tokens are asked for with POST")
        body = await request.read()
        instead = await before_token(self._state)
        if instead is not None:
            return instead
        try:
            form = dict(parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True))
        except ValueError:
            return oauth_problem(400, "invalid_request", "the body is no HTML form")
        if form.get("grant_type") != "client_credentials":
            return oauth_problem(400, "unsupported_grant_type", "use client_credentials")
        return self._grant(form)

    def _grant(self, form: dict[str, str]) -> web.Response:
        state = self._state
        client = (form.get("client_id", ""), form.get("client_secret", ""))
        if not state.credentials.match(*client):
            return oauth_problem(401, "invalid_client", "unknown client or wrong secret")
        possible = state.config.scope.split()
        asked = form.get("scope", "").split() or possible
        granted = [scope for scope in possible if scope in asked]
        if not granted:
            return oauth_problem(400, "invalid_scope", "none of the scopes can be granted")
        seconds = state.config.token_seconds
        token = state.tokens.issue(state.clock.monotonic() + seconds, frozenset(granted))
        state.counters.tokens_issued += 1
        payload = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": seconds,
            "scope": " ".join(granted),
        }
        return json_reply(200, payload, {"Cache-Control": "no-store"})


def _same(expected: str | None, given: str) -> bool:
    if expected is None:
        return given != ""
    return hmac.compare_digest(expected.encode(), given.encode())
