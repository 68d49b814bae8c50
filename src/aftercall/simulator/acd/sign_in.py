"""Signing in with an access key, in both forms, and finding the API."""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus

from aftercall.simulator.mischief import before_token
from aftercall.simulator.replies import json_reply, oauth_problem, problem

if TYPE_CHECKING:
    from aiohttp import web

    from aftercall.simulator.state import State

KEY_PATH = "/authentication/v1/token/access-key"
PASSWORD_PATH = "/auth/token"  # noqa: S105 - a path
REFRESH_PATH = "/public/user/refresh"
CONFIGURATION_PATH = "/.well-known/cxone-configuration"
OPENID_PATH = "/.well-known/openid-configuration"
SIGN_IN_PATHS = frozenset({KEY_PATH, PASSWORD_PATH, REFRESH_PATH, CONFIGURATION_PATH, OPENID_PATH})

TENANT_ID = "11eb-simulated"
REFRESH_SECONDS = 7200


class SignIn:
    """The addresses that need no token of the API."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._refresh: set[str] = set()

    async def answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer and count one request."""
        if path == CONFIGURATION_PATH:
            return self._configuration(request)
        if path == OPENID_PATH:
            return _openid_configuration(request)
        response = await self._sign_in(request, path)
        self._state.counters.answered("TOKEN", response.status)
        return response

    def _configuration(self, request: web.BaseRequest) -> web.Response:
        if request.query.get("tenantId") != TENANT_ID:
            return problem(404, "not_found", "no such tenant")
        address = f"{request.scheme}://{request.host}"
        return json_reply(
            200,
            {
                "private": False,
                "ui_endpoint": address,
                "auth_endpoint": address,
                "api_endpoint": address,
                "area": "sim",
                "cluster": "sim1",
                "domain": "127.0.0.1",
                "acdDomain": "127.0.0.1",
                "uhDomain": "127.0.0.1",
                "tenantId": TENANT_ID,
                "globaldomain": "127.0.0.1",
            },
        )

    async def _sign_in(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if request.method != "POST":
            return problem(405, "method_not_allowed", "tokens are asked for with POST")
        body = await request.read()
        instead = await before_token(self._state)
        if instead is not None:
            return instead
        try:
            if path == PASSWORD_PATH:
                return self._by_password(request, body)
            given = json.loads(body)
        except ValueError:
            return oauth_problem(400, "invalid_request", "the body cannot be read")
        if not isinstance(given, dict):
            return oauth_problem(400, "invalid_request", "the body is no JSON object")
        return self._by_key(given) if path == KEY_PATH else self._by_refresh(given)

    def _by_key(self, given: dict[str, Any]) -> web.Response:
        key = (str(given.get("accessKeyId", "")), str(given.get("accessKeySecret", "")))
        if not self._state.access_key.match(*key):
            return oauth_problem(401, "invalid_access_key", "unknown access key or wrong secret")
        return json_reply(200, self._granted() | {"refresh_token_expires_in": REFRESH_SECONDS})

    def _by_password(self, request: web.BaseRequest, body: bytes) -> web.Response:
        form = dict(parse_qsl(body.decode(), strict_parsing=True, keep_blank_values=True))
        if form.get("grant_type") not in {"password", "refresh_token"}:
            return oauth_problem(400, "unsupported_grant_type", "use password or refresh_token")
        if not self._state.credentials.match(*_client(request, form)):
            return oauth_problem(401, "invalid_client", "unknown client or wrong secret")
        if form["grant_type"] == "refresh_token":
            if form.get("refresh_token") not in self._refresh:
                return oauth_problem(400, "invalid_grant", "unknown refresh token")
        elif not self._state.access_key.match(form.get("username", ""), form.get("password", "")):
            return oauth_problem(400, "invalid_grant", "unknown access key or wrong secret")
        return json_reply(200, self._granted() | {"issued_token_type": "access_token"})

    def _by_refresh(self, given: dict[str, Any]) -> web.Response:
        if given.get("token") not in self._refresh:
            return oauth_problem(401, "invalid_token", "unknown refresh token")
        granted = self._granted()
        return json_reply(
            200,
            {
                "token": granted["access_token"],
                "tokenExpirationTimeSec": granted["expires_in"],
                "refreshToken": granted["refresh_token"],
                "refreshTokenExpirationTimeSec": REFRESH_SECONDS,
                "sessionId": secrets.token_hex(8),
            },
        )

    def _granted(self) -> dict[str, Any]:
        state = self._state
        seconds = state.config.token_seconds
        claims = {"tenantId": TENANT_ID, "icBUId": 7001, "name": "simulated.user", "role": {}}
        token = _web_token(claims)
        state.tokens.keep(token, state.clock.monotonic() + seconds, frozenset())
        state.counters.tokens_issued += 1
        refresh = secrets.token_urlsafe(32)
        self._refresh.add(refresh)
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": seconds,
            "refresh_token": refresh,
            "id_token": _web_token(claims),
        }


def _openid_configuration(request: web.BaseRequest) -> web.Response:
    address = f"{request.scheme}://{request.host}"
    return json_reply(
        200,
        {
            "issuer": f"{address}/auth",
            "token_endpoint": f"{address}{PASSWORD_PATH}",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        },
    )


def _web_token(claims: dict[str, Any]) -> str:
    parts = [
        json.dumps({"alg": "none"}).encode(),
        json.dumps(claims).encode(),
        secrets.token_bytes(24),
    ]
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _client(request: web.BaseRequest, form: dict[str, str]) -> tuple[str, str]:
    """Return client id and secret, from HTTP Basic or from the form."""
    scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    name, _, secret = b64decode(coded).decode().partition(":")
    return unquote_plus(name), unquote_plus(secret)
