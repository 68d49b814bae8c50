"""The same tenant, asked in the language that NICE documents for CXone.

It tells who and when of no outcome: what has landed is told apart by contact and outcome alone.
"""

import json
from typing import Any

from .history import OUTCOMES
from .tenant import CLIENT, SECRET, Asked, Change, Reply, Tenant, quoting, reply, stamp

NUMBERS = {name: str(1001 + place) for place, name in enumerate(OUTCOMES)}
NAMES = {number: name for name, number in NUMBERS.items()}
STATES = {"Active": 4, "Dialing": 15, "EndContact": 5}
SKILL = 9001


class AcdTenant(Tenant):
    """Contacts that are active until they are closed, and lists of what things are called."""

    def kind(self, request: Asked) -> str:
        if request.method == "POST":
            return "PATCH" if request.path.endswith("/set-disposition") else "POST"
        return "GET" if "/contacts/" in request.path else "LIST"

    def home_of(self, contact: str) -> str:
        """Return which campaign a contact is in: the addresses do not say."""
        rows = (row for rows in self._history.inputs for row in rows)
        return next((row.campaign for row in rows if row.contact == contact), "")

    def idle_in(self, request: Asked, document: dict[str, Any]) -> bool | None:
        if request.path.endswith("/disposition"):
            return None
        return bool(document.get("resultSet", {}).get("state") == "Active")

    def outcome_in(self, request: Asked) -> str:
        return NAMES[json.loads(request.body)["dispositionInfo"]["dispositionCode"]]

    def sign_in(self, request: Asked) -> Reply:
        given = json.loads(request.body)
        if (given.get("accessKeyId"), given.get("accessKeySecret")) != (CLIENT, SECRET):
            return reply(401, {"error": "invalid_client"})
        return self._token()

    def listed(self, request: Asked) -> Reply:
        """Answer with where the API is, or with one of the lists."""
        if request.path.endswith("/cxone-configuration"):
            return reply(200, {"api_endpoint": "https://tenant.example"})
        if self._stranger(request):
            return reply(401, {"error": "invalid_token"})
        if request.path.endswith("/contact-state-descriptions"):
            told = [
                {"ContactStateId": number, "ContactStateDescription": name}
                for name, number in STATES.items()
            ]
            return reply(200, {"contactStateDescriptions": told})
        offered = [{"dispositionId": int(n), "dispositionName": name} for n, name in NAMES.items()]
        return reply(200, {"dispositions": offered})

    def read(self, request: Asked, *, stale: bool = False) -> Reply:
        refused = self.refusal(request)
        if refused is not None:
            return refused
        contact = self.contacts[request.contact]
        if not request.path.endswith("/disposition"):
            state = "Dialing" if contact.calls else "Active"
            told = {"contactId": contact.contact, "skillId": SKILL, "state": state}
            return reply(200, {"resultSet": told | {"stateId": STATES[state]}})
        if contact.outcome is None:
            return reply(204)
        number = int(NUMBERS[contact.outcome])
        held = {"dispositionId": number, "notes": contact.notes or "", "lastUpdated": contact.at}
        return reply(200, held)

    def write(self, request: Asked) -> Reply:
        refused = self.refusal(request)
        if refused is not None:
            return refused
        contact = self.contacts[request.contact]
        told = self.told.get(request.contact)
        if told is not None and told.refuses:
            return quoting(told.refuses, "it is closed", request)
        info = json.loads(request.body)["dispositionInfo"]
        if info["skill"] != str(SKILL):
            return reply(400, {"message": "Invalid Skill"})
        outcome, before = NAMES[info["dispositionCode"]], contact.outcome
        at = stamp(60 + self._timeline.now / 60)
        # Nothing but the outcome says which write of ours it was.
        self._store(contact, {"outcomeCode": outcome, "agentId": "key"} | info, at)
        made = Change(
            request.contact, outcome, "", at, None, effective=before != outcome,
            on_call=bool(contact.calls), conditional=False, anonymous=True,
        )  # fmt: skip
        self.ledger.append(made)
        return reply(200)
