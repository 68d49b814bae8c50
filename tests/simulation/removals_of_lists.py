"""The ways to take a guard out that stands between a list of contacts and a write."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aftercall.domain import freshness
from aftercall.domain.answer import Found, Observed
from aftercall.engine import lists, reader, tenant
from aftercall.wire import responses
from aftercall.wire.json_paths import json_value

from .removals import swapped


def free_if_left_out() -> Any:
    """Take a contact that a list does not tell of for one that is free and holds nothing."""

    def read_item(profile: Any, item: Any, *given: Any) -> Any:
        free = Found(Observed("READY", idle=True))
        return free if item is None else responses.read_item(profile, item, *given)

    return swapped(reader, "read_item", read_item)


def last_that_is_told() -> Any:
    """Believe what a list tells last of a contact that it tells of twice."""

    def items_in(bulk: Any, response: Any, rows: Any) -> Any:
        document = json_value(response.body)
        found = document.get("leads", []) if isinstance(document, dict) else []
        return {lead["no"]: lead for lead in found}

    return swapped(lists, "items_in", items_in)


def in_their_order() -> Any:
    """Take what a list tells for that of the contacts in the order in which they were asked for."""

    def items_in(bulk: Any, response: Any, rows: Any) -> Any:
        document = json_value(response.body)
        found = document.get("leads", []) if isinstance(document, dict) else []
        return {row.contact: lead for row, lead in zip(rows, found, strict=False)}

    return swapped(lists, "items_in", items_in)


def all_at_once_and_never_again() -> Any:
    """Read as many at once as wait, and write over them however old that is by then."""

    @contextmanager
    def both() -> Iterator[None]:
        with (
            swapped(freshness.Reads, "in_hand_max", lambda self, spacing_us: 10**6),
            swapped(tenant, "_fresh_seconds", lambda *given: 1e9),
        ):
            yield

    return both()


def together_in_doubt() -> Any:
    """Find out by a list whether a write has landed."""

    async def read(self: Any, claim: Any, *given: Any) -> Any:
        return await kept(self, replace(claim, doubt=False), *given)

    kept = tenant.Tenant.read
    return swapped(tenant.Tenant, "read", read)
