"""Tags, DNC records and callbacks as a profile's file describes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from aftercall.simulator.described.changes import check
from aftercall.simulator.described.documents import at, put
from aftercall.simulator.disposition import InvalidChangeError
from aftercall.simulator.replies import json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aftercall.simulator.described.surface import FollowUp, Surface
    from aftercall.simulator.state import State

_SUCCESS = (200, 201, 202, 204)


class FollowUps:
    """Carries out what else can be done for a contact, and keeps a book of it."""

    def __init__(self, state: State, surface: Surface) -> None:
        self._state = state
        self._surface = surface

    def done(self, raw_path: str, kind: str, body: bytes, *, answered: bool) -> web.Response:
        """Carry a request out.

        Args:
            raw_path: Its address.
            kind: What it asks for, by the name in the file.
            body: What it carries.
            answered: Whether the caller will see the answer.

        Raises:
            InvalidChangeError: If the tenant would answer 400.
        """
        way = self._surface.follow_ups[kind]
        told = way.address.values(way.address.method, raw_path) or {}
        items = _items(way, body)
        for item in items:
            _check(way, item)
        held = self._state.followed
        for item in items:
            key = json.dumps([kind, told, item], sort_keys=True)
            entry = {"kind": kind, **told, "told": item, "repeat": key in held}
            held.add(key)
            self._state.follow_ups.append(
                {"at": self._state.clock.wall(), **entry, "answered": answered}
            )
        return _accepted(way, len(items))


def _items(way: FollowUp, body: bytes) -> Sequence[dict[str, Any]]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidChangeError("the body cannot be read") from error
    items = at(document, way.items) if way.items else [document]
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise InvalidChangeError(f"{way.items or 'the body'} must hold objects")
    if not 0 < len(items) <= way.items_max:
        raise InvalidChangeError(f"a request carries 1 to {way.items_max} items")
    return items


def _check(way: FollowUp, item: Mapping[str, Any]) -> None:
    known = {field.path.partition(".")[0] for field in way.fields}
    if item.keys() - known:
        raise InvalidChangeError(f"unknown fields: {', '.join(sorted(item.keys() - known))}")
    for path in way.needed:
        if at(item, path) in (None, ""):
            raise InvalidChangeError(f"{path} is missing")
    for field in way.fields:
        value = at(item, field.path)
        if value is not None:
            check(field, value, typed=True)


def _accepted(way: FollowUp, count: int) -> web.Response:
    """Return a success in the form that the file says it is told by."""
    success, failure = way.rules.get("success", _SUCCESS), way.rules.get("failure", {})
    document: dict[str, Any] = {}
    if "items" in failure:
        put(document, failure["items"], [_success(failure) for _ in range(count)])
    elif "flag" in failure:
        document = _success(failure)
    if "count" in failure:
        put(document, failure["count"], 0)
    statuses = [status for status in success if status != 204]
    if not statuses or (not document and 204 in success):
        return web.Response(status=204)
    return json_reply(min(statuses), document)


def _success(failure: Mapping[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {}
    put(item, failure.get("flag", "success"), True)
    return item
