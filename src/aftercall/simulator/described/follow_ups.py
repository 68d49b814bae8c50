"""Tags, DNC group records and callbacks as a profile's file describes them.

What the file cannot say and is decided here: a contact that does not exist is a 404, every group
and tag exists, and what is asked for a second time is done and marked as a repetition.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from aftercall.simulator.described.changes import check_field
from aftercall.simulator.described.documents import at, put, wrapped
from aftercall.simulator.disposition import InvalidChangeError
from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import after_commit, before_commit
from aftercall.simulator.replies import json_reply
from aftercall.simulator.state import ACD_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aftercall.simulator.described.surface import FollowUp, Surface
    from aftercall.simulator.state import State

KINDS = {"tags": "tag", "dnc_group": "dnc", "callback": "callback"}
"""What an entry of the journal calls each of the file's tables."""


class DescribedFollowUps:
    """What the API takes beyond dispositions. What is changed is kept in a journal of its own."""

    def __init__(
        self, state: State, surface: Surface, refused: Callable[[int, str], web.Response]
    ) -> None:
        self._state = state
        self._surface = surface
        self._refused = refused
        self._seen: set[str] = set()

    def campaign(self, method: str, raw_path: str) -> str | None:
        """Return for which campaign an address counts; None if it is none of these.

        Raises:
            UnicodeDecodeError: If an identifier is not UTF-8.
        """
        found = self._found(method, raw_path)
        return None if found is None else found[1].get("campaign", ACD_CAMPAIGN)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request that was let in."""
        state, found = self._state, self._found(request.method, request.raw_path)
        assert found is not None  # noqa: S101 - its address was found
        body = await request.read()
        await state.pause()
        # Counted by address: each group and each contact has faults of its own.
        path = request.raw_path.partition("?")[0]
        fault = state.dice.for_contact("POST", ACD_CAMPAIGN, path, conditional=False)
        instead = None if fault is None else await before_commit(state, request, fault)
        if instead is not None:
            return instead
        response = self._done(*found, body, answered=fault is not FaultKind.RESET_AFTER)
        return response if fault is None else await after_commit(state, request, fault, response)

    def _found(self, method: str, raw_path: str) -> tuple[FollowUp, Mapping[str, str]] | None:
        for one in self._surface.follow_ups:
            told = one.address.values(method, raw_path)
            if told is not None:
                return one, told
        return None

    def _done(
        self, one: FollowUp, told: Mapping[str, str], body: bytes, *, answered: bool
    ) -> web.Response:
        contacts, contact = self._state.contacts, told.get("contact")
        if contact is not None:
            campaign = told.get("campaign") or contacts.campaign_of(contact) or ACD_CAMPAIGN
            if contacts.find(campaign, contact) is None:
                return self._refused(404, "no such contact")
        try:
            parts = _parts(one, body)
        except InvalidChangeError as error:
            return self._refused(400, str(error))
        for part in parts:
            entry = {"kind": KINDS[one.kind], **told, "fields": part}
            key = json.dumps(entry, sort_keys=True)
            moment = {"at": self._state.clock.wall(), "answered": answered}
            self._state.follow_ups.append(entry | {"repeat": key in self._seen} | moment)
            self._seen.add(key)
        return _taken(one, len(parts))


def _parts(one: FollowUp, body: bytes) -> list[dict[str, Any]]:
    """Return what is asked for, item by item.

    Raises:
        InvalidChangeError: If the tenant would answer 400.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidChangeError("the body cannot be read") from error
    items = one.rules.get("items")
    parts = [document] if items is None else at(document, items)
    if not isinstance(parts, list) or not parts:
        raise InvalidChangeError(f"{items} must be a list that is not empty")
    if len(parts) > one.rules.get("items_max", 1):
        raise InvalidChangeError(f"{len(parts)} are too many at once")
    known = {field.path.partition(".")[0] for field in one.fields}
    for part in parts:
        if not isinstance(part, dict):
            raise InvalidChangeError("each must be an object")
        if part.keys() - known:
            raise InvalidChangeError(f"unknown fields: {', '.join(sorted(part.keys() - known))}")
        for field in one.fields:
            value = at(part, field.path)
            if value is not None:
                check_field(field, value, typed=True)
            elif field.path in one.needed:
                raise InvalidChangeError(f"{field.path} is missing")
    return parts


def _taken(one: FollowUp, number: int) -> web.Response:
    """Return an answer of success, with a result for each item where the file has results."""
    rules, success = one.rules.get("failure", {}), one.rules.get("success", [200])
    status = 200 if 200 in success else min(success)
    document: dict[str, Any] = {}
    flag = rules.get("flag", "success")
    result: dict[str, Any] = {}
    put(result, flag, True)
    if "items" in rules:
        document = wrapped(rules["items"], [result] * number)
    elif "flag" in rules:
        document = result
    return web.Response(status=204) if status == 204 else json_reply(status, document)
