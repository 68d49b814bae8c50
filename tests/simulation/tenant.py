"""A tenant and a CRM written for the simulation: what they hold, and what they are asked.

Nothing here is shared with the product or with `aftercall simulate`: three readings of the same
interface cannot misunderstand it in the same way.
"""

import base64
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .history import Held, History, Touch
from .virtual import Timeline

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
"""Minute 0 of the timestamps; the world begins an hour later."""

CLIENT, SECRET = "client-1", "canary-client-secret"
CRM_KEY = b"canary-crm-key"
IDLE, ON_CALL = "READY", "CONNECTED"


def stamp(minute: float) -> str:
    """Return the timestamp of a minute as the tenant writes it."""
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class Contact:
    """What the tenant holds of one contact."""

    campaign: str
    contact: str
    outcome: str | None = None
    agent: str | None = None
    notes: str | None = None
    at: str | None = None
    calls: int = 0
    version: int = 1

    @property
    def etag(self) -> str:
        return f'"{self.contact}-{self.version}"'

    def held(self) -> tuple[str | None, ...]:
        return (self.outcome, self.agent, self.notes, self.at)

    def document(self) -> dict[str, Any]:
        told = {
            "contactId": self.contact,
            "state": ON_CALL if self.calls else IDLE,
            "outcomeCode": self.outcome,
            "agentId": self.agent,
            "notes": self.notes,
            "dispositionTimestamp": self.at,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Change:
    """One write that the tenant has committed."""

    contact: str
    outcome: str
    agent: str
    at: str
    before_at: str | None
    effective: bool
    on_call: bool
    conditional: bool
    ours: bool = True
    anonymous: bool = False

    @property
    def identity(self) -> tuple[str, str, str, str]:
        if self.anonymous:
            return (self.contact, self.outcome, "", "")
        return (self.contact, self.outcome, self.agent, moment(self.at).isoformat())


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(status: int, document: object = None, **headers: str) -> Reply:
    body = b"" if document is None else json.dumps(document).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, body, {"content-type": "application/json"} | named)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrives."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    home: str = ""

    @property
    def contact(self) -> str:
        path = self.path.removesuffix("/disposition").removesuffix("/set-disposition")
        return unquote(path.rpartition("/")[2])

    @property
    def campaign(self) -> str:
        return unquote(self.path.split("/")[5]) if "/campaigns/" in self.path else self.home


def asked(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Asked:
    lower = {name.lower(): value for name, value in headers.items()}
    return Asked(method, urlsplit(url).path, lower, body or b"")


def quoting(status: int, words: str, request: Asked, **more: object) -> Reply:
    """Return a refusal that quotes its request, token and notes included, as some tenants do."""
    token = request.headers.get("authorization", "")
    return reply(status, {"message": f"{words}: {token} {request.body.decode()}"} | more)


def quoting_key(status: int, words: str, request: Asked) -> Reply:
    """Return a refusal by a CRM that quotes the event and what it checks signatures with."""
    return reply(status, {"message": f"{words}: {CRM_KEY.decode()} {request.body.decode()}"})


class Tenant:
    """Contacts, tokens and the ledger of all that was ever changed."""

    def __init__(self, history: History, timeline: Timeline) -> None:
        self.ledger: list[Change] = []
        self.contacts: dict[str, Contact] = {}
        self.told: dict[str, Held] = {}
        self.tokens: dict[str, float] = {}
        self.tokens_issued = 0
        self.older: dict[str, Contact] = {}
        self._history = history
        self._timeline = timeline
        for one in history.held:
            self.told[one.contact] = one
            if not one.missing:
                at = None if one.minute is None or one.outcome is None else stamp(one.minute)
                agent = None if one.outcome is None else "a0"
                made = Contact(one.campaign, one.contact, one.outcome, agent, None, at)
                self.contacts[one.contact] = made
        for rows in history.inputs:
            for row in rows:
                if row.contact not in self.told and row.contact not in self.contacts:
                    self.contacts[row.contact] = Contact(row.campaign, row.contact)
        self._schedule()

    def kind(self, request: Asked) -> str:
        """Return what is asked: GET a contact, PATCH one, LIST something, or POST for a token."""
        return request.method

    def home_of(self, contact: str) -> str:
        """Return the campaign of a contact, where its address does not say it."""
        return ""

    def idle_in(self, request: Asked, document: dict[str, Any]) -> bool | None:
        """Say whether an answer shows a contact that is free; None if it shows no state."""
        return bool(document.get("state") == IDLE)

    def outcome_in(self, request: Asked) -> str:
        """Return the outcome that a write carries."""
        return str(json.loads(request.body)["outcomeCode"])

    def listed(self, request: Asked) -> Reply:
        """Answer with a list; there is none in this language."""
        return reply(404)

    def _schedule(self) -> None:
        for call in self._history.calls:
            self._timeline.at(call.start, lambda c=call.contact: self._ring(c, 1))  # type: ignore[misc]
            end = call.start + call.seconds
            self._timeline.at(end, lambda c=call.contact: self._ring(c, -1))  # type: ignore[misc]
        for touch in self._history.touches:
            self._timeline.at(touch.at, lambda t=touch: self._touch(t))  # type: ignore[misc]

    def _ring(self, name: str, by: int) -> None:
        contact = self.contacts.get(name)
        if contact is not None:
            contact.calls += by
            contact.version += 1

    def _touch(self, touch: Touch) -> None:
        """Let somebody else write an outcome, unless what is held is newer."""
        contact = self.contacts.get(touch.contact)
        # At no instant of ours: of two outcomes of one instant nobody can say which is newer.
        at = stamp(touch.minute + 0.5)
        if contact is None or contact.calls:
            return
        if contact.at is not None and moment(contact.at) > moment(at):
            return
        self._store(contact, {"outcomeCode": touch.outcome, "agentId": "somebody"}, at)
        made = Change(
            touch.contact, touch.outcome, "somebody", at, None,
            effective=True, on_call=False, conditional=True, ours=False,
        )  # fmt: skip
        self.ledger.append(made)

    def bump(self, name: str) -> None:
        """Let a contact be touched so that its etag changes and nothing else."""
        if name in self.contacts:
            self.contacts[name].version += 1

    def sign_in(self, request: Asked) -> Reply:
        form = {name: value[0] for name, value in parse_qs(request.body.decode()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return reply(401, {"error": "invalid_client"})
        return self._token()

    def _token(self) -> Reply:
        self.tokens_issued += 1
        token = f"canary-token-{self.tokens_issued}"
        life = self._history.token_seconds
        self.tokens[token] = self._timeline.now + life
        document = {"access_token": token, "expires_in": life, "token_type": "Bearer"}
        return reply(200, document)

    def refusal(self, request: Asked) -> Reply | None:
        """Return why a request is turned away, if it is."""
        if self._stranger(request):
            return reply(401, {"error": "invalid_token"})
        told = self.told.get(request.contact)
        if told is not None and told.forbidden:
            return quoting(403, "not yours", request)
        contact = self.contacts.get(request.contact)
        if contact is None or contact.campaign != request.campaign:
            return quoting(404, "no such contact", request)
        return None

    def _stranger(self, request: Asked) -> bool:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.tokens.get(token, -1.0) <= self._timeline.now

    def read(self, request: Asked, *, stale: bool = False) -> Reply:
        refused = self.refusal(request)
        if refused is not None:
            return refused
        contact = self.contacts[request.contact]
        if stale:
            contact = self.older.get(request.contact, contact)
        if not self._history.etags:
            return reply(200, contact.document())
        return reply(200, contact.document(), etag=contact.etag)

    def write(self, request: Asked) -> Reply:
        refused = self.refusal(request)
        if refused is not None:
            return refused
        contact = self.contacts[request.contact]
        told = self.told.get(request.contact)
        if told is not None and told.refuses:
            return quoting(told.refuses, "it is closed", request)
        condition = request.headers.get("if-match")
        if condition is not None and condition != contact.etag:
            return reply(412)
        given = json.loads(request.body)
        before = contact.held()
        self._store(contact, given, given["dispositionTimestamp"])
        made = Change(
            request.contact, given["outcomeCode"], given["agentId"], given["dispositionTimestamp"],
            before[3], effective=before != contact.held(), on_call=bool(contact.calls),
            conditional=condition is not None,
        )  # fmt: skip
        self.ledger.append(made)
        return reply(204)

    def forget(self, name: str) -> None:
        """Lose what was written last (it breaks what is asked of a tenant)."""
        if name in self.older:
            now = self.contacts[name]
            # A call that has begun or ended meanwhile is not forgotten.
            self.contacts[name] = replace(
                self.older[name], version=now.version + 1, calls=now.calls
            )

    def _store(self, contact: Contact, given: Mapping[str, Any], at: str) -> None:
        self.older[contact.contact] = replace(contact)
        contact.outcome, contact.agent, contact.at = given["outcomeCode"], given["agentId"], at
        contact.notes = given.get("notes", contact.notes)
        contact.version += 1


class Crm:
    """Hears of what was applied."""

    def __init__(self) -> None:
        self.heard: dict[str, dict[str, Any]] = {}
        self.times: Counter[str] = Counter()
        self.ids: defaultdict[tuple[str, str, str, str], set[str]] = defaultdict(set)

    def hear(self, request: Asked) -> tuple[Reply, str | None]:
        """Take an event; return the answer and what is wrong with the event, if anything."""
        identifier = request.headers["webhook-id"]
        text = f"{identifier}.{request.headers['webhook-timestamp']}.".encode() + request.body
        digest = base64.b64encode(hmac.new(CRM_KEY, text, hashlib.sha256).digest()).decode()
        if f"v1,{digest}" not in request.headers["webhook-signature"].split():
            return reply(401), "the signature does not fit"
        body = json.loads(request.body)
        data = body["data"]
        at = moment(data["disposition_timestamp"]).isoformat()
        identity = (data["contact_id"], data["outcome_code"], data["agent_id"], at)
        self.ids[identity].add(identifier)
        self.times[identifier] += 1
        flaw = None
        if len(self.ids[identity]) > 1:
            flaw = "one disposition came under two ids"
        known = self.heard.setdefault(identifier, body)
        if known["data"] != data:
            flaw = "one id stands for two events"
        return reply(200), flaw

    def knows(self, identity: tuple[str, str, str, str]) -> bool:
        return bool(self.ids.get(identity))
