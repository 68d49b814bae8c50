"""A simulated tenant and CRM, and the real library pointed at them with quick settings."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import aftercall
from aftercall.adapters.clock import SystemClock
from aftercall.adapters.sources import SourceOptions
from aftercall.domain.report import Report
from aftercall.ports import Transport
from aftercall.settings import Settings, settings_from
from aftercall.simulator import Faults, LimitRules, Simulator, SimulatorConfig, World
from aftercall.simulator.chance import chance
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wiring import Session, open_session

CLIENT_SECRET = "client-secret-7f3a91"
CRM_SECRET = "crm-secret-0b64d2"
ENVIRONMENT = {
    "CXONE_CLIENT_ID": "client-4711",
    "CXONE_CLIENT_SECRET": CLIENT_SECRET,
    "AFTERCALL_CRM_SECRET": CRM_SECRET,
}
OUTCOMES = {
    "INTERESTED": "positive",
    "NOT_INTERESTED": "negative",
    "CALL_BACK": "callback",
    "DO_NOT_CALL": "opt_out",
    "NO_ANSWER": "unreachable",
}
STAMP = "2026-01-15T10:00:00Z"
HALF = 0.5
SEED = 11

Row = dict[str, object]
Entry = Mapping[str, Any]
T = TypeVar("T")


def row(contact: str, campaign: str = "C1", outcome: str = "INTERESTED", **more: object) -> Row:
    """Return one disposition as a script would give it."""
    given: Row = {"campaign": campaign, "contact": contact, "outcome": outcome, "agent": "agent-1"}
    return given | {"timestamp": STAMP} | more


def rows_for(contacts: Iterable[str], campaign: str = "C1") -> list[Row]:
    return [row(contact, campaign) for contact in contacts]


def names(count: int, prefix: str = "p") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def always(kind: str, **settings: float) -> Faults:
    """One fault that hits the first request for every contact, and none after it."""
    return Faults.from_json({kind: 1, "fault_limit": 1, **settings})


def on_write(kind: str, **settings: float) -> Faults:
    """One fault that hits the first PATCH, and nothing else, of the contacts `hit_on_write`."""
    return Faults.from_json({kind: HALF, "fault_limit": 1, "seed": SEED, **settings})


def hit_on_write(kind: str, count: int, campaign: str = "C1") -> list[str]:
    """Return contacts whose first GET is answered, and whose first PATCH meets the fault."""
    candidates = (f"p{number}" for number in range(100_000))
    hit = (
        contact
        for contact in candidates
        if chance(SEED, kind, "GET", campaign, contact, 1) >= HALF
        and chance(SEED, kind, "PATCH", campaign, contact, 1) < HALF
    )
    return [next(hit) for _ in range(count)]


class ShiftedClock(SystemClock):
    """The system's clock, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now_us(self) -> int:
        return super().now_us() + int(self.ahead * 1_000_000)

    def seconds(self) -> float:
        return super().seconds() + self.ahead


@dataclass(slots=True)
class Sent:
    """One request that left: what, when, and when its answer came (monotonic seconds)."""

    method: str
    url: str
    left: float
    answered: float = math.inf
    status: int | None = None

    @property
    def contact(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def campaign(self) -> str:
        return self.url.split("/")[-3]


class Recorder:
    """The real transport, with a note of every request."""

    def __init__(self, transport: Transport) -> None:
        self.sent: list[Sent] = []
        self._tokens: set[str] = set()
        self._transport = transport

    async def send(self, request: HttpRequest) -> HttpResponse:
        noted = Sent(request.method, request.url, time.monotonic())
        self.sent.append(noted)
        self._tokens.add(request.headers.get("Authorization", "").removeprefix("Bearer "))
        try:
            response = await self._transport.send(request)
            noted.status = response.status
        finally:
            noted.answered = time.monotonic()
        return response

    def secrets(self) -> set[str]:
        """Return the tokens that were sent."""
        return self._tokens - {""}

    def of(self, method: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.method == method]


def record(session: Session) -> Recorder:
    """Have all requests to the tenant noted from now on."""
    recorder = Recorder(session._outside.tenant)
    session._outside = replace(session._outside, tenant=recorder)
    return recorder


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Await work that must not take longer."""
    return await asyncio.wait_for(work, seconds)


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables laid over each other."""
    whole: dict[str, Any] = {}
    for layer in layers:
        for table, values in layer.items():
            whole[table] = whole.get(table, {}) | values if isinstance(values, dict) else values
    return whole


def quick(url: str, crm_url: str | None, journal: Path) -> dict[str, Any]:
    """Return a configuration that waits for nothing longer than it must."""
    return {
        "tenant": {"base_url": url, "connect_seconds": 2.0, "read_seconds": 5.0},
        "outcomes": OUTCOMES,
        "limits": {"requests_per_second": 1000.0},
        "retry": {"wait_seconds_initial": 0.05, "attempts_max": 10},
        "crm": {} if crm_url is None else {"url": crm_url, "timeout_seconds": 5.0},
        "journal": {"url": f"sqlite:///{journal}"},
    }


@dataclass
class Rig:
    """A served simulator, a journal, and the library between them."""

    simulator: Simulator
    directory: Path
    tables: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))

    @property
    def journal(self) -> Path:
        return self.directory / "journal.db"

    def config(self, **tables: Mapping[str, object]) -> dict[str, Any]:
        base = quick(self.simulator.url, self.simulator.crm_url, self.journal)
        return merged(base, self.tables, tables)

    def settings(self, **tables: Mapping[str, object]) -> Settings:
        return settings_from(self.config(**tables), self.environment)

    async def sync(
        self, source: str | Path | Sequence[Row], **tables: Mapping[str, object]
    ) -> Report:
        """Run a source through the library's front door."""
        async with aftercall.open(self.config(**tables), self.environment) as session:
            async for _ in session.sync(source):
                pass
            return session.report

    @asynccontextmanager
    async def session(
        self, clock: SystemClock | None = None, **tables: Mapping[str, object]
    ) -> AsyncIterator[Session]:
        """Open a session, with another clock if one is given."""
        async with open_session(self.settings(**tables), self.environment) as session:
            if clock is not None:
                session._outside = replace(session._outside, clock=clock)
            yield session

    async def resume(
        self, clock: SystemClock | None = None, **tables: Mapping[str, object]
    ) -> Report:
        """Go on with the newest run, as ``aftercall resume`` does."""
        async with self.session(clock, **tables) as session:
            return await session.perform(session.resume(None))

    async def sync_file(self, path: Path, **tables: Mapping[str, object]) -> Report:
        async with self.session(None, **tables) as session:
            return await session.perform(session.files([str(path)], SourceOptions()))

    def has_changed(self, least: int) -> bool:
        """Say whether the tenant has committed so many changes."""
        return bool(self.simulator.stats()["changes"] >= least)

    def ledger(self) -> list[dict[str, Any]]:
        return self.simulator.ledger()

    def crm(self) -> list[dict[str, Any]]:
        return self.simulator.crm_events()

    def answers(self, method: str) -> dict[str, int]:
        """Return how often requests of a method were answered, by status."""
        counted: dict[str, int] = self.simulator.stats()["requests"].get(method, {})
        return counted


@asynccontextmanager
async def rigged(directory: Path, **settings: Any) -> AsyncIterator[Rig]:
    """Serve an open, unlimited tenant that knows our secrets unless told otherwise."""
    given: dict[str, Any] = {
        "world": World(open=True),
        "limits": LimitRules(rate=0),
        "client_id": ENVIRONMENT["CXONE_CLIENT_ID"],
        "client_secret": CLIENT_SECRET,
        "crm_secret": CRM_SECRET,
        "seed": SEED,
    }
    async with Simulator(SimulatorConfig(**(given | settings))) as simulator:
        yield Rig(simulator, directory)


def world_of(*contacts: Mapping[str, object], **settings: object) -> World:
    """Return an open world with some contacts described."""
    described = [{"campaign": "C1", **contact} for contact in contacts]
    return World.from_json({"open": True, "contacts": described, **settings})
