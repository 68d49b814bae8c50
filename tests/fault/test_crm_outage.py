"""A CRM that fails for an hour of simulated time, and a courier that is there all the time."""

import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from aftercall.domain.delivery import EventState
from aftercall.domain.status import Status
from aftercall.engine.delivery import Courier
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Progress
from aftercall.ports import EventFilter, Transport
from aftercall.simulator import Faults
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wiring import Session

from .books import assert_books_balance
from .conftest import Rigged
from .rig import Rig, ShiftedClock, names, row, rows_for

HOUR = 3600.0
STEP = 20.0
QUICK = {"timeout_seconds": 0.15, "drain_seconds": 0.0, "concurrency": 4}


class SharedClock(ShiftedClock):
    """One time for aftercall and for the simulator, moved by hand."""

    def monotonic(self) -> float:
        return self.seconds()

    def wall(self) -> float:
        return self.now_us() / 1_000_000


class Watch:
    """A courier that goes on while simulated time passes: it keeps its breaker."""

    def __init__(self, session: Session, clock: SharedClock) -> None:
        (line,) = session._outside.crm
        outbox = session.journal.outbox
        self.clock = clock
        self._courier = Courier(line, outbox, clock, random.Random(7).random)
        self._archive = session.journal.archive

    @property
    def states(self) -> dict[str, int]:
        return dict(self._archive.crm.count())

    async def step(self, seconds: float = STEP) -> None:
        """Let time pass, then deliver what is due."""
        self.clock.ahead += seconds
        self._courier.finish()
        await self._courier.run(Halt(), Progress())

    async def until_told(self, hours: float) -> None:
        """Go on until no event waits; fail if that takes longer than it should."""
        ends = self.clock.ahead + hours * HOUR
        while "waiting" in self.states:
            assert self.clock.ahead < ends, "events wait although the CRM is back"
            await self.step()


@asynccontextmanager
async def watching(rig: Rig, clock: SharedClock) -> AsyncIterator[tuple[Session, Watch]]:
    async with rig.session(clock, crm=QUICK) as session:
        yield session, Watch(session, clock)


@pytest.mark.parametrize(
    ("fault", "most"),
    [
        ({"crm_down_seconds": HOUR}, 60),
        ({"crm_error": 1}, 60),
        ({"crm_slow": 1, "slow_seconds": 0.4}, 60),
        ({"crm_reset_before": 1}, 60),
        ({"crm_reset_after": 1}, 60),
        ({"crm_throttle": 1}, 60),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
async def test_an_hour_of_failures_loses_nothing_and_is_not_hammered_on(
    rig_with: Rigged, fault: dict[str, Any], most: int
) -> None:
    clock = SharedClock()
    faults = Faults.from_json({"fault_limit": 0, **fault})
    async with rig_with(clock=clock, faults=faults) as rig:
        async with watching(rig, clock) as (session, watch):
            report = await session.perform(session.objects(rows_for(names(300))))
            assert report.statuses == {Status.APPLIED: 300}
            began = clock.ahead
            while clock.ahead < began + HOUR - STEP:
                await watch.step()
            assert sum(rig.simulator.stats()["crm"]["by_status"].values()) <= most
            rig.simulator.set_faults(Faults())
            await watch.until_told(hours=2)
            report = session.report(report.run)

        assert report.deliveries == {"delivered": 300}
        assert rig.answers("PATCH") == {"204": 300}
        crm = rig.simulator.stats()["crm"]
        assert (crm["distinct"], crm["bad_signatures"]) == (300, 0)
        assert_books_balance(report, rig.ledger(), rig.crm())


async def test_410_stops_everything_until_the_endpoint_is_enabled(rig_with: Rigged) -> None:
    clock = SharedClock()
    async with rig_with(clock=clock, faults=Faults.from_json({"crm_gone": 1})) as rig:
        async with watching(rig, clock) as (session, watch):
            report = await session.perform(session.objects(rows_for(names(50))))
            await watch.step()
            rig.simulator.set_faults(Faults())
            asked = sum(rig.simulator.stats()["crm"]["by_status"].values())
            assert 1 <= asked <= QUICK["concurrency"]
            for _ in range(50):
                await watch.step(HOUR)
            assert sum(rig.simulator.stats()["crm"]["by_status"].values()) == asked
            assert watch.states == {"waiting": 50}
            assert session.report(report.run).disabled == ("crm",)
            await session.journal.outbox.enable("crm", clock.now_us() // 1000)
            await watch.until_told(hours=1)
            report = session.report(report.run)

        assert (report.deliveries, report.disabled) == ({"delivered": 50}, ())
        assert_books_balance(report, rig.ledger(), rig.crm())


class Picky:
    """A CRM that takes everything but what is about one contact."""

    def __init__(self, transport: Transport, contact: str) -> None:
        self._transport = transport
        self._marker = f'"contact_id":"{contact}"'.encode()
        self.refused = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        if self._marker in (request.body or b""):
            self.refused += 1
            return HttpResponse(422, {}, b"no such customer")
        return await self._transport.send(request)


async def test_an_event_that_is_always_refused_dies_and_holds_up_only_its_contact(
    rig_with: Rigged,
) -> None:
    clock = SharedClock()
    async with rig_with(clock=clock) as rig, rig.session(clock, crm=QUICK) as session:
        (line,) = session._outside.crm
        picky = Picky(line.transport, "p3")
        session._outside = replace(session._outside, crm=[replace(line, transport=picky)])
        watch = Watch(session, clock)
        await session.perform(session.objects(rows_for(names(20))))
        later = row("p3", outcome="DO_NOT_CALL", timestamp="2026-01-16T10:00:00Z")
        await session.perform(session.objects([later]))
        await watch.step()
        # It is about the event: the breaker stays closed for the others.
        assert watch.states == {"delivered": 19, "waiting": 2}
        await watch.until_told(hours=70)
        assert watch.states == {"delivered": 19, "dead": 2}
        first, second = session.journal.archive.crm.find(EventFilter(EventState.DEAD), 9)[::-1]
        told = [session.journal.archive.crm.history(one.event_id) for one in (first, second)]
        attempts = [one.attempts for one in told if one is not None]

    assert (first.outcome, second.outcome) == ("INTERESTED", "DO_NOT_CALL")
    assert [len(each) for each in attempts] == [8, 8]
    assert attempts[0][-1].at_ms <= attempts[1][0].at_ms
    assert attempts[0][0].answer == "no such customer"
    assert picky.refused == 16


async def test_a_contact_is_heard_of_in_order_whatever_happens(rig_with: Rigged) -> None:
    clock = SharedClock()
    probability = {"crm_error": 0.3, "crm_reset_after": 0.1, "crm_reset_before": 0.1}
    faults = Faults.from_json({"fault_limit": 3, **probability})
    codes = ("NO_ANSWER", "CALL_BACK", "INTERESTED", "DO_NOT_CALL")
    async with rig_with(clock=clock, faults=faults) as rig:
        async with watching(rig, clock) as (session, watch):
            for hour, code in enumerate(codes, 10):
                stamp = f"2026-01-15T{hour}:00:00Z"
                rows = [row(name, outcome=code, timestamp=stamp) for name in names(25)]
                await session.perform(session.objects(rows))
            await watch.until_told(hours=30)

        told: dict[str, list[str]] = defaultdict(list)
        for event in rig.crm():
            data = event["body"]["data"]
            if data["outcome_code"] not in told[data["contact_id"]][-1:]:
                told[data["contact_id"]].append(data["outcome_code"])
        assert len(told) == 25
        assert {tuple(heard) for heard in told.values()} == {codes}
        refused = Counter(rig.simulator.stats()["faults"])
        assert refused["crm_error"] > 10
