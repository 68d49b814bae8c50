"""Outcome codes and the tenant's ids of them, and the lists in which it names such ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aftercall.domain.disposition import Json
from aftercall.wire.http import HttpResponse
from aftercall.wire.json_paths import json_value, says_no, text_of, value_at
from aftercall.wire.language.codes import Lookup
from aftercall.wire.profile import Profile, normal_state

ITEMS_MAX = 20_000
"""More than any tenant has; it bounds how long a list that never ends is followed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list: its id, its name, and the id of what it belongs to."""

    id: str
    name: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list.

    Attributes:
        items: its entries, without those that are not in use any more.
        seen: how many entries of the list were given so far, in use or not.
        more: there is another part after it.
    """

    items: tuple[Item, ...]
    seen: int
    more: bool


def read_part(lookup: Lookup, response: HttpResponse, skipped: int) -> Part | None:
    """Return the items in an answer (none for 204); None if it holds no list."""
    if response.status == 204:
        return Part((), skipped, more=False)
    document = json_value(response.body) if response.status == 200 else None
    found = value_at(document, lookup.items)
    if not isinstance(found, list):
        return None
    items = tuple(item for one in found if (item := _item(lookup, one)) is not None)
    page, seen = lookup.page, skipped + len(found)
    if page is None or not found or seen >= ITEMS_MAX:
        return Part(items, seen, more=False)
    total = None if page.total is None else value_at(document, page.total)
    more = seen < total if isinstance(total, int) else len(found) >= page.size
    return Part(items, seen, more)


def gather(items: dict[str, Item], part: Part) -> bool:
    """Put a part's items to those that there are, by id; say whether to ask for another part.

    A tenant that gives the same part again and again has no other, whatever it says.
    """
    known = len(items)
    items.update((item.id, item) for item in part.items)
    return part.more and (len(items) > known or not part.items)


@dataclass(frozen=True, slots=True)
class CodeBook:
    """Which id an outcome code has at the tenant, and the other way round.

    Attributes:
        ids: the configured id or name of codes.
        items: what the tenant has, by id; None: the configured ids count as they are.
    """

    ids: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, Item] | None = None

    def id_of(self, code: str) -> str | None:
        """Return the id to send for `code`; None if the tenant has none for it, or several.

        The configured id or name counts, else the code read as a name. Names are compared letter
        by letter first, then as names of states are; which of several is meant nobody can tell.
        """
        wanted = self.ids.get(code)
        if self.items is None:
            return wanted
        if wanted in self.items:
            return wanted
        called = wanted or code
        items, name = self.items.values(), normal_state(called)
        same = [item.id for item in items if item.name == called]
        alike = [item.id for item in items if name and normal_state(item.name) == name]
        found = same or alike
        return found[0] if len(found) == 1 else None

    def code_of(self, held: str, asked: str) -> str:
        """Return the code of the id that the tenant holds.

        It is `asked` if that has the same id; an id that no code has stays as it is.
        """
        if self.id_of(asked) == held:
            return asked
        codes = (code for code in self.ids if self.id_of(code) == held)
        return next(codes, held)


def static_book(profile: Profile, ids: Mapping[str, str]) -> CodeBook:
    """Return the ids that the profile lists, the configured ones over them."""
    return CodeBook({**profile.codes.static, **ids})


def fetched_book(ids: Mapping[str, str], items: Sequence[Item]) -> CodeBook:
    """Return the ids that the tenant has in a list of its."""
    return CodeBook(ids, {item.id: item for item in items})


def _item(lookup: Lookup, one: Json) -> Item | None:
    number, name = text_of(value_at(one, lookup.id)), text_of(value_at(one, lookup.name))
    if not number or (lookup.active is not None and says_no(value_at(one, lookup.active))):
        return None
    group = None if lookup.group is None else text_of(value_at(one, lookup.group))
    return Item(number, name or "", group)
