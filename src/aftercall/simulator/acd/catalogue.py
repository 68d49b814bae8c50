"""The lists of the tenant: dispositions, their classifications, contact states."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aftercall.simulator.world import CatalogueEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SKILL = 9001
"""The outbound skill of every contact that names none."""

CLASSIFICATIONS = {
    1: "Positive with amount",
    2: "Positive without amount",
    3: "Negative - Do Not Call (Skill)",
    4: "Negative - Do Not Call (Business Unit)",
    5: "Negative",
    6: "Other",
    7: "Retry - Rescheduled (Agent Specific)",
    8: "Retry - Rescheduled Date",
    9: "Retry - Later Unspecified",
    10: "Retry - Not Available",
    11: "Retry - Answering Machine",
    15: "Busy",
    18: "Bad Number",
    20: "No Answer",
    22: "Disconnected",
}

DEFAULT_CATALOGUE = (
    CatalogueEntry(1001, "Interested", 2),
    CatalogueEntry(1002, "Not Interested", 5),
    CatalogueEntry(1003, "Call Back", 8),
    CatalogueEntry(1004, "Do Not Call", 4),
    CatalogueEntry(1005, "No Answer", 20),
    CatalogueEntry(1006, "Sale", 1),
    CatalogueEntry(1007, "Wrong Number", 18),
    CatalogueEntry(1008, "Busy", 15),
    CatalogueEntry(1009, "Voicemail", 11),
    CatalogueEntry(1010, "Retired", 6, is_active=False),
    CatalogueEntry(1011, "Never Classified", None),
)

STATES = {
    2: "Dialing",
    3: "Ringing",
    4: "Active",
    5: "Holding",
    7: "Disconnected",
    9: "EndContact",
}
WRITABLE = frozenset({"Active", "Holding", "Disconnected"})
FINAL = "EndContact"

_FROM_OUTBOUND = {
    "DIALING": "Dialing",
    "RINGING": "Ringing",
    "CONNECTED": "Active",
    "WRAP_UP": "Disconnected",
    "READY": "Active",
    "COMPLETED": FINAL,
    "ENDED": FINAL,
}


def state_name(state: str) -> str:
    """Return a state under its name here; worlds may use the names of the outbound API."""
    return _FROM_OUTBOUND.get(state, state)


def state_id(name: str) -> int:
    """Return the number of a state; one that nobody knows has a number that no list has."""
    return next((number for number, known in STATES.items() if known == name), 99)


class Catalogue:
    """The dispositions of the tenant."""

    def __init__(self, entries: Sequence[CatalogueEntry]) -> None:
        self._entries = {entry.number: entry for entry in entries or DEFAULT_CATALOGUE}

    def entry(self, code: object) -> CatalogueEntry | None:
        """Return the disposition of an id, given as a text or a number; None if there is none."""
        text = str(code)
        return self._entries.get(int(text)) if text.isdecimal() else None

    def held(self, outcome: str | None) -> CatalogueEntry | None:
        """Return the disposition that a contact carries, by id or by name."""
        if outcome is None:
            return None
        named = (one for one in self._entries.values() if _plain(one.name) == _plain(outcome))
        return self.entry(outcome) or next(named, None)

    def dispositions(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Answer ``GET /dispositions``."""
        skip, top = int(query.get("skip", "0")), int(query.get("top", "50"))
        every = list(self._entries.values())
        shown = every[skip : skip + min(top, 100)]
        return {
            "businessUnitId": 7001,
            "totalRecords": len(every),
            "_links": {},
            "dispositions": [
                {
                    "dispositionId": one.number,
                    "dispositionName": one.name,
                    "notes": "",
                    "lastUpdated": "2026-01-01T00:00:00.000Z",
                    "classificationId": one.classification,
                    "systemOutcome": None,
                    "isActive": one.is_active,
                    "isPreviewDisposition": False,
                }
                for one in shown
            ],
        }

    def of_skill(self) -> dict[str, Any]:
        """Answer ``GET /skills/{skillId}/dispositions``."""
        active = [one for one in self._entries.values() if one.is_active]
        return {
            "dispositions": [
                {
                    "dispositionId": one.number,
                    "dispositionName": one.name,
                    "displayOrder": place,
                    "classification": CLASSIFICATIONS.get(one.classification or 0, ""),
                    "reportingGroup": None,
                    "systemOutcome": None,
                    "requireCommitmentAmount": one.classification == 1,
                    "requireRescheduleDate": one.classification in {7, 8},
                    "agentSpecific": one.classification == 7,
                    "isPreviewDisposition": False,
                    "dispositionCategoryName": None,
                }
                for place, one in enumerate(active, 1)
            ]
        }


def classifications() -> dict[str, Any]:
    """Answer ``GET /dispositions/classifications``."""
    return {
        "classificationResults": [
            {
                "classificationId": number,
                "classificationName": name,
                "isContactFinal": not name.startswith("Retry"),
                "showRescheduleDate": "Rescheduled" in name,
                "showCommitmentAmount": number == 1,
            }
            for number, name in CLASSIFICATIONS.items()
        ]
    }


def state_descriptions() -> dict[str, Any]:
    """Answer ``GET /contact-state-descriptions``."""
    return {
        "contactStateDescriptions": [
            {
                "ContactStateCategory": "Final" if name == FINAL else "Active",
                "ContactStateDescription": name,
                "ContactStateId": number,
            }
            for number, name in STATES.items()
        ]
    }


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
