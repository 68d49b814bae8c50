"""The lists of ids and names that a profile's file has looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aftercall.simulator.acd.catalogue import CLASSIFICATIONS
from aftercall.simulator.described.documents import put, wrapped
from aftercall.simulator.replies import json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from aftercall.simulator.described.surface import Surface
    from aftercall.simulator.world import World

Entry = tuple[int, str, int | None]


def list_of_ids(surface: Surface, world: World, request: web.BaseRequest) -> web.Response:
    """Answer with the list whose address was asked."""
    named = (
        (name, place.values(request.method, request.raw_path))
        for name, place in surface.lists.items()
    )
    name = next(name for name, told in named if told is not None)
    rules = surface.table("lookup", name)
    items = [_item(rules, *entry) for entry in _entries(surface, world, name)]
    page = rules.get("page")
    skip, top = 0, len(items)
    if page is not None:
        skip = int(request.query.get(page.get("skip", "skip"), "0"))
        top = int(request.query.get(page.get("top", "top"), "100"))
    document = wrapped(rules["items"], items[skip : skip + top])
    if page is not None and "total" in page:
        put(document, page["total"], len(items))
    return json_reply(200, document)


def _entries(surface: Surface, world: World, name: str) -> list[Entry]:
    """Return a list's entries: states, groups, or else dispositions."""
    if name == surface.table("states").get("lookup"):
        return [(place, one, None) for place, one in enumerate(surface.state_names())]
    if name == surface.table("codes").get("groups"):
        return [(number, words, None) for number, words in CLASSIFICATIONS.items()]
    return [
        (one.number, one.name, one.classification) for one in world.dispositions if one.is_active
    ]


def _item(rules: Mapping[str, Any], number: int, name: str, group: int | None) -> dict[str, Any]:
    item: dict[str, Any] = {}
    put(item, rules["id"], number)
    put(item, rules["name"], name)
    if "active" in rules:
        put(item, rules["active"], True)
    if "group" in rules and group is not None:
        put(item, rules["group"], group)
    return item
