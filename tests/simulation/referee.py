"""Watches every request that leaves and every event that arrives: what must never happen.

The names of the violations begin with the guarantee of the design that they break.
"""

import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from aftercall.wire.http import MaybeSent, NotSent

from .disk import Disk
from .history import BREAKING, History
from .lists import ids_in, leads_in
from .tenant import IDLE, Asked, Change, Crm, Reply, Tenant, moment
from .virtual import Timeline

FRESH_SECONDS = 2.0
"""How old the read may be that a write relies on, or two slots if that is longer."""

SPACING = 1.0 / 0.95
CLOCK_SETTLES_SECONDS = 8.0
"""After the machine's clock was set, the pace and pauses are not judged for so long."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What was broken, and how it showed."""

    name: str
    words: str


@dataclass(slots=True)
class _Read:
    sent: float
    answered: float
    idle: bool
    etag: str | None


@dataclass(slots=True)
class _Pause:
    told: float
    until: float


class Referee:
    """Judges what one simulated machine sends, over all of its processes."""

    def __init__(
        self, history: History, timeline: Timeline, tenant: Tenant, crm: Crm, disk: Disk
    ) -> None:
        self.violations: list[Violation] = []
        self.requests = 0
        self.firsts: dict[str, float] = {}
        self.waived = {one.contact for one in history.faults if one.kind in BREAKING}
        self._history = history
        self._timeline = timeline
        self._tenant = tenant
        self._crm = crm
        self._disk = disk
        self._recent: dict[str, deque[float]] = {}
        self._pauses: dict[str, _Pause] = {}
        self._ledger_seen = 0
        self._landed: Counter[tuple[str, str, str, str]] = Counter()
        self._newest: dict[str, str] = {}
        self._ended = 0.0
        self.begin_process()

    def begin_process(self, *, lost_pauses: bool = False) -> None:
        """Forget what the process before this one had read and had in flight.

        A pause that came in just before its death, or while the disk failed, is not on disk.
        """
        self._reads: dict[str, _Read] = {}
        self._asked_at: dict[str, float] = {}
        self._written_at: dict[str, float] = {}
        self._writing: Counter[str] = Counter()
        self._in_flight = 0
        self._began = self._timeline.now
        self._pauses = {
            name: one
            for name, one in self._pauses.items()
            if one.told < self._ended - 1.0 and not lost_pauses
        }

    def end_process(self) -> None:
        """Note when a process ended: the next one may begin long after."""
        self._ended = self._timeline.now

    def broken(self, name: str, words: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(name, f"{words} (at {self._timeline.now:.3f} s)"))

    def leaves(self, method: str, request: Asked, contact: str) -> None:
        """Judge a request at the instant at which it leaves."""
        if method in {"POST", "CRM", "LIST"}:
            return
        self.requests += 1
        now, campaign = self._timeline.now, request.campaign
        self._in_flight += 1
        if self._in_flight > self._history.concurrency:
            self.broken("G5 in flight", f"{self._in_flight} requests are in flight")
        self._judge_pace(campaign, self._history.rate)
        if self._history.tenant_rate is not None:
            self._judge_pace("", self._history.tenant_rate)
        pause = self._pauses.get(campaign)
        if (
            pause is not None
            and pause.told + 0.01 < now < pause.until - 0.01
            and self._timeline.jumped < pause.told
        ):
            self.broken("G5 Retry-After", f"a request left {pause.until - now:.2f} s too early")
        if method == "BULK":
            for one in ids_in(request):
                self._claimed(method, campaign, one)
                self._asked_at[one] = now
                asking = "SELECT 1 FROM row WHERE contact = ? AND status = 'writing' AND doubt"
                if self._disk.ask(asking, one):
                    self.broken("G3 read alone", f"{one} is in doubt, and read in a list")
            return
        claimed = self._claimed(method, campaign, contact)
        if method == "GET":
            self._asked_at[contact] = now
        else:
            self.firsts.setdefault(campaign, now)
            self._judge_write(request, contact, claimed)

    def _claimed(self, method: str, campaign: str, contact: str) -> Sequence[str]:
        """Return the outcomes of a contact's rows that are claimed on disk; one must be."""
        claimed = self._disk.ask(
            "SELECT outcome FROM row WHERE campaign = ? AND contact = ? AND status = 'writing'",
            campaign,
            contact,
        )
        if not claimed:
            self.broken("G3 claimed first", f"{method} {contact} left without a claim on disk")
        return [row[0] for row in claimed]

    def _judge_pace(self, campaign: str, rate: float) -> None:
        now = self._timeline.now
        recent = self._recent.setdefault(campaign, deque())
        recent.append(now)
        while recent[0] <= now - 1.0 + 1e-6:
            recent.popleft()
        if now - self._timeline.jumped < CLOCK_SETTLES_SECONDS:
            return
        # What a process has moved within its window is not on disk: its successor, if it comes
        # within the second, may send one request too early.
        if len(recent) > rate + (now - self._began < 1.0):
            whose = campaign or "the tenant"
            self.broken("G5 pace", f"{len(recent)} requests of {whose} in a second, not {rate}")

    def _judge_write(self, request: Asked, contact: str, claimed: Sequence[str]) -> None:
        """Judge a write: what it relies on, and that no other is on its way."""
        now = self._timeline.now
        outcome = self._tenant.outcome_in(request)
        if outcome not in claimed:
            self.broken("G3 claimed first", f"{outcome} of {contact} left, {claimed} is claimed")
        if self._writing[contact]:
            self.broken("G3 one at a time", f"two writes of {contact} are on their way")
        self._writing[contact] += 1
        read = self._reads.get(contact)
        if read is None or read.sent < self._written_at.get(contact, -1.0):
            self.broken("G3 read back", f"{contact} is written without having been read again")
            return
        if not read.idle:
            self.broken("G2 live call", f"{contact} was on a call when it was read")
        good_for = FRESH_SECONDS if read.etag is None else self._history.good_for
        fresh = max(good_for, 2 * SPACING / self._history.rate) + 0.01
        if now - read.answered > fresh:
            self.broken("G2 fresh", f"the read of {contact} is {now - read.answered:.2f} s old")
        if request.headers.get("if-match") != read.etag:
            self.broken("G2 If-Match", f"the write of {contact} does not carry {read.etag}")

    def answered(
        self,
        method: str,
        request: Asked,
        contact: str,
        answer: Reply | NotSent | MaybeSent | None,
    ) -> None:
        """Take note of an answer at the instant at which the process has it."""
        if method in {"POST", "CRM", "LIST"}:
            return
        now = self._timeline.now
        self._in_flight -= 1
        if method == "PATCH":
            self._writing[contact] -= 1
            # A 401 has certainly changed nothing: the write goes out again with a new token.
            if not (isinstance(answer, Reply) and answer.status == 401):
                self._written_at[contact] = now
        if not isinstance(answer, Reply):
            return
        if answer.status == 429:
            self._note_pause(request.campaign, answer.headers.get("retry-after", ""))
        if method == "GET" and answer.status == 200:
            self._note_read(request, contact, answer)
        if method == "BULK":
            self._note_list(request, answer)

    def _note_list(self, request: Asked, answer: Reply) -> None:
        """Note what a list says beyond doubt; whoever it does not tell so has not been read."""
        leads = leads_in(answer) if answer.status == 200 else []
        for contact in ids_in(request):
            told = [one["lead"] for one in leads if one["no"] == contact]
            if len(told) == 1 and "state" in told[0]:
                idle, etag = told[0]["state"] == IDLE, told[0].get("version")
                read = _Read(self._asked_at[contact], self._timeline.now, idle, etag)
                self._reads[contact] = read
            else:
                self._reads.pop(contact, None)

    def _note_read(self, request: Asked, contact: str, answer: Reply) -> None:
        try:
            document = json.loads(answer.body)
        except ValueError:
            return
        idle = self._tenant.idle_in(request, document)
        if idle is None:
            return
        etag = answer.headers.get("etag")
        sent = self._asked_at[contact]
        self._reads[contact] = _Read(sent, self._timeline.now, idle, etag)

    def _note_pause(self, campaign: str, wanted: str) -> None:
        now = self._timeline.now
        if wanted.isdigit():
            wait = float(wanted)
        elif wanted.endswith("GMT"):
            until = parsedate_to_datetime(wanted).timestamp()
            wait = until - self._timeline.now_us() / 1_000_000
        else:
            return
        known = self._pauses.get(campaign)
        if known is None or now + wait > known.until:
            self._pauses[campaign] = _Pause(now, now + wait)

    def contact_of_event(self, request: Asked) -> str:
        """Return which contact an event is about."""
        contact: str = json.loads(request.body)["data"]["contact_id"]
        return contact

    def heard(self, request: Asked, flaw: str | None) -> None:
        """Judge an event that the CRM has taken."""
        if flaw is not None:
            self.broken("G6 event", flaw)
        data = json.loads(request.body)["data"]
        at = moment(data["disposition_timestamp"]).isoformat()
        identity = (data["contact_id"], data["outcome_code"], data["agent_id"], at)
        self.read_ledger()
        if self._history.surface == "acd":
            identity = (*identity[:2], "", "")
        if not self._landed[identity] and data["contact_id"] not in self.waived:
            self.broken("G6 too early", f"the CRM heard of {identity}, which has not landed")

    def read_ledger(self) -> None:
        """Judge the changes that the tenant has committed since this was last called."""
        ledger = self._tenant.ledger
        for change in ledger[self._ledger_seen :]:
            contact = change.contact
            if contact in self.waived:
                continue
            newest = self._newest.get(contact)
            if not change.ours:
                # Without ETags what somebody else wrote since the read is not seen.
                if self._history.etags:
                    self._newest[contact] = change.at
                continue
            if self._history.etags and change.on_call:
                self.broken("G2 live call", f"{contact} was written to while on a call")
            if not change.effective:
                if self._history.etags:
                    self.broken("G3 repeated", f"{change.outcome} of {contact} was sent again")
                continue
            self._landed[change.identity] += 1
            if not change.anonymous:
                self._judge_landing(change, newest)
        self._ledger_seen = len(ledger)

    def _judge_landing(self, change: Change, newest: str | None) -> None:
        """Judge one effective write of ours: none lands twice, or over a newer one."""
        if self._landed[change.identity] > 1:
            self.broken("G3 twice", f"{change.identity} has landed twice")
        held = change.before_at if self._history.etags else newest
        if held is not None and moment(held) > moment(change.at):
            self.broken("G4 newest", f"{change.contact}: {change.at} was written over {held}")
        self._newest[change.contact] = change.at

    @property
    def landed(self) -> Counter[tuple[str, str, str, str]]:
        """How often each disposition has changed the tenant."""
        return self._landed
