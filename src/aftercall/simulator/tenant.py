"""The contact endpoint of the tenant: GET and PATCH."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import web

from aftercall.simulator.commit import Write, commit
from aftercall.simulator.disposition import InvalidChangeError, parse_change
from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import after_commit, before_commit
from aftercall.simulator.replies import json_reply, oauth_problem, problem
from aftercall.simulator.tokens import SCOPE_CONTACT, SCOPE_DISPOSITION

if TYPE_CHECKING:
    from aftercall.simulator.contacts import Record
    from aftercall.simulator.state import State

CONTACTS_PREFIX = "/api/v1/outbound/campaigns/"
_NEEDED_SCOPE = {"GET": SCOPE_CONTACT, "PATCH": SCOPE_DISPOSITION}


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a contact."""

    campaign: str
    contact: str
    body: bytes
    if_match: str | None
    request_id: str | None


def contact_address(raw_path: str) -> tuple[str, str] | None:
    """Take campaign and contact from a path that is still percent-encoded.

    Decoding before splitting would take an encoded slash for a separator, and decoding twice
    would turn ``%252F`` into a slash.

    Returns:
        Both identifiers, or None if the path names no contact.

    Raises:
        UnicodeDecodeError: If an identifier is not UTF-8.
    """
    parts = raw_path.removeprefix(CONTACTS_PREFIX).split("/")
    if len(parts) != 3 or parts[1] != "contacts" or not parts[0] or not parts[2]:
        return None
    return unquote(parts[0], errors="strict"), unquote(parts[2], errors="strict")


class ContactEndpoint:
    """``/api/v1/outbound/campaigns/{campaign}/contacts/{contact}``."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def answer(self, request: web.BaseRequest, raw_path: str) -> web.StreamResponse:
        """Answer and count one request."""
        arrived = self._state.clock.monotonic()
        counters = self._state.counters
        with counters.tenant.one_more():
            response = await self._respond(request, raw_path, arrived)
        counters.answered(request.method, response.status)
        return response

    async def _respond(
        self, request: web.BaseRequest, raw_path: str, arrived: float
    ) -> web.StreamResponse:
        try:
            address = contact_address(raw_path)
        except UnicodeDecodeError:
            return problem(400, "bad_request", "an identifier in the path is not UTF-8")
        if address is None:
            return problem(404, "not_found", "no such resource")
        if request.method not in _NEEDED_SCOPE:
            return problem(405, "method_not_allowed", "contacts are read with GET, set with PATCH")
        refusal = self._turned_away(request, address[0], arrived)
        if refusal is not None:
            return refusal
        headers = request.headers
        body = await request.read()
        call = Call(*address, body, headers.get("If-Match"), headers.get("X-Request-ID"))
        await self._state.pause()
        return await self._with_faults(request, call)

    def _turned_away(
        self, request: web.BaseRequest, campaign: str, arrived: float
    ) -> web.Response | None:
        state = self._state
        wait = state.gate.admit(campaign, arrived)
        if wait > 0:
            headers = state.retry_after.headers(wait, state.clock.wall())
            return json_reply(429, {"error": "rate_limited"}, headers)
        scopes = state.tokens.scopes(request.headers.get("Authorization", ""), arrived)
        if scopes is None:
            return oauth_problem(401, "invalid_token", "the token is missing, unknown or expired")
        needed = _NEEDED_SCOPE[request.method]
        if needed not in scopes:
            text = f"{request.method} of a contact requires {needed}"
            return oauth_problem(403, "insufficient_scope", text)
        return None

    async def _with_faults(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        state = self._state
        reading = request.method == "GET"
        conditional = not reading and call.if_match is not None and state.config.etags
        fault = state.dice.for_contact(
            request.method, call.campaign, call.contact, conditional=conditional
        )
        if fault is None:
            return self._read(call) if reading else self._write(call, answered=True)
        if fault is FaultKind.CONFLICT:
            state.contacts.interfere(call.campaign, call.contact)
        instead = await before_commit(state, request, fault)
        if instead is not None:
            return instead
        answered = fault is not FaultKind.RESET_AFTER
        response = self._read(call) if reading else self._write(call, answered=answered)
        return await after_commit(state, request, fault, response)

    def _read(self, call: Call) -> web.Response:
        record = self._state.contacts.read(call.campaign, call.contact)
        if record is None:
            return _unknown(call)
        return self._shown(call, record, 200)

    def _write(self, call: Call, *, answered: bool) -> web.Response:
        contacts = self._state.contacts
        record = contacts.find(call.campaign, call.contact)
        if record is None:
            return _unknown(call)
        try:
            change = parse_change(call.body, self._state.config.knows)
        except InvalidChangeError as error:
            return problem(400, "validation_error", str(error))
        refusal = record.spec.refusal
        if refusal is not None:
            return problem(refusal.status, "refused", refusal.message)
        if not self._matches(call, record):
            return problem(412, "precondition_failed", "the contact has changed")
        write = Write(
            call.campaign,
            call.contact,
            change,
            contacts.phase(record).state,
            call.request_id,
            answered,
            if_match=call.if_match is not None,
        )
        commit(self._state, record, write)
        return self._shown(call, record, self._state.config.patch_status)

    def _matches(self, call: Call, record: Record) -> bool:
        if call.if_match is None or not self._state.config.etags:
            return True
        wanted = {tag.strip() for tag in call.if_match.split(",")}
        return not wanted.isdisjoint({"*", self._etag(record)})

    def _etag(self, record: Record) -> str:
        return f'"v{self._state.contacts.version(record)}"'

    def _shown(self, call: Call, record: Record, status: int) -> web.Response:
        headers = {"ETag": self._etag(record)} if self._state.config.etags else None
        if status == 204:
            return web.Response(status=204, headers=headers)
        view = self._state.contacts.view(call.campaign, call.contact, record)
        return json_reply(status, view, headers)


def _unknown(call: Call) -> web.Response:
    text = f"campaign {call.campaign} has no contact {call.contact}"
    return problem(404, "not_found", text)
