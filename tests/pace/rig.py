"""The whole engine on virtual time, to see when each request leaves: nothing sleeps, nothing waits.

The tenant here is a limiter and a latency, no more. What the engine does takes no time unless a
test lets the process stall or its steps cost something.
"""

import asyncio
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import pairwise
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from aftercall.adapters.journal.sqlite.archive import SqliteArchive
from aftercall.adapters.journal.sqlite.audit_log import SqliteAuditLog
from aftercall.adapters.journal.sqlite.claims import SqliteClaims
from aftercall.adapters.journal.sqlite.follow_ups import SqliteFollowUps
from aftercall.adapters.journal.sqlite.intake import SqliteIntake
from aftercall.adapters.journal.sqlite.outbox import SqliteOutbox
from aftercall.adapters.journal.sqlite.pacing import SqlitePacing
from aftercall.adapters.profiles import load_profile
from aftercall.adapters.sources import rows_of
from aftercall.domain import instant
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Rules
from aftercall.domain.pacing import Pace
from aftercall.domain.retry import DeferPolicy, RetryPolicy
from aftercall.domain.settlement import WritePolicy
from aftercall.domain.webhook import Subscription
from aftercall.engine.delivery import Endpoint, Line
from aftercall.engine.intake import Reader, Reading
from aftercall.engine.rounds import TurnLimits
from aftercall.engine.run import Input, Journal, Outside, Plan, Run
from aftercall.errors import JournalError
from aftercall.ports import SourceRecord
from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent
from aftercall.wire.target import Identity, Target
from tests.simulation.disk import COMMIT_SECONDS, PATH, SteppedWriter, new_disk
from tests.simulation.play import CATEGORIES, stepped
from tests.simulation.virtual import Timeline, VirtualLoop

BEGINS = datetime(2026, 1, 15, 11, 0, tzinfo=UTC)
PATIENCE_SECONDS = 30.0
"""How long the transport waits for an answer."""

RUN_SECONDS_MAX = 3 * 3600.0
CRM_KEY = "whsec_a2V5"


class Limit:
    """What a tenant grants; written here anew, so that no mistake of the product is shared."""

    def __init__(self, per_second: float, burst: int = 0) -> None:
        """Count in a sliding second, or in a bucket if there is a `burst`."""
        self.per_second = per_second
        self._burst = burst
        self._level, self._filled = float(burst), 0.0
        self._passed: list[float] = []

    def wait(self, now: float) -> float:
        """Return 0 if one may pass now, else in how many seconds."""
        if self._burst:
            self._level += (now - self._filled) * self.per_second
            self._level, self._filled = min(self._level, self._burst), now
            return max(0.0, 1.0 - 1e-9 - self._level) / self.per_second
        self._passed = [at for at in self._passed if at > now - 1.0 + 1e-9]
        if len(self._passed) < self.per_second:
            return 0.0
        return self._passed[0] + 1.0 - now

    def take(self, now: float) -> None:
        self._level -= 1.0
        self._passed.append(now)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that left."""

    at: float
    method: str
    campaign: str
    contact: str


@dataclass
class World:
    """What is played, and what was seen.

    Attributes:
        rows: how many rows each campaign has.
        pace: of each campaign.
        total: of the tenant as a whole.
        limits: what the tenant grants each campaign; None for all that comes.
        whole: what it grants in all.
        latency: seconds to an answer, by what was sent.
        retry_after: how a 429 says how long: seconds, date or none.
        on_call: until when contacts are on a call.
        instead: an answer that the tenant gives in place of its own.
        commit_seconds: how long a commit of the journal takes, by the time.
        crm_seconds: how long the CRM takes; None for no CRM.
        step_seconds: what each step of the event loop costs.
    """

    rows: Mapping[str, int]
    pace: Pace = field(default_factory=lambda: Pace(10.0))
    total: Pace | None = None
    concurrency: int = 50
    batch: int = 50
    limits: Callable[[str], Limit | None] = lambda campaign: None
    whole: Limit | None = None
    latency: Callable[[Sent], float] = lambda sent: 0.02
    retry_after: str = "seconds"
    on_call: Callable[[str, str], float] = lambda campaign, contact: 0.0
    instead: Callable[[Sent], HttpResponse | None] = lambda sent: None
    crm_seconds: float | None = None
    commit_seconds: Callable[[float], float] = lambda now: 0.001
    step_seconds: float = 0.0
    paces: Mapping[str, Pace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.timeline = Timeline(int(BEGINS.timestamp() * 1_000_000))
        self.disk = new_disk()
        self.sent: list[Sent] = []
        self.arrived: list[float] = []
        self.refused: list[Sent] = []
        self.in_flight = self.in_flight_peak = 0
        self.loop: Any = None
        self.run: Any = None
        self._granted: dict[str, Limit | None] = {}
        self._written: dict[str, Any] = {}

    # What is done

    def stall(self, at: float, seconds: float, steps: int = 0) -> None:
        """Have the process stand still, so many steps after what comes first at that time."""

        def step(left: int) -> None:
            if left:
                self.loop.call_soon(step, left - 1)
            else:
                self.timeline.pass_by(seconds)

        self.timeline.at(at, lambda: self.loop.call_soon(step, steps))

    def play(self) -> "World":
        """Write all rows and return what was seen."""
        warnings.simplefilter("ignore", RuntimeWarning)
        logging.disable(logging.WARNING)
        try:
            with stepped(500):
                self._process()
        finally:
            logging.disable(logging.NOTSET)
        return self

    @classmethod
    def of(cls, campaigns: int, rows: int, **given: Any) -> "World":
        """Return a world of so many campaigns with as many rows each."""
        return cls({f"C{number}": rows for number in range(campaigns)}, **given)

    def again(self, rows: Mapping[str, int]) -> "World":
        """Feed more rows, in a process that begins when the one before has ended."""
        self.rows = rows
        return self.play()

    # What was seen

    def times(self, *campaigns: str, method: str = "") -> list[float]:
        """Return when requests left, of these campaigns or of all."""
        return [
            one.at
            for one in self.sent
            if (not campaigns or one.campaign in campaigns) and method in one.method
        ]

    def busy(self, campaign: str = "") -> list[float]:
        """Return when requests left as long as rows were waiting: until the last was read."""
        mine = [one for one in self.sent if one.campaign == campaign or not campaign]
        last = max(at for at, one in enumerate(mine) if one.method == "GET")
        return [one.at for one in mine[: last + 1]]

    def statuses(self) -> dict[str, int]:
        found = self.disk.ask("SELECT status, count(*) AS n FROM row GROUP BY status")
        return {row["status"]: row["n"] for row in found}

    # How it is done

    def _process(self) -> None:
        loop = self.loop = _Loop(self.timeline, self.step_seconds)
        writer = SteppedWriter(self.disk, loop, self._commit_share)
        self.run = run = self._run(writer)

        async def work() -> None:
            try:
                await run.work(lambda: self._opening(run))
            finally:
                with suppress(JournalError):
                    writer.close()

        self.timeline.after(RUN_SECONDS_MAX, lambda: _too_long(loop))
        loop.run_until_complete(work())
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()
        assert not loop.troubles, loop.troubles

    def _run(self, writer: SteppedWriter) -> Run:
        disk = self.disk
        journal = Journal(
            SqliteIntake(writer),
            SqliteClaims(writer),
            SqlitePacing(writer),
            SqliteOutbox(writer, disk, PATH),
            SqliteAuditLog(writer, disk, PATH),
            SqliteFollowUps(writer, disk, PATH),
        )
        profile = load_profile("outbound-v1")
        endpoint = Endpoint(Subscription("crm"), "https://crm.example/hook", (CRM_KEY,))
        outside = Outside(
            target=Target(profile, "https://tenant.example"),
            identity=Identity("client", "secret"),
            tenant=self,
            crm=[] if self.crm_seconds is None else [Line(endpoint, self)],
            clock=self.timeline,
            chance=lambda: 0.5,
            request_id=lambda: f"r{len(self.sent)}",
        )
        plan = Plan(
            policy=WritePolicy(profile.active_states, retry=RetryPolicy(), defer=DeferPolicy()),
            pace=lambda campaign: self.paces.get(campaign, self.pace),
            tenant_pace=self.total,
            concurrency=self.concurrency,
            turns=TurnLimits(rows=self.batch),
        )
        runs = len(SqliteArchive(disk, PATH).runs())
        return Run(f"run-{runs}", journal, outside, plan)

    def _commit_share(self) -> float:
        """Return how long a commit takes as `SteppedWriter` wants it."""
        return self.commit_seconds(self.timeline.now) / COMMIT_SECONDS - 0.2

    async def _opening(self, run: Run) -> Sequence[Input]:
        now_ms = self.timeline.now_us() // 1000
        record = SourceRecord(0, run.run, "calls.csv", "/calls.csv", None, {}, ())
        begun = await run.journal.intake.begin(run.run, "newest", [record], now_ms)
        rules = Rules(outcomes=CATEGORIES, now=instant.from_ms(now_ms))
        reader = Reader(Reading(ColumnMap(), rules))
        return [Input(begun[0], rows_of(self._cells(run.run)), reader)]

    def _cells(self, run: str) -> Iterator[dict[str, object]]:
        """Give the campaigns' rows by turns, as a file has them that was sorted by time."""
        for number in range(max(self.rows.values())):
            for campaign, count in self.rows.items():
                if number < count:
                    yield {
                        "campaign": campaign,
                        "contact": f"{run}-{campaign}-{number}",
                        "outcome": "INTERESTED",
                        "agent": "a1",
                        "timestamp": "2026-01-15T10:00:00Z",
                    }

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return its answer (this is the transport)."""
        path = urlsplit(request.url).path.split("/")
        if request.url.startswith("https://crm"):
            await asyncio.sleep(self.crm_seconds or 0.0)
            return HttpResponse(200, {}, b"")
        if path[-1] == "token":
            await asyncio.sleep(0.02)
            token = {"access_token": "t", "expires_in": 10**6, "token_type": "Bearer"}
            return HttpResponse(200, {}, json.dumps(token).encode())
        self.loop.requests += 1
        sent = Sent(self.timeline.now, request.method, path[5], path[7])
        self.sent.append(sent)
        self.in_flight += 1
        self.in_flight_peak = max(self.in_flight_peak, self.in_flight)
        try:
            return await self._answer(sent)
        finally:
            self.in_flight -= 1

    async def _answer(self, sent: Sent) -> HttpResponse:
        coming = self.loop.create_future()
        half = self.latency(sent) / 2

        def arrive() -> None:
            answer = self._judge(sent)
            self.timeline.after(half, lambda: coming.done() or coming.set_result(answer))

        self.timeline.after(half, arrive)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer: HttpResponse = await coming
                return answer
        except TimeoutError:
            raise MaybeSent("timeout", "no answer in time") from None

    def _judge(self, sent: Sent) -> HttpResponse:
        now = self.timeline.now
        self.arrived.append(now)
        instead = self.instead(sent)
        if instead is not None:
            if instead.status == 429:
                self.refused.append(sent)
            return instead
        if sent.campaign not in self._granted:
            self._granted[sent.campaign] = self.limits(sent.campaign)
        limits = [one for one in (self._granted[sent.campaign], self.whole) if one is not None]
        wait = max((one.wait(now) for one in limits), default=0.0)
        if wait > 0:
            self.refused.append(sent)
            return self.refusal(wait)
        for one in limits:
            one.take(now)
        if sent.method == "PATCH":
            self._written[sent.contact] = {
                "outcomeCode": "INTERESTED",
                "agentId": "a1",
                "dispositionTimestamp": "2026-01-15T10:00:00Z",
            }
            return HttpResponse(204, {}, b"")
        busy = now < self.on_call(sent.campaign, sent.contact)
        document = {"contactId": sent.contact, "state": "CONNECTED" if busy else "READY"}
        document |= self._written.get(sent.contact, {})
        return HttpResponse(
            200, {"content-type": "application/json"}, json.dumps(document).encode()
        )

    def refusal(self, wait: float) -> HttpResponse:
        """Return a 429 that asks to wait so many seconds."""
        return HttpResponse(429, self._headers(wait), b"")

    def _headers(self, wait: float) -> dict[str, str]:
        match self.retry_after:
            case "seconds":
                return {"retry-after": str(ceil(wait))}
            case "date":
                until = ceil(self.timeline.now_us() / 1e6 + wait)
                return {"retry-after": format_datetime(datetime.fromtimestamp(until, UTC), True)}
        return {}


class _Loop(VirtualLoop):
    """A loop whose steps take time, as they do where the processor is the bound."""

    def __init__(self, timeline: Timeline, step_seconds: float) -> None:
        super().__init__(timeline)
        self._step_seconds = step_seconds
        self._steps_paid = 0

    def select(self, timeout: float | None) -> list[Any]:
        if self._step_seconds:
            spent = (self.steps - self._steps_paid) * self._step_seconds
            self._steps_paid = self.steps
            self._timeline.pass_by(spent)
            timeout = timeout if timeout is None else max(0.0, timeout - spent)
        return super().select(timeout)

    def _check_spin(self) -> None:
        """Steps are not counted here."""


def _too_long(loop: VirtualLoop) -> None:
    if not loop.is_closed():
        raise AssertionError("the run does not end")


def gaps(times: Sequence[float]) -> list[float]:
    """Return the seconds between one and the next."""
    return [later - earlier for earlier, later in pairwise(times)]


def most_in(times: Sequence[float], seconds: float = 1.0) -> int:
    """Return the most in any `seconds`."""
    most = start = 0
    for end, at in enumerate(times):
        while times[start] <= at - seconds + 1e-9:
            start += 1
        most = max(most, end - start + 1)
    return most


def per_second(times: Sequence[float]) -> float:
    """Return the average pace."""
    return (len(times) - 1) / (times[-1] - times[0])
