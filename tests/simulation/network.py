"""What lies between the simulated process and the tenant and the CRM: time, loss and mischief.

A request that has left goes on when its process dies: what it does to the tenant it still does.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent, NotSent

from .history import LIST_FAULTS, Fault, History
from .lists import ListTenant, spoilt
from .referee import Referee
from .tenant import Asked, Crm, Reply, Tenant, asked, quoting, quoting_key, reply
from .virtual import Timeline, VirtualLoop

PATIENCE_SECONDS = 30.0
"""How long the transport waits for an answer."""

LOGIN_PAGE = Reply(200, b"<html><title>Sign in</title></html>", {"content-type": "text/html"})
GARBAGE = Reply(200, b"\x00\xff{no json", {"content-type": "application/json"})
ELSEWHERE = Reply(302, b"", {"location": "http://169.254.169.254/latest/meta-data"})
WORDS = {"reset": "the answer was lost", "timeout": "no answer in time"}

Answer = Reply | NotSent | MaybeSent
Answered = Callable[[Answer], None]


def _nobody(request: Asked, flaw: str | None) -> None:
    """Tell nobody."""


class Network:
    """Carries requests to the tenant and the CRM, and lets the planned faults happen.

    Attributes:
        calm: no more faults happen.
        fired: which planned faults have happened, and how often.
        heard: told of each event that reaches the CRM, and of what is wrong with it.
    """

    def __init__(self, history: History, timeline: Timeline, tenant: Tenant, crm: Crm) -> None:
        self.calm = False
        self.fired: Counter[str] = Counter()
        self.heard: Callable[[Asked, str | None], None] = _nobody
        self._history = history
        self._timeline = timeline
        self._tenant = tenant
        self._crm = crm
        self._seen: Counter[tuple[str, str]] = Counter()
        self._faults = {(one.method, one.contact, one.nth): one for one in history.faults}

    def chance(self, *names: object) -> float:
        """Return a number in [0, 1) that depends on the names and the seed alone."""
        text = repr((self._history.seed, names)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big") / 2**48

    def addressed(self, request: HttpRequest) -> tuple[str, Asked]:
        """Return what is asked, and the request as it will arrive."""
        there = asked(request.method, request.url, request.headers, request.body)
        if request.url.startswith("https://crm"):
            return "CRM", there
        method = self._tenant.kind(there)
        if method in {"GET", "PATCH"}:
            there = replace(there, home=self._tenant.home_of(there.contact))
        return method, there

    def carry(self, request: Asked, contact: str, method: str, answered: Answered) -> None:
        """Let a request leave; `answered` is called when its answer, or its loss, is known."""
        self._seen[method, contact] += 1
        number = self._seen[method, contact]
        span = self._history.latency * (0.5 + self.chance(method, contact, number))
        fault = None if self.calm else self._fault(method, contact, number)
        if fault is not None:
            self.fired[f"{fault.method} {fault.kind}"] += 1
        trip = _Trip(self, request, method, span, answered)
        trip.go(fault)

    def _fault(self, method: str, contact: str, number: int) -> Fault | None:
        if method != "CRM":
            for outage in self._history.outages:
                if outage.start <= self._timeline.now < outage.start + outage.seconds:
                    return Fault(method, contact, number, outage.kind)
        return self._faults.get((method, contact, number))

    def later(self, seconds: float, event: Callable[[], None]) -> None:
        self._timeline.after(seconds, event)

    def process(self, request: Asked, method: str, *, stale: bool = False) -> Reply:
        """Let the other side do what it is asked to."""
        match method:
            case "POST":
                return self._tenant.sign_in(request)
            case "CRM":
                answer, flaw = self._crm.hear(request)
                self.heard(request, flaw)
                return answer
            case "GET":
                return self._tenant.read(request, stale=stale)
            case "BULK":
                assert isinstance(self._tenant, ListTenant)
                return self._tenant.told_together(request, stale=stale)
            case "LIST":
                return self._tenant.listed(request)
            case _:
                return self._tenant.write(request)

    def revoke(self) -> None:
        self._tenant.tokens.clear()

    def bump(self, contact: str) -> None:
        self._tenant.bump(contact)

    def forget(self, contact: str) -> None:
        self._tenant.forget(contact)

    def throttled(self, kind: str, seconds: float) -> Reply:
        """Return a 429 with one of the ways to say how long to wait."""
        match kind:
            case "throttle_seconds":
                return reply(429, None, retry_after=str(max(1, int(seconds))))
            case "throttle_date":
                now = datetime.fromtimestamp(self._timeline.now_us() / 1_000_000, UTC)
                until = now + timedelta(seconds=seconds)
                return reply(429, None, retry_after=format_datetime(until, usegmt=True))
            case "throttle_nonsense":
                return reply(429, None, retry_after="soon")
            case _:
                return reply(429)


class _Trip:
    """One request's way there and back."""

    def __init__(
        self, network: Network, request: Asked, method: str, span: float, answered: Answered
    ) -> None:
        self._network = network
        self._request = request
        self._method = method
        self._half = span / 2
        self._answered = answered

    def go(self, fault: Fault | None) -> None:
        kind = "" if fault is None else fault.kind
        seconds = 0.0 if fault is None else fault.seconds
        if kind == "refused":
            self._back(NotSent("connect_failed", "no connection"), 0.01)
        elif kind in {"timeout", "late", "late_without_etag"}:
            self._back(MaybeSent("timeout", WORDS["timeout"]), PATIENCE_SECONDS)
            if kind != "timeout":
                self._network.later(PATIENCE_SECONDS + seconds, self._commit)
        elif kind == "timeout_after":
            self._network.later(self._half, self._commit)
            self._back(MaybeSent("timeout", WORDS["timeout"]), PATIENCE_SECONDS)
        elif kind == "slow" and seconds >= PATIENCE_SECONDS:
            self.go(Fault("", "", 0, "timeout_after"))
        else:
            self._network.later(self._half, lambda: self._arrive(kind, seconds))

    def _arrive(self, kind: str, seconds: float) -> None:
        """Let the request be answered where it arrives."""
        contact = self._request.contact
        early = self._instead(kind, seconds)
        if early is not None:
            self._back(early)
            return
        if kind == "conflict":
            self._network.bump(contact)
        answer: Answer = self._do(stale=kind == "stale")
        if kind in LIST_FAULTS and isinstance(answer, Reply):
            answer = spoilt(kind, answer)
        if kind in {"reset_after", "truncated", "truncated_after"}:
            answer = MaybeSent("answer_lost", WORDS["reset"])
        elif kind == "error_after":
            answer = quoting(500, "something broke", self._request)
        elif kind == "garbage_after":
            answer = LOGIN_PAGE
        elif kind == "says_failure_after":
            answer = self._says_failure()
        elif kind == "forgets":
            self._network.later(seconds, lambda: self._network.forget(contact))
        elif kind == "twice_later":
            self._network.later(seconds, self._again)
        self._back(answer, self._half + (seconds if kind == "slow" else 0.0))

    def _instead(self, kind: str, seconds: float) -> Answer | None:  # noqa: C901 - a list of cases
        """Return the answer of a fault that lets nothing be done."""
        match kind:
            case "reset":
                return MaybeSent("answer_lost", WORDS["reset"])
            case "error" if self._method == "CRM":
                return quoting_key(503, "try again later", self._request)
            case "error":
                return quoting(503, "try again later", self._request)
            case "unauthorized":
                self._network.revoke()
                return reply(401, {"error": "invalid_token"})
            case "forbidden":
                return quoting(403, "not now", self._request)
            case "garbage" if self._method == "PATCH":
                return LOGIN_PAGE
            case "garbage":
                return GARBAGE
            case "login_page":
                return LOGIN_PAGE
            case "redirect":
                return ELSEWHERE
            case "says_failure":
                return self._says_failure()
            case _ if kind.startswith("throttle"):
                return self._network.throttled(kind, seconds)
        return None

    def _says_failure(self) -> Reply:
        return quoting(200, "not stored", self._request, success=False)

    def _do(self, *, stale: bool = False) -> Reply:
        return self._network.process(self._request, self._method, stale=stale)

    def _commit(self) -> None:
        self._do()

    def _again(self) -> None:
        headers = {name: text for name, text in self._request.headers.items() if name != "if-match"}
        request = self._request
        self._network.process(Asked(request.method, request.path, headers, request.body), "PATCH")

    def _back(self, answer: Answer, seconds: float | None = None) -> None:
        wait = self._half if seconds is None else seconds
        self._network.later(wait, lambda: self._answered(answer))


class Wire:
    """The transport of one simulated process: what the engine sends through."""

    def __init__(self, network: Network, referee: Referee, loop: VirtualLoop) -> None:
        self._network = network
        self._referee = referee
        self._loop = loop

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return its answer.

        Raises:
            NotSent: it never arrived.
            MaybeSent: it may have arrived.
        """
        method, there = self._network.addressed(request)
        contact = there.contact if method in {"GET", "PATCH"} else self._subject(method, there)
        self._loop.requests += 1
        self._referee.leaves(method, there, contact)
        coming = self._loop.create_future()

        def answered(answer: Answer) -> None:
            if not coming.done() and not self._loop.is_closed():
                coming.set_result(answer)

        self._network.carry(there, contact, method, answered)
        answer: Answer | None = None
        try:
            answer = await coming
        finally:
            self._referee.answered(method, there, contact, answer)
        if isinstance(answer, Reply):
            return HttpResponse(answer.status, answer.headers, answer.body)
        assert answer is not None
        raise answer

    def _subject(self, method: str, there: Asked) -> str:
        if method == "BULK":
            return there.campaign
        return self._referee.contact_of_event(there) if method == "CRM" else ""
