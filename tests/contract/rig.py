"""What the journal's suites stand on: a place for a journal, and rows brought in, taken, settled.

Time is always an argument: `NOW` is when everything happens unless a test says otherwise.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest

from aftercall.domain import instant
from aftercall.domain.audit import Exchange, Settled
from aftercall.domain.cells import Problem
from aftercall.domain.disposition import Disposition
from aftercall.domain.key import key_of
from aftercall.domain.outcomes import Category
from aftercall.domain.retry import RetryPolicy
from aftercall.domain.settlement import (
    Claim,
    Moment,
    Settlement,
    Verdict,
    WritePolicy,
    conclude,
)
from aftercall.domain.status import Event, Status
from aftercall.domain.webhook import event_body, event_id
from aftercall.ports import (
    Announcement,
    Archive,
    Candidate,
    Claims,
    Delivery,
    Intake,
    OptOuts,
    Outbox,
    Pacing,
    Redelivery,
    RowRecord,
    SourceRecord,
    Turn,
)
from aftercall.ports.audit import AuditArchive, AuditLog, Keeping
from aftercall.ports.follow_ups import FollowUpDesk

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOW = instant.to_ms(NOON)
RUN = "run-1"
ENDPOINT = "crm"

POLICY = WritePolicy(frozenset({"CONNECTED"}), retry=RetryPolicy(attempts_max=3))

WRITTEN = Verdict(Event.APPLY, "written")
HELD = Verdict(Event.HOLD, "same_in_tenant")
REFUSED = Verdict(Event.REJECT, "refused_409", "The contact is closed.")
GONE = Verdict(Event.MISS, "no_such_contact")
LOST = Verdict(Event.DOUBT, "timeout", "no answer in time")
BROKEN = Verdict(Event.POSTPONE, "status_503", "The tenant answered 503.")
BUSY = Verdict(Event.DEFER, "on_call", "The contact is CONNECTED.", counts=False)
SLOW_DOWN = Verdict(Event.POSTPONE, "throttled", "", 5.0, counts=False)

EXCHANGE = Exchange(read_ms=10.0, write_ms=20.0, wait_ms=95.0, http_status=204, request_id="r-1")

CATEGORIES = {"DO_NOT_CALL": Category.OPT_OUT, "CALL_BACK": Category.CALLBACK}


class OutboxOfAll(Outbox, Redelivery, Protocol):
    """An outbox as couriers and as people see it."""


class Log(AuditLog, AuditArchive, Protocol):
    """The audit log, to write and to read."""


class Journal(Protocol):
    """A journal that is open: its ports."""

    @property
    def intake(self) -> Intake: ...

    @property
    def claims(self) -> Claims: ...

    @property
    def pacing(self) -> Pacing: ...

    @property
    def outbox(self) -> OutboxOfAll: ...

    @property
    def opt_outs(self) -> OptOuts: ...

    @property
    def follow_ups(self) -> FollowUpDesk: ...

    @property
    def archive(self) -> Archive: ...

    @property
    def audit(self) -> Log: ...

    @property
    def keeping(self) -> Keeping: ...

    def close(self) -> None: ...


class Store(Protocol):
    """The place of one journal. This is all that an implementation has to bring."""

    def open(self) -> Journal:
        """Open the journal, as a process that starts does."""
        ...

    def refuse(self, table: str) -> None:
        """Make every later insert into `table` (``audit``, ``outbox``, ``follow_up``) fail."""
        ...


def candidate(contact: str = "P1", *, line: int = 2, **given: Any) -> Candidate:
    """Make a valid row as the intake does: keyed before its timestamp is filled in."""
    values: dict[str, Any] = {"campaign": "C1", "outcome": "SALE", "agent": "A1"} | given
    row = Disposition(contact=contact, **values)
    return Candidate(
        line=line,
        cells=f'["{contact}", "{row.outcome}"]',
        disposition=replace(row, timestamp=row.timestamp or NOON),
        category=CATEGORIES.get(row.outcome, Category.POSITIVE),
        key=key_of(row),
    )


def broken(line: int = 2, **told: str) -> Candidate:
    """Make a row that breaks the schema in two places."""
    problems = (
        Problem("agent", "missing_value", "The agent is empty.", "Fill it in."),
        Problem("outcome", "bad_outcome", "The outcome is no code.", "Write SALE."),
    )
    return Candidate(line=line, cells='["é", 7]', problems=problems, told=told)


def concluded(claim: Claim, verdict: Verdict, at_ms: int = NOW) -> Settlement:
    return conclude(claim, verdict, EXCHANGE, POLICY, Moment(at_ms, 0.5))


def announcements_of(
    claim: Claim, settlement: Settlement, endpoints: Sequence[str] = (ENDPOINT,)
) -> list[Announcement]:
    if not settlement.announce or settlement.entry is None:
        return []
    body = event_body(settlement.entry, claim.disposition)
    run, row = claim.origin.run, claim.row
    return [Announcement(name, event_id(run, row, name), body) for name in endpoints]


@dataclass
class Rig:
    """A journal and short words for what is done to it."""

    journal: Journal
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    endpoints: tuple[str, ...] = (ENDPOINT,)

    async def source(self, run: str = RUN, on_conflict: str = "newest") -> SourceRecord:
        """Return the source of `run`, both begun when they are first asked for."""
        if run not in self.sources:
            given = SourceRecord(0, run, f"{run}.csv", None, "ab" * 32, {}, ("contact", "outcome"))
            begun = await self.journal.intake.begin(run, on_conflict, [given], NOW)
            self.sources[run] = begun[0]
        return self.sources[run]

    async def admit(
        self, *candidates: Candidate, run: str = RUN, at_ms: int = NOW
    ) -> Sequence[Settled]:
        return await self.journal.intake.admit(await self.source(run), candidates, at_ms)

    async def turn(self, campaign: str = "C1", rows_max: int = 50, at_ms: int = NOW) -> Turn:
        return await self.journal.claims.take_turn(campaign, rows_max, at_ms)

    async def claim(self, campaign: str = "C1", at_ms: int = NOW) -> Claim:
        """Take the one row that is due."""
        (claim,) = (await self.turn(campaign, at_ms=at_ms)).claims
        return claim

    async def settle(self, claim: Claim, verdict: Verdict, at_ms: int = NOW) -> bool:
        """Conclude a claim and store that, with its events if there are any."""
        settlement = concluded(claim, verdict, at_ms)
        announced = announcements_of(claim, settlement, self.endpoints)
        return await self.journal.claims.settle(settlement, announced)

    async def bring(
        self,
        verdict: Verdict,
        contact: str = "P1",
        *,
        run: str = RUN,
        at_ms: int = NOW,
        **given: Any,
    ) -> Claim:
        """Admit a row, claim it and settle it by `verdict`; return the claim."""
        await self.admit(candidate(contact, **given), run=run, at_ms=at_ms)
        claim = await self.claim(given.get("campaign", "C1"), at_ms)
        assert await self.settle(claim, verdict, at_ms)
        return claim

    async def due(
        self, at_ms: int = NOW, endpoint: str = ENDPOINT, events_max: int = 100
    ) -> list[Delivery]:
        """Return the events of an endpoint that are due."""
        return list(await self.journal.outbox.due_events(endpoint, events_max, at_ms))

    def rows(self, run: str = RUN, statuses: Collection[Status] = tuple(Status)) -> list[RowRecord]:
        return list(self.journal.archive.rows(run, statuses))

    def statuses(self, run: str = RUN) -> list[Status]:
        return [row.status for row in self.rows(run)]


def latencies(rig: Rig, run: str = RUN) -> dict[str, list[float]]:
    """Return the times of rows, to three digits, by phase."""
    found: dict[str, list[float]] = {}
    for one in rig.journal.archive.latencies(run):
        found.setdefault(one.phase, []).extend([one.ms] * one.rows)
    return found


def contacts(turn: Turn) -> list[str]:
    return [claim.disposition.contact for claim in turn.claims]


class Contract:
    """The fixtures of every suite. An implementation brings `store`."""

    @pytest.fixture
    def journal(self, store: Store) -> Iterator[Journal]:
        journal = store.open()
        yield journal
        journal.close()

    @pytest.fixture
    def rig(self, journal: Journal) -> Rig:
        return Rig(journal)
