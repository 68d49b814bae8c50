"""The CRM: takes signed events."""

from __future__ import annotations

import asyncio
import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from aiohttp import web

from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import FORBIDDEN_TARGET
from aftercall.simulator.replies import abort, flood, problem
from aftercall.simulator.signatures import SignatureError, signing_keys, verify

if TYPE_CHECKING:
    from aftercall.simulator.state import State

CRM_PATH = "/crm"
_THROTTLE_SECONDS = 1.0


class CrmEndpoint:
    """``POST /crm`` and every path below it."""

    def __init__(self, state: State) -> None:
        self._state = state
        secret = state.config.crm_secret
        self._keys = None if secret is None else signing_keys(secret)

    async def answer(self, request: web.BaseRequest, raw_path: str) -> web.StreamResponse:
        """Answer and count one delivery."""
        counters = self._state.counters
        with counters.crm.one_more():
            response = await self._respond(request, raw_path)
        counters.answered("CRM", response.status)
        return response

    async def _respond(self, request: web.BaseRequest, raw_path: str) -> web.StreamResponse:
        if request.method != "POST":
            return problem(405, "method_not_allowed", "events are sent with POST")
        body = await request.read()
        if self._state.config.crm_latency_ms > 0:
            await asyncio.sleep(self._state.config.crm_latency_ms / 1000)
        if self._keys is not None:
            try:
                verify(self._keys, request.headers, body, self._state.clock.wall())
            except SignatureError as error:
                self._state.counters.bad_signatures += 1
                return problem(401, "bad_signature", str(error))
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return problem(400, "bad_request", "the event is not JSON")
        event_id = request.headers.get("webhook-id")
        entry = {"id": event_id, "path": raw_path, "body": event}
        # Unsigned events may lack an identifier; the same body is then the same event.
        identity = event_id or blake2b(body).hexdigest()
        return await self._take(request, identity, entry)

    async def _take(
        self, request: web.BaseRequest, event_id: str, entry: dict[str, Any]
    ) -> web.StreamResponse:
        state = self._state
        attempt = state.counters.event_attempted(event_id)
        refusal, fault = self._refusal(request, event_id)
        if refusal is not None:
            return refusal
        state.counters.event_received(event_id)
        state.events.append({**entry, "at": state.clock.wall(), "attempt": attempt})
        if fault is FaultKind.CRM_RESET_AFTER:
            return abort(request)
        if fault is FaultKind.CRM_HUGE:
            return await flood(request, state.dice.faults.huge_bytes)
        if fault is FaultKind.CRM_SLOW:
            await state.slow_down()
        return web.Response(status=204)

    def _refusal(
        self, request: web.BaseRequest, event_id: str
    ) -> tuple[web.Response | None, FaultKind | None]:
        state = self._state
        age = state.clock.monotonic() - state.faults_since
        if age < state.dice.faults.crm_down_seconds:
            return problem(503, "service_unavailable", "the CRM is down"), None
        fault = state.dice.for_event(event_id)
        match fault:
            case FaultKind.CRM_GONE:
                return problem(410, "gone", "this address takes no events any more"), fault
            case FaultKind.CRM_RESET_BEFORE:
                return abort(request), fault
            case FaultKind.CRM_REDIRECT:
                return web.Response(status=302, headers={"Location": FORBIDDEN_TARGET}), fault
            case FaultKind.CRM_ERROR:
                return problem(500, "internal_error", "something broke"), fault
            case FaultKind.CRM_THROTTLE:
                headers = state.retry_after.headers(_THROTTLE_SECONDS, state.clock.wall())
                return problem(429, "rate_limited", "too many events", headers), fault
        return None, fault
