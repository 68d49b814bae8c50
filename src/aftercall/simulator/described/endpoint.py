"""Contacts and lists as a profile's file describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from aftercall.simulator.acd.catalogue import Catalogue
from aftercall.simulator.commit import Write, commit
from aftercall.simulator.described.bulk import DescribedBulk
from aftercall.simulator.described.changes import change_of
from aftercall.simulator.described.documents import put, wrapped
from aftercall.simulator.described.follow_ups import DescribedFollowUps
from aftercall.simulator.described.lists import list_of_ids
from aftercall.simulator.described.showing import Showing
from aftercall.simulator.disposition import InvalidChangeError
from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import after_commit, before_commit
from aftercall.simulator.replies import json_reply, problem
from aftercall.simulator.state import ACD_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftercall.simulator.described.sign_in import DescribedSignIn
    from aftercall.simulator.described.surface import Reading, Surface
    from aftercall.simulator.state import State


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a contact: whose, and which operation."""

    campaign: str
    contact: str
    operation: str


class DescribedEndpoint:
    """All addresses of the API that need a token."""

    def __init__(self, state: State, surface: Surface, entrance: DescribedSignIn) -> None:
        self._state = state
        self._surface = surface
        self._entrance = entrance
        self._operations = {"read": surface.read.address, "write": surface.write}
        if surface.readback is not None:
            self._operations["readback"] = surface.readback.address
        self._showing = Showing(state, surface)
        self._follow_ups = DescribedFollowUps(state, surface, self._refused)
        self._bulk = DescribedBulk(state, surface, self._showing, self._throttled)

    def speaks(self, method: str, raw_path: str) -> bool:
        """Say whether an address is one of this API's."""
        places = (*self._operations.values(), *self._surface.lists.values())
        try:
            found = any(place.values(method, raw_path) is not None for place in places)
            found = found or self._bulk.speaks(method, raw_path)
            return found or self._follow_ups.campaign(method, raw_path) is not None
        except UnicodeDecodeError:
            return True

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer and count one request."""
        arrived = self._state.clock.monotonic()
        with self._state.counters.tenant.one_more():
            try:
                response = await self._respond(request, arrived)
            except UnicodeDecodeError:
                response = self._refused(400, "an identifier in the address is not UTF-8")
        self._state.counters.answered(request.method, response.status)
        return response

    async def _respond(self, request: web.BaseRequest, arrived: float) -> web.StreamResponse:
        state, surface = self._state, self._surface
        listed = await self._bulk.asked(request)
        call = None if listed is not None else self._call(request)
        followed = None
        if call is None:
            followed = self._follow_ups.campaign(request.method, request.raw_path)
        campaign = followed or ACD_CAMPAIGN if call is None else call.campaign
        campaign = campaign if listed is None else listed.campaign
        wait = state.gate.admit(campaign, arrived)
        if wait > 0:
            return self._throttled(state.retry_after.headers(wait, state.clock.wall()))
        told = request.headers.get("Authorization", "")
        if self._entrance.needs_token and state.tokens.scopes(told, arrived) is None:
            return self._refused(401, "the token is missing, unknown or expired")
        if followed is not None:
            return await self._follow_ups.answer(request)
        if listed is not None:
            await state.pause()
            return await self._bulk.answer(request, listed)
        if call is None:
            await state.pause()
            return list_of_ids(surface, state.world, request)
        body = await request.read()
        await state.pause()
        return await self._with_faults(request, call, body)

    def _call(self, request: web.BaseRequest) -> Call | None:
        for operation, address in self._operations.items():
            told = address.values(request.method, request.raw_path)
            if told is not None:
                contact = told.get("contact", "")
                # A contact that is known by its own id in one place is the same in all places.
                named = all(one.names("campaign") for one in self._operations.values())
                known = self._state.contacts.campaign_of(contact) or ACD_CAMPAIGN
                return Call(told["campaign"] if named else known, contact, operation)
        return None

    async def _with_faults(
        self, request: web.BaseRequest, call: Call, body: bytes
    ) -> web.StreamResponse:
        state = self._state
        tag = request.headers.get("If-Match")
        conditional = call.operation == "write" and tag is not None and state.config.etags
        fault = state.dice.for_contact(
            request.method, call.campaign, call.contact, conditional=conditional
        )
        if fault is FaultKind.CONFLICT:
            state.contacts.interfere(call.campaign, call.contact)
        if fault is FaultKind.THROTTLE:
            return self._throttled(state.retry_after.headers(1.0, state.clock.wall()))
        instead = None if fault is None else await before_commit(state, request, fault)
        if instead is not None:
            return instead
        if call.operation == "write":
            answered = fault is not FaultKind.RESET_AFTER
            response = self._write(request, call, body, answered=answered)
        else:
            response = self._shown(call)
        return response if fault is None else await after_commit(state, request, fault, response)

    def _shown(self, call: Call) -> web.Response:
        """Show a contact, or its disposition alone."""
        contacts, surface = self._state.contacts, self._surface
        record = contacts.read(call.campaign, call.contact)
        if record is None:
            return self._absent()
        reading = surface.read if call.operation == "read" else surface.readback
        assert reading is not None  # noqa: S101 - its address was found
        if call.operation == "readback" and record.disposition.outcome is None:
            none = reading.rules.get("none", [204, 404])
            return _empty(reading) or web.Response(status=min(none))
        stored = reading.rules.get("timestamp_means") == "written"
        document = self._showing.document(reading.fields, record, stored=stored)
        headers = {}
        if reading is surface.read:
            self._showing.add_ids(document, record, reading.rules.get("etag"))
            if self._state.config.etags and "etag" not in reading.rules:
                headers = {reading.rules.get("etag_header", "ETag"): self._showing.etag(record)}
        return json_reply(200, wrapped(reading.envelope, document), headers)

    def _absent(self) -> web.Response:
        reading = self._surface.read
        absent = reading.rules.get("absent", [404])
        code = 404 if 404 in absent or not absent else min(absent)
        return _empty(reading) or self._refused(code, "no such contact")

    def _write(
        self, request: web.BaseRequest, call: Call, body: bytes, *, answered: bool
    ) -> web.Response:
        state, contacts = self._state, self._state.contacts
        record = contacts.find(call.campaign, call.contact)
        if record is None:
            return self._refused(404, "no such contact")
        try:
            change = change_of(self._surface, request.raw_path, body)
            _check_code(state, self._surface, change["outcomeCode"])
        except InvalidChangeError as error:
            return self._refused(400, str(error))
        phase = contacts.phase(record).state
        refusal = record.spec.refusal
        if refusal is not None:
            return self._refused(refusal.status, refusal.message)
        if self._surface.shown_state(phase) in self._surface.states["closed"]:
            return self._refused(400, "the contact is closed")
        tag = request.headers.get("If-Match")
        if (
            tag is not None
            and state.config.etags
            and tag.strip() not in {"*", self._showing.etag(record)}
        ):
            return self._refused(412, "the contact has changed")
        name = self._surface.tables.get("request_id_header", "x-request-id")
        asked_as = request.headers.get(name)
        write = Write(
            call.campaign,
            call.contact,
            change,
            phase,
            asked_as,
            answered,
            if_match=tag is not None,
        )
        commit(state, record, write)
        return _accepted(self._surface)

    def _throttled(self, headers: Mapping[str, str]) -> web.Response:
        wanted = self._surface.table("pace").get("retry_after_header", "Retry-After")
        told = next(iter(headers.values()), None)
        renamed = {} if told is None else {wanted: told}
        return self._refused(429, "too many requests", renamed)

    def _refused(
        self, status: int, text: str, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """Return a refusal with its words where the file says that they stand."""
        if self._surface.words == "message":
            return problem(status, "refused", text, headers)
        document: dict[str, Any] = {}
        put(document, self._surface.words, text)
        return json_reply(status, document, headers)


def _empty(reading: Reading) -> web.Response | None:
    """Return the answer whose body says that nothing is there, if such bodies say so."""
    places = reading.rules.get("none_if_empty")
    return json_reply(200, wrapped(places[0], [])) if places else None


def _check_code(state: State, surface: Surface, code: str) -> None:
    """Check that the tenant knows an outcome.

    Raises:
        InvalidChangeError: If it does not.
    """
    if surface.table("codes").get("source") == "lookup":
        entry = Catalogue(state.world.dispositions).entry(code)
        if entry is None or not entry.is_active:
            raise InvalidChangeError(f"there is no disposition {code}")
    elif not state.config.knows(code):
        raise InvalidChangeError(f"the outcome {code} is not configured for this tenant")


def _accepted(surface: Surface) -> web.Response:
    rules = surface.table("write")
    success = rules.get("success", [200, 204])
    if 204 in success:
        return web.Response(status=204)
    document: dict[str, Any] = {}
    failure = rules.get("failure", {})
    if "flag" in failure:
        put(document, failure["flag"], True)
    return json_reply(min(success), document)
