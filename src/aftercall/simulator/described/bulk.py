"""Several contacts shown at once, as a profile's file describes it.

What the file cannot say and is decided here: who is not there is left out, and a list that names
more contacts than the file allows is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aftercall.simulator.described.documents import at, put, wrapped
from aftercall.simulator.faults import FaultKind
from aftercall.simulator.mischief import after_commit, before_commit
from aftercall.simulator.replies import json_reply, problem
from aftercall.simulator.state import ACD_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiohttp import web

    from aftercall.simulator.described.showing import Showing
    from aftercall.simulator.described.surface import Surface
    from aftercall.simulator.state import State

    Throttled = Callable[[Mapping[str, str]], web.Response]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for several contacts: of which campaign, and their ids."""

    campaign: str
    contacts: Sequence[str]


class DescribedBulk:
    """The address at which several contacts are shown."""

    def __init__(
        self, state: State, surface: Surface, showing: Showing, throttled: Throttled
    ) -> None:
        self._throttled = throttled
        self._state = state
        self._surface = surface
        self._showing = showing
        self._rules: Mapping[str, Any] = surface.table("read", "bulk")

    def speaks(self, method: str, raw_path: str) -> bool:
        """Say whether this is the address."""
        place = self._surface.bulk
        return place is not None and place.values(method, raw_path) is not None

    async def asked(self, request: web.BaseRequest) -> Asked | None:
        """Return what a request asks for; None if it is for another address."""
        place = self._surface.bulk
        told = None if place is None else place.values(request.method, request.raw_path)
        if told is None:
            return None
        contacts, named = self._read(request.raw_path, await request.read())
        campaign = told.get("campaign") or named
        if campaign is None and contacts:
            campaign = self._state.contacts.campaign_of(contacts[0])
        return Asked(campaign or ACD_CAMPAIGN, contacts)

    async def answer(self, request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
        """Answer a request that was let in."""
        state, dice = self._state, self._state.dice
        first = asked.contacts[0] if asked.contacts else ""
        fault = dice.for_list(asked.campaign, first)
        if fault is FaultKind.THROTTLE:
            return self._throttled(state.retry_after.headers(1.0, state.clock.wall()))
        instead = None if fault is None else await before_commit(state, request, fault)
        if instead is not None:
            return instead
        if not 0 < len(asked.contacts) <= self._rules.get("max", 50):
            return problem(400, "bad_request", f"{len(asked.contacts)} contacts in one request")
        items = [item for one in asked.contacts if (item := self._item(asked, one)) is not None]
        if fault is not None:
            items = self._spoilt(items, fault)
        response = json_reply(200, wrapped(self._rules["items"], items))
        return response if fault is None else await after_commit(state, request, fault, response)

    def _read(self, raw_path: str, body: bytes) -> tuple[list[str], str | None]:
        """Return the ids, and the campaign if it stands beside them."""
        rules, where = self._rules, self._rules.get("ids_in", "query")
        if where == "json":
            document = json.loads(body or b"null")
            named = at(document, rules["campaign"]) if "campaign" in rules else None
            ids = at(document, rules["ids"])
            return [str(one) for one in ids] if isinstance(ids, list) else [], named
        pairs = parse_qsl(raw_path.partition("?")[2], keep_blank_values=True)
        given = [value for name, value in pairs if name == rules["ids"]]
        if where == "query":
            given = [one for value in given for one in value.split(rules.get("separator", ","))]
        named = next((value for name, value in pairs if name == rules.get("campaign")), None)
        return given, named

    def _item(self, asked: Asked, contact: str) -> dict[str, Any] | None:
        rules, read = self._rules, self._surface.read
        named = read.address.names("campaign")
        campaign = asked.campaign
        if not named:
            campaign = self._state.contacts.campaign_of(contact) or ACD_CAMPAIGN
        record = self._state.contacts.read(campaign, contact)
        if record is None:
            return None
        moved = {
            name: paths if isinstance(paths, str) else paths[0]
            for name, paths in rules.get("fields", {}).items()
        }
        stored = read.rules.get("timestamp_means") == "written"
        document = self._showing.document({**read.fields, **moved}, record, stored=stored)
        self._showing.add_ids(document, record, rules.get("etag", read.rules.get("etag")))
        item: dict[str, Any] = document
        if rules.get("envelope"):
            item = {}
            put(item, rules["envelope"], document)
        put(item, rules["id"], int(contact) if rules.get("ids_type") == "integer" else contact)
        return item

    def _spoilt(self, items: list[dict[str, Any]], fault: FaultKind) -> list[dict[str, Any]]:
        """Return a list with something wrong with it; no other kind of fault changes it."""
        match fault:
            case FaultKind.LIST_GAPS:
                return items[::2]
            case FaultKind.LIST_SHORT:
                return items[: len(items) // 2]
            case FaultKind.LIST_ORDER:
                return items[::-1]
            case FaultKind.LIST_TWICE:
                return items + [self._freed(item) for item in items[::2]]
            case FaultKind.LIST_STRANGERS:
                return [self._renamed(item) for item in items[::2]] + items[1::2]
            case FaultKind.LIST_BLANKS:
                return [self._blank(item) for item in items[::2]] + items[1::2]
        return items

    def _blank(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return a contact of which nothing is told but its id."""
        bare: dict[str, Any] = {}
        if self._rules.get("envelope"):
            put(bare, self._rules["envelope"], {})
        put(bare, self._rules["id"], at(item, self._rules["id"]))
        return bare

    def _freed(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the same contact as if it were free and had no outcome."""
        copy: dict[str, Any] = json.loads(json.dumps(item))
        names = self._surface.states["allowed"]
        place = {**self._surface.read.fields, **self._rules.get("fields", {})}
        inner = f"{self._rules['envelope']}." if self._rules.get("envelope") else ""
        put(copy, f"{inner}{_first(place['state'])}", names[0] if names else "")
        put(copy, f"{inner}{_first(place['outcome'])}", None)
        return copy

    def _renamed(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return somebody else's contact in the place of one."""
        copy = self._freed(item)
        put(copy, self._rules["id"], f"not-{at(item, self._rules['id'])}")
        return copy


def _first(paths: str | Sequence[str]) -> str:
    return paths if isinstance(paths, str) else paths[0]
