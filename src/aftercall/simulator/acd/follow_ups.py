"""What the ACD API takes beyond dispositions: tags, DNC group records, scheduled callbacks.

Paths, fields, the 4,500 records of a call and the result of each are those of the published
specifications. Decided here: a number that is no number is refused by its own result, one that is
in the group already counts as done; a tag that the contact has is an error of its own; which
groups exist (any number, of which those that the world lists as inactive answer 409).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import web

from aftercall.simulator.acd.catalogue import SKILL
from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import after_commit, before_commit
from aftercall.simulator.replies import json_reply
from aftercall.simulator.state import ACD_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aftercall.simulator.state import State

RECORDS_MAX = 4500

_TAGS = re.compile(r"contacts/([^/]+)/tags")
_RECORDS = re.compile(r"dnc-groups/([^/]+)/records")
_CALLBACKS = "scheduled-callbacks"
_NUMBER = re.compile(r"\+?[0-9 ().-]{7,20}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")
_CALLBACK_FIELDS = {
    "phoneNumber": str,
    "scheduleDate": str,
    "skillId": int,
    "firstName": str,
    "lastName": str,
    "targetAgentId": int,
    "notes": str,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and what was changed for it."""

    status: int
    payload: Mapping[str, Any] | None
    changes: tuple[Mapping[str, Any], ...] = ()


class FollowUpEndpoint:
    """The three operations. What they change is kept in a journal of its own."""

    def __init__(self, state: State) -> None:
        self._state = state

    def part_of(self, path: str) -> str:
        """Return which operation an address is of: its name for ``denied``; empty if of none."""
        if path == _CALLBACKS:
            return _CALLBACKS
        if _TAGS.fullmatch(path):
            return "tags"
        return "dnc-groups" if _RECORDS.fullmatch(path) else ""

    async def answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer a request that was let in."""
        state = self._state
        if request.method != "POST":
            return _refused(405, "Method not allowed")
        if self.part_of(path) in state.config.denied:
            return _refused(403, "The user has no permission to do this")
        body = await request.read()
        await state.pause()
        # Counted by address: each group and each contact has faults of its own.
        fault = state.dice.for_contact("POST", ACD_CAMPAIGN, path, conditional=False)
        if fault is None:
            return self._done(path, body, answered=True)
        instead = await before_commit(state, request, fault)
        if instead is not None:
            return instead
        response = self._done(path, body, answered=fault is not FaultKind.RESET_AFTER)
        return await after_commit(state, request, fault, response)

    def _done(self, path: str, body: bytes, *, answered: bool) -> web.Response:
        reply = self._reply(path, _object(body))
        for change in reply.changes:
            entry = {"at": self._state.clock.wall(), **change, "answered": answered}
            self._state.follow_ups.append(entry)
        if reply.payload is None:
            return web.Response(status=reply.status)
        if reply.status >= 400:
            return _refused(reply.status, reply.payload["words"])
        return json_reply(reply.status, reply.payload)

    def _reply(self, path: str, document: Mapping[str, Any]) -> Reply:
        tagged, grouped = _TAGS.fullmatch(path), _RECORDS.fullmatch(path)
        if tagged is not None:
            return self._tag(unquote(tagged[1]), document)
        if grouped is not None:
            return self._record(unquote(grouped[1]), document)
        return self._schedule(document)

    def _tag(self, contact: str, document: Mapping[str, Any]) -> Reply:
        campaign = self._state.contacts.campaign_of(contact) or ACD_CAMPAIGN
        if self._state.contacts.find(campaign, contact) is None:
            return _words(404, "Invalid Contact ID")
        tags = document.get("tags")
        if document.keys() != {"tags"} or not isinstance(tags, list) or not tags:
            return _words(400, "Invalid tags")
        numbers: list[Any] = [tag.get("tagId") for tag in tags if isinstance(tag, dict)]
        if len(numbers) != len(tags) or not all(type(number) is int for number in numbers):
            return _words(400, "Invalid tagId")
        held = self._state.tags.setdefault(contact, set())
        changes = tuple(
            {"kind": "tag", "contact": contact, "tag": number, "repeat": number in held}
            for number in numbers
        )
        held.update(numbers)
        return Reply(200, {"resultSet": {"errorCount": 0}}, changes)

    def _record(self, group: str, document: Mapping[str, Any]) -> Reply:
        if not group.isdecimal():
            return _words(404, "Invalid groupId")
        if int(group) in self._state.world.inactive_dnc_groups:
            return _words(409, "DNC group is inactive")
        records = document.get("dncGroupRecords")
        if document.keys() != {"dncGroupRecords"} or not isinstance(records, list) or not records:
            return _words(400, "Invalid dncGroupRecords")
        if len(records) > RECORDS_MAX:
            return _words(400, f"Maximum {RECORDS_MAX} limit of records exceeded")
        results, changes = [], []
        held = self._state.dnc.setdefault(group, set())
        for record in records:
            number = record.get("phoneNumber") if isinstance(record, dict) else None
            if not isinstance(number, str) or not record.keys() <= {"phoneNumber", "expiredDate"}:
                return _words(400, "Invalid dncGroupRecords")
            right = _NUMBER.fullmatch(number) is not None
            bare = re.sub(r"\D", "", number)
            error = "" if right else f"Invalid phone number {number}"
            results.append({"success": right, "error": error, "formattedPhone": bare})
            if right:
                change = {"kind": "dnc", "group": group, "phone": bare, "repeat": bare in held}
                changes.append(change)
                held.add(bare)
        wrong = sum(not result["success"] for result in results)
        payload = {"errorCount": wrong, "recordResults": results}
        return Reply(206 if wrong else 200, payload, tuple(changes))

    def _schedule(self, document: Mapping[str, Any]) -> Reply:
        for name, value in document.items():
            if type(value) is not _CALLBACK_FIELDS.get(name):
                return _words(400, f"Invalid {name}")
        skills = {SKILL, *(spec.skill for spec in self._state.world.contacts.values())}
        if not _NUMBER.fullmatch(document.get("phoneNumber", "")):
            return _words(400, "Invalid phoneNumber")
        if not _TIME.fullmatch(document.get("scheduleDate", "")):
            return _words(400, "Invalid scheduleDate")
        if document.get("skillId") not in skills:
            return _words(400, "Invalid skillId")
        number = 1 + len(self._state.follow_ups)
        told = {name: document[name] for name in ("phoneNumber", "scheduleDate", "skillId")}
        return Reply(200, {"callbackId": number}, ({"kind": "callback", "id": number, **told},))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _words(status: int, text: str) -> Reply:
    return Reply(status, {"words": text})


def _refused(status: int, text: str) -> web.Response:
    """Return a refusal: its words are in the body and in a header of their own."""
    headers = {"icStatusDescription": text}
    return json_reply(status, {"error": "error", "error_description": text}, headers)
