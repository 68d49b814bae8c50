"""The ACD API: contacts, their dispositions, and the lists."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from aftercall.simulator.acd.catalogue import (
    FINAL,
    SKILL,
    WRITABLE,
    Catalogue,
    classifications,
    state_descriptions,
    state_id,
    state_name,
)
from aftercall.simulator.acd.follow_ups import FollowUpEndpoint
from aftercall.simulator.clock import iso_time
from aftercall.simulator.commit import Write, commit
from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import after_commit, before_commit
from aftercall.simulator.replies import json_reply, oauth_problem
from aftercall.simulator.state import ACD_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftercall.simulator.contacts import Record
    from aftercall.simulator.state import State

AGENT = 90001
"""The agent of the user whose access key it is."""

# "inContactAPI", "InContactAPI" and "incontactapi" are all seen.
_SERVICES = re.compile(r"/incontactapi/services/v(\d+)\.\d/(.+)", re.IGNORECASE)
_CONTACT = re.compile(r"contacts/([^/]+)(?:/(disposition|set-disposition))?")
_SKILL = re.compile(r"skills/([^/]+)/dispositions")
_EXTRAS = ("callbackTime", "callbackNumber", "commitmentAmount")
_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True, slots=True)
class Call:
    """One request about a contact."""

    campaign: str
    contact: str
    part: str
    body: bytes
    request_id: str | None


class AcdEndpoint:
    """``/incontactapi/services/v{N}.0/...``."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._follow_ups = FollowUpEndpoint(state)

    def speaks(self, raw_path: str) -> bool:
        """Say whether an address is one of this API's."""
        return _SERVICES.fullmatch(raw_path) is not None

    async def answer(self, request: web.BaseRequest, raw_path: str) -> web.StreamResponse:
        """Answer and count one request."""
        arrived = self._state.clock.monotonic()
        with self._state.counters.tenant.one_more():
            response = await self._respond(request, raw_path, arrived)
        self._state.counters.answered(request.method, response.status)
        return response

    async def _respond(
        self, request: web.BaseRequest, raw_path: str, arrived: float
    ) -> web.StreamResponse:
        state = self._state
        wait = state.gate.admit(ACD_CAMPAIGN, arrived)
        if wait > 0:
            headers = state.retry_after.headers(wait, state.clock.wall())
            return json_reply(429, {"message": "Too many requests"}, headers)
        if state.tokens.scopes(request.headers.get("Authorization", ""), arrived) is None:
            return oauth_problem(401, "invalid_token", "Invalid or expired token")
        found = _SERVICES.fullmatch(raw_path)
        path = "" if found is None else found[2]
        if self._follow_ups.part_of(path):
            return await self._follow_ups.answer(request, path)
        contact = _CONTACT.fullmatch(path)
        if contact is None:
            return await self._listed(request, path)
        call = Call(
            self._campaign_of(unquote(contact[1])),
            unquote(contact[1]),
            contact[2] or "",
            await request.read(),
            request.headers.get("CorrelationId"),
        )
        if call.part in state.config.denied or (
            not call.part and "contacts" in state.config.denied
        ):
            return _refused(403, "The user has no permission to do this")
        if (request.method == "POST") is not (call.part == "set-disposition"):
            return _refused(405, "Method not allowed")
        await state.pause()
        return await self._with_faults(request, call)

    async def _listed(self, request: web.BaseRequest, path: str) -> web.Response:
        """Answer with one of the lists."""
        await self._state.pause()
        catalogue, skill = Catalogue(self._state.world.dispositions), _SKILL.fullmatch(path)
        if request.method != "GET":
            return _refused(405, "Method not allowed")
        if path.rpartition("/")[2] in self._state.config.denied:
            return _refused(403, "The user has no permission to do this")
        if skill is not None:
            known = unquote(skill[1]) in self._skills()
            return (
                json_reply(200, catalogue.of_skill()) if known else _refused(404, "Invalid Skill")
            )
        match path:
            case "dispositions":
                return json_reply(200, catalogue.dispositions(request.query))
            case "dispositions/classifications":
                return json_reply(200, classifications())
            case "contact-state-descriptions":
                return json_reply(200, state_descriptions())
            case _:
                return _refused(404, "Not found")

    def _skills(self) -> set[str]:
        listed = (spec.skill for spec in self._state.world.contacts.values())
        return {str(skill) for skill in (SKILL, *listed) if skill is not None}

    def _campaign_of(self, contact: str) -> str:
        return self._state.contacts.campaign_of(contact) or ACD_CAMPAIGN

    async def _with_faults(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        state = self._state
        fault = state.dice.for_contact(
            request.method, call.campaign, call.contact, conditional=False
        )
        if fault is None:
            return self._done(call, answered=True)
        instead = await before_commit(state, request, fault)
        if instead is not None:
            return instead
        response = self._done(call, answered=fault is not FaultKind.RESET_AFTER)
        return await after_commit(state, request, fault, response)

    def _done(self, call: Call, *, answered: bool) -> web.Response:
        match call.part:
            case "":
                return self._contact(call)
            case "disposition":
                return self._disposition(call)
            case _:
                return self._set(call, answered=answered)

    def _contact(self, call: Call) -> web.Response:
        record = self._state.contacts.read(call.campaign, call.contact)
        if record is None:
            return _refused(404, "Invalid Contact ID")
        name = state_name(self._state.contacts.phase(record).state)
        common = {
            "contactId": call.contact,
            "masterContactId": call.contact,
            "campaignId": 501,
            "skillId": int(_skill_of(record)),
            "agentId": AGENT,
            "isOutbound": True,
            "lastUpdateTime": iso_time(record.updated),
        }
        if name == FINAL:
            held = Catalogue(self._state.world.dispositions).held(record.disposition.outcome)
            number = None if held is None else held.number
            more = {
                "primaryDispositionId": number,
                "secondaryDispositionId": None,
                "dispositionNotes": record.disposition.notes or "",
                "endReason": "Contact Hung Up",
                "acwSeconds": 12,
            }
            return json_reply(200, common | more)
        if name:
            common |= {"state": name, "stateId": state_id(name)}
        return json_reply(200, {"resultSet": common})

    def _disposition(self, call: Call) -> web.Response:
        record = self._state.contacts.find(call.campaign, call.contact)
        if record is None:
            return _refused(404, "Invalid Contact ID")
        held = Catalogue(self._state.world.dispositions).held(record.disposition.outcome)
        if held is None:
            return web.Response(status=204)
        view = {
            "dispositionId": held.number,
            "dispositionName": held.name,
            "dispositionByAgendId": AGENT,
            "notes": record.disposition.notes or "",
            "lastUpdated": record.disposition.timestamp or iso_time(record.updated),
        }
        return json_reply(200, view)

    def _set(self, call: Call, *, answered: bool) -> web.Response:
        contacts, state = self._state.contacts, self._state
        record = contacts.find(call.campaign, call.contact)
        if record is None:
            return _refused(400, "Invalid Contact ID")
        if record.spec.refusal is not None:
            return _refused(record.spec.refusal.status, record.spec.refusal.message)
        name = state_name(contacts.phase(record).state)
        if name not in WRITABLE:
            return _refused(400, "Invalid Contact ID")
        info = _info(call.body)
        flaw = self._flaw(info, record)
        if flaw:
            return _refused(400, flaw)
        # The time is the tenant's own: when it was stored.
        change: dict[str, Any] = {
            "outcomeCode": str(info["dispositionCode"]),
            "dispositionTimestamp": None,
        }
        change |= {"notes": info["notes"]} if "notes" in info else {}
        change["customFields"] = {key: info[key] for key in _EXTRAS if key in info}
        write = Write(call.campaign, call.contact, change, name, call.request_id, answered)
        commit(state, record, write)
        return web.Response(status=200)

    def _flaw(self, info: Mapping[str, Any], record: Record) -> str:
        """Return what the tenant would say is wrong with a write; empty if nothing is."""
        entry = Catalogue(self._state.world.dispositions).entry(info.get("dispositionCode"))
        if str(info.get("skill")) != _skill_of(record):
            return "Invalid Skill"
        if entry is None or not entry.is_active:
            return "Invalid Disposition Code"
        if entry.classification is None:
            return "Specified Disposition Has No Classification"
        if not _AMOUNT.fullmatch(str(info.get("commitmentAmount", "0"))):
            return "Invalid Commitment Amount"
        if not _TIME.fullmatch(str(info.get("callbackTime", "2026-01-01T00:00"))):
            return "Invalid Callback Time"
        return ""


def _skill_of(record: Record) -> str:
    return str(record.spec.skill or SKILL)


def _info(body: bytes) -> Mapping[str, Any]:
    """Return what the body says; nothing if it is not of the documented form."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    info = document.get("dispositionInfo") if isinstance(document, dict) else None
    known = {"skill", "dispositionCode", "callbackNumber", "notes", *_EXTRAS}
    if not isinstance(info, dict) or not info.keys() <= known:
        return {}
    return info if all(isinstance(value, str) for value in info.values()) else {}


def _refused(status: int, text: str) -> web.Response:
    """Return a refusal: its words are in the body and in a header of their own."""
    headers = {"icStatusDescription": text}
    return json_reply(status, {"error": "error", "error_description": text}, headers)
