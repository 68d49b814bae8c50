"""Endpoints under ``/_sim/``: looking into the simulator and changing it while it runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from aftercall.simulator.errors import InvalidInputError
from aftercall.simulator.replies import json_reply, problem

if TYPE_CHECKING:
    from aftercall.simulator.ledger import Journal
    from aftercall.simulator.state import State

INSPECTION_PREFIX = "/_sim/"

_Endpoint = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Inspection:
    """The endpoints without authentication; the simulator is reachable from loopback only."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._endpoints: dict[tuple[str, str], _Endpoint] = {
            ("GET", "ledger"): self._ledger,
            ("GET", "stats"): self._stats,
            ("GET", "crm"): self._crm,
            ("GET", "follow-ups"): self._follow_ups,
            ("GET", "contact"): self._contact,
            ("POST", "faults"): self._faults,
            ("POST", "world"): self._world,
            ("POST", "tokens/revoke"): self._revoke,
            ("POST", "credentials"): self._credentials,
            ("POST", "reset"): self._reset,
        }

    async def answer(self, request: web.BaseRequest, raw_path: str) -> web.StreamResponse:
        """Answer one request."""
        endpoint = self._endpoints.get((request.method, raw_path.removeprefix(INSPECTION_PREFIX)))
        if endpoint is None:
            return problem(404, "not_found", "no such inspection endpoint")
        try:
            return await endpoint(request)
        except (ValueError, RecursionError) as error:
            return problem(400, "bad_request", str(error))

    async def _ledger(self, request: web.BaseRequest) -> web.StreamResponse:
        return await _stream(request, self._state.ledger)

    async def _crm(self, request: web.BaseRequest) -> web.StreamResponse:
        return await _stream(request, self._state.events)

    async def _follow_ups(self, request: web.BaseRequest) -> web.StreamResponse:
        return await _stream(request, self._state.follow_ups)

    async def _stats(self, request: web.BaseRequest) -> web.StreamResponse:
        del request
        return json_reply(200, self._state.stats())

    async def _contact(self, request: web.BaseRequest) -> web.StreamResponse:
        contacts = self._state.contacts
        campaign = request.query.get("campaign", "")
        contact = request.query.get("contact", "")
        record = contacts.find(campaign, contact)
        if record is None:
            return problem(404, "not_found", "no such contact")
        view = contacts.view(campaign, contact, record)
        return json_reply(200, {**view, "version": contacts.version(record)})

    async def _faults(self, request: web.BaseRequest) -> web.StreamResponse:
        self._state.set_faults(self._state.dice.faults.replaced_from(await _object(request)))
        return web.Response(status=204)

    async def _world(self, request: web.BaseRequest) -> web.StreamResponse:
        self._state.extend_world(await _object(request))
        return web.Response(status=204)

    async def _revoke(self, request: web.BaseRequest) -> web.StreamResponse:
        del request
        return json_reply(200, {"revoked": self._state.tokens.revoke()})

    async def _credentials(self, request: web.BaseRequest) -> web.StreamResponse:
        data = await _object(request)
        if not data.keys() <= {"client_id", "client_secret"}:
            raise InvalidInputError("only client_id and client_secret can be changed")
        if not all(isinstance(value, str) for value in data.values()):
            raise InvalidInputError("credentials must be texts")
        for name, value in data.items():
            setattr(self._state.credentials, name, value)
        return web.Response(status=204)

    async def _reset(self, request: web.BaseRequest) -> web.StreamResponse:
        del request
        self._state.reset()
        return web.Response(status=204)


async def _object(request: web.BaseRequest) -> dict[str, Any]:
    # Not request.read(), which refuses more than a megabyte: a world may be larger.
    data = json.loads(await request.content.read())
    if not isinstance(data, dict):
        raise InvalidInputError("the body must be a JSON object")
    return data


async def _stream(request: web.BaseRequest, journal: Journal) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        for chunk in journal.chunks():
            await response.write(chunk)
    return response
