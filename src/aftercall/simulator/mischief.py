"""Carrying out the faults of contacts and of signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from aftercall.simulator.faults import FaultKind
from aftercall.simulator.replies import (
    abort,
    cut_off,
    flood,
    json_reply,
    oauth_problem,
    problem,
)

if TYPE_CHECKING:
    from aftercall.simulator.state import State

FORBIDDEN_TARGET = "http://169.254.169.254/"
_LOGIN_PAGE = "<!doctype html><title>Sign in</title><form method=post>Please sign in</form>"
_THROTTLE_SECONDS = 1.0


async def before_commit(
    state: State, request: web.BaseRequest, fault: FaultKind
) -> web.Response | None:
    """Carry out a fault that comes before the change.

    Returns:
        The answer that takes the place of the real one, or None if the request goes on.
    """
    match fault:
        case FaultKind.RESET_BEFORE:
            return abort(request)
        case FaultKind.ERROR_BEFORE:
            return problem(503, "service_unavailable", "try again later")
        case FaultKind.GARBAGE:
            return _garbage(request.method)
        case FaultKind.UNAUTHORIZED:
            state.tokens.revoke()
            return oauth_problem(401, "invalid_token", "the token was revoked")
        case FaultKind.THROTTLE:
            headers = state.retry_after.headers(_THROTTLE_SECONDS, state.clock.wall())
            return json_reply(429, {"error": "rate_limited"}, headers)
        case FaultKind.REDIRECT:
            return web.Response(status=302, headers={"Location": FORBIDDEN_TARGET})
        case FaultKind.SLOW_BEFORE:
            await state.slow_down()
    return None


async def after_commit(
    state: State, request: web.BaseRequest, fault: FaultKind, response: web.Response
) -> web.StreamResponse:
    """Carry out a fault that spoils the answer.

    Args:
        state: The running state.
        request: The request being answered.
        fault: What goes wrong.
        response: The real answer.
    """
    match fault:
        case FaultKind.RESET_AFTER:
            return abort(request)
        case FaultKind.ERROR_AFTER_COMMIT:
            return problem(500, "internal_error", "something broke")
        case FaultKind.TRUNCATED:
            body = response.body if isinstance(response.body, bytes) else b""
            return await cut_off(request, body or b'{"contactId":"lost on the way"}')
        case FaultKind.HUGE:
            return await flood(request, state.dice.faults.huge_bytes)
        case FaultKind.SLOW:
            await state.slow_down()
    return response


async def before_token(state: State) -> web.Response | None:
    """Take the time of a sign-in, with a fault if there is to be one.

    Returns:
        The answer that takes the place of the real one, or None if the request goes on.
    """
    await state.pause()
    fault = state.dice.for_token()
    if fault is FaultKind.TOKEN_DOWN:
        return problem(503, "service_unavailable", "the token service is down")
    if fault is FaultKind.TOKEN_SLOW:
        await state.slow_down()
    return None


def _garbage(method: str) -> web.Response:
    if method != "GET":
        return web.Response(text=_LOGIN_PAGE, content_type="text/html")
    return web.Response(body=b"\x00\xff{not json", content_type="application/json")
