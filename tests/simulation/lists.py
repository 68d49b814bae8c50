"""The same tenant with an address that tells of several contacts, and all that lists can be."""

import json
from collections.abc import Sequence
from typing import Any

from .history import LIST_FAULTS
from .tenant import IDLE, Asked, Reply, Tenant, reply

ADDRESS = "/contacts/search"


class ListTenant(Tenant):
    """Tells of the contacts of a campaign that are asked for; who is not there is left out."""

    def kind(self, request: Asked) -> str:
        return "BULK" if request.path.endswith(ADDRESS) else super().kind(request)

    def told_together(self, request: Asked, *, stale: bool = False) -> Reply:
        if self._stranger(request):
            return reply(401, {"error": "invalid_token"})
        leads = []
        for name in ids_in(request):
            contact, told = self.contacts.get(name), self.told.get(name)
            if contact is None or contact.campaign != request.campaign:
                continue
            if told is not None and told.forbidden:
                continue
            shown = self.older.get(name, contact) if stale else contact
            lead = shown.document() | ({"version": shown.etag} if self._history.etags else {})
            leads.append({"no": name, "lead": lead})
        return reply(200, {"leads": leads})


def ids_in(request: Asked) -> Sequence[str]:
    """Return the contacts that are asked for."""
    ids: list[str] = json.loads(request.body)["ids"]
    return ids


def leads_in(answer: Reply) -> Sequence[dict[str, Any]]:
    """Return what an answer tells of contacts."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return []
    return document.get("leads", []) if isinstance(document, dict) else []


def spoilt(kind: str, answer: Reply) -> Reply:
    """Return a list with something wrong with it."""
    assert kind in LIST_FAULTS
    leads = list(leads_in(answer))
    if answer.status != 200:
        return answer
    match kind:
        case "gaps":
            leads = leads[1::2]
        case "short":
            leads = leads[: len(leads) // 2]
        case "order":
            leads = leads[::-1]
        case "twice":
            leads = [*map(_freed, leads[::2]), *leads, *map(_freed, leads[1::2])]
        case "strangers":
            leads = [_freed(one) | {"no": f"not-{one['no']}"} for one in leads]
        case "blanks":
            leads = [one | {"lead": {}} for one in leads]
    return reply(200, {"leads": leads})


def _freed(lead: dict[str, Any]) -> dict[str, Any]:
    """Return the same contact as if it were free and held nothing."""
    version = {name: told for name, told in lead["lead"].items() if name == "version"}
    return lead | {"lead": {"state": IDLE, **version}}
