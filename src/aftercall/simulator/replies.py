"""Answers, and ways of not answering."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

ABORTED = 499
"""Status that stands for "no answer"; it is counted but never sent."""

_PIECE = b"x" * 65536


def json_reply(
    status: int, payload: object, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an answer with a JSON body."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    return web.Response(status=status, body=body, headers=headers, content_type="application/json")


def problem(
    status: int, error: str, message: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return a refusal in the form of the outbound API."""
    return json_reply(status, {"error": error, "message": message}, headers)


def oauth_problem(status: int, error: str, description: str) -> web.Response:
    """Return a refusal in the form of OAuth 2."""
    headers = {"WWW-Authenticate": f'Bearer error="{error}"'} if status == 401 else None
    payload = {"error": error, "error_description": description}
    return json_reply(status, payload, headers)


def abort(request: web.BaseRequest) -> web.Response:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=ABORTED)


async def cut_off(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
    """Send the first half of a JSON body and close the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def flood(request: web.BaseRequest, size: int) -> web.StreamResponse:
    """Stream a JSON text of about so many bytes, until the caller hangs up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(b'{"notes":"')
        for _ in range(max(1, size // len(_PIECE))):
            await response.write(_PIECE)
        await response.write(b'"}')
    return response
