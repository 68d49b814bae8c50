"""One run: sign in, recover, take the input in, work turn by turn, let the CRM hear of it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from aftercall.domain.audit import Settled
from aftercall.domain.follow_ups import FollowUpKind, FollowUpRules
from aftercall.domain.pacing import Pace
from aftercall.domain.settlement import WritePolicy
from aftercall.engine.couriers import Couriers
from aftercall.engine.delivery import Line
from aftercall.engine.follow_ups import FollowUps, made_of
from aftercall.engine.halt import Halt, Stopped
from aftercall.engine.health import Health
from aftercall.engine.intake import IntakeWatch, RawRow, Reader, admit_all
from aftercall.engine.lane import Gates, Lane
from aftercall.engine.permits import Permits
from aftercall.engine.progress import Progress
from aftercall.engine.queue import TenantQueue
from aftercall.engine.rounds import Rounds, TurnLimits, Watch
from aftercall.engine.sealing import Sealer
from aftercall.engine.session import Means, Session
from aftercall.engine.slots import SlotBook
from aftercall.engine.tenant import Tenant
from aftercall.engine.watched_clock import WatchedClock
from aftercall.engine.writer import Surroundings, Writer
from aftercall.errors import AccessDenied, AftercallError, Interrupted
from aftercall.ports import Claims, Clock, Intake, Outbox, Pacing, SourceRecord, Transport
from aftercall.ports.audit import AuditLog, Signer
from aftercall.ports.follow_ups import FollowUpDesk
from aftercall.wire.profile import follow_ups_of
from aftercall.wire.target import Identity, Target

NOTE_SECONDS = 2.0
"""How often the report's figures about the pace are stored."""

WHOLE_TENANT = ""


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal's ports together."""

    intake: Intake
    claims: Claims
    pacing: Pacing
    outbox: Outbox
    audit: AuditLog
    follow_ups: FollowUpDesk


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is to keep to, as plain values.

    Attributes:
        policy: what may be written over and how failures are tried again.
        pace: the pace of each campaign.
        tenant_pace: the pace of the tenant as a whole; None for no such limit.
        concurrency: requests in flight at once.
        turns: how much a campaign's turn may take.
        drain_seconds: how long deliveries may go on after the last row.
        follow_ups: what else is done for rows that are settled.
    """

    policy: WritePolicy
    pace: Callable[[str], Pace]
    tenant_pace: Pace | None
    concurrency: int
    turns: TurnLimits
    drain_seconds: float = 10.0
    follow_ups: FollowUpRules = field(default_factory=FollowUpRules)


@dataclass(frozen=True, slots=True)
class Outside:
    """The world outside: the tenant, the CRM's endpoints, time, chance, the audit's key."""

    target: Target
    identity: Identity
    tenant: Transport
    crm: Sequence[Line]
    clock: Clock
    chance: Callable[[], float]
    request_id: Callable[[], str]
    signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a run: its record, its rows that are not in the journal yet, their reader."""

    record: SourceRecord
    rows: Iterable[RawRow]
    reader: Reader


async def _nobody(settled: Sequence[Settled]) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Run:
    """One invocation's work on one run, and on whatever else is open in the journal.

    Attributes:
        run: the id of the run.
        journal: where everything is kept.
        outside: the tenant and the CRM.
        plan: what to keep to.
        told: called with rows that have reached their status.
        progress: what was done so far.
        halt: stops the work; what is under way is finished and stored.
        wait_crm: end only once no event for the CRM waits any more.
        noted_seconds: until when the time that was worked is in the journal.
        clock: the clock outside, watched for steps back.
    """

    run: str
    journal: Journal
    outside: Outside
    plan: Plan
    told: Callable[[Sequence[Settled]], Awaitable[None]] = _nobody
    progress: Progress = field(default_factory=Progress)
    halt: Halt = field(default_factory=Halt)
    wait_crm: bool = False
    noted_seconds: float = 0.0
    clock: WatchedClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = WatchedClock(self.outside.clock)
        self.outside = replace(self.outside, clock=self.clock)

    async def work(self, opening: Callable[[], Awaitable[Sequence[Input]]]) -> None:
        """Do all that can be done now; `halt.reason` says why if something is left to do.

        Args:
            opening: records the run and its inputs in the journal and returns them; called
                once the tenant has let us in.

        Raises:
            JournalError: the journal could not be written; what was settled before is on disk.
            Paused: the tenant cannot be signed in to; nothing was read or sent.
            AftercallError: what `halt` was thrown for before that.
        """
        self.noted_seconds = self.outside.clock.seconds()
        session = self._session()
        try:
            token = await session.token()
        except Stopped:
            raise self.halt.reason or Interrupted("The run was stopped.") from None
        if token.scopes_missing:
            message = f"The tenant does not grant the scope {' '.join(token.scopes_missing)}."
            fix = "Have it granted to the client id. Nothing was sent."
            raise AccessDenied(message, fix=fix, next_command="aftercall check")
        await self.journal.claims.recover(self._now_ms())
        kinds = [FollowUpKind(kind) for kind in follow_ups_of(self.outside.target.profile)]
        await self.journal.follow_ups.recover(kinds, self._now_ms())
        self.progress.stage = "reading"
        if not await self._take_in(await opening()):
            return
        self.progress.stage = "writing"
        rounds, follow_ups = self._workers(session)
        try:
            await self._work_side_by_side(rounds, follow_ups)
        except BaseExceptionGroup as troubles:
            # Of the many tasks that a full disk stops, one says what there is to say.
            known = _known(troubles)
            if known is None:
                raise
            raise known from None
        await self._note(rounds)
        self.progress.stage = "done"

    async def _work_side_by_side(self, rounds: Rounds, follow_ups: FollowUps) -> None:
        """Work turn by turn, with follow-ups, deliveries and notes about the pace beside it."""
        async with asyncio.TaskGroup() as group:
            couriers = self._couriers()
            couriers.start(group, self.halt, self.progress)
            noting = group.create_task(self._note_regularly(rounds))
            sealer = Sealer(self.journal.audit, self.outside.signer, self.clock)
            done = asyncio.Event()
            group.create_task(sealer.run(done))
            following = group.create_task(follow_ups.run(), name="follow-ups")
            await rounds.run()
            self.progress.stage = "following up"
            follow_ups.finish()
            await following
            await self._note(rounds)
            self.progress.stage = "delivering"
            # What is due later stays in the outbox unless it is waited for.
            seconds_max = None if self.wait_crm else self.plan.drain_seconds
            await couriers.finish(seconds_max, wait=self.wait_crm)
            noting.cancel()
            done.set()

    def _session(self) -> Session:
        outside = self.outside
        means = Means(outside.tenant, outside.clock, outside.chance, self.halt)
        return Session(outside.target, outside.identity, means)

    def _now_ms(self) -> int:
        return self.outside.clock.now_us() // 1000

    async def _take_in(self, inputs: Sequence[Input]) -> bool:
        """Bring all inputs into the journal; return False if that was stopped."""
        intake = self.journal.intake

        async def admitted(rows: int, settled: Sequence[Settled]) -> None:
            self.progress.admitted(rows, settled)
            await self.told(settled)

        watch = IntakeWatch(self.halt, self.outside.clock, admitted)
        for one in inputs:
            if not await admit_all(one.rows, one.record, one.reader, intake, watch):
                return False
        await self._concluded(await intake.finish(self.run, self._now_ms()))
        return True

    async def _concluded(self, settled: Sequence[Settled]) -> None:
        self.progress.concluded(settled)
        await self.told(settled)

    def _workers(self, session: Session) -> tuple[Rounds, FollowUps]:
        """Return who works on rows, and who on their follow-ups."""
        outside, plan = self.outside, self.plan
        tenant = Tenant(session, outside.tenant, outside.clock, self.progress.lists)
        surroundings = Surroundings(
            self.halt,
            Health(self.halt, outside.clock, outside.target.profile.needs),
            outside.clock,
            outside.chance,
            outside.request_id,
            partial(made_of, plan.follow_ups, outside.target.profile),
        )
        subscriptions = [line.endpoint.subscription for line in outside.crm]
        writer = Writer(tenant, self.journal.claims, plan.policy, subscriptions, surroundings)
        watch = Watch(self.halt, outside.clock, self._concluded)
        rounds = Rounds(self.journal.claims, writer, self._lanes(), plan.turns, watch)
        follow_ups = FollowUps(
            desk=self.journal.follow_ups,
            session=session,
            tenant=tenant,
            lane_of=rounds.lane_of,
            retry=plan.policy.retry,
            around=surroundings,
            patience_seconds=plan.turns.patience_seconds,
        )
        return rounds, follow_ups

    def _lanes(self) -> Callable[[str], Lane]:
        """Return what makes the lane of a campaign."""
        pacing, clock = self.journal.pacing, self.outside.clock
        limit = self.plan.tenant_pace
        tenant = None if limit is None else SlotBook(WHOLE_TENANT, limit, pacing, clock)
        permits = Permits(self.plan.concurrency)
        gates = Gates(permits, self.halt, clock, tenant, TenantQueue())

        def lane(campaign: str) -> Lane:
            return Lane(SlotBook(campaign, self.plan.pace(campaign), pacing, clock), gates)

        return lane

    def _couriers(self) -> Couriers:
        outside = self.outside
        return Couriers(outside.crm, self.journal.outbox, outside.clock, outside.chance)

    async def _note_regularly(self, rounds: Rounds) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(NOTE_SECONDS)
                await self._note(rounds)

    async def _note(self, rounds: Rounds) -> None:
        """Store what the report says of the pace, and how long this took so far."""
        figures = [lane.meter.take() for lane in rounds.lanes.values() if lane.meter.requests]
        self.progress.requests += sum(figure.requests for figure in figures)
        self.progress.throttled += sum(figure.throttled for figure in figures)
        self.progress.on_call = rounds.on_call
        now = self.outside.clock.seconds()
        spent, self.noted_seconds = now - self.noted_seconds, now
        if self.progress.stage == "delivering":
            # No row is worked on any more: this would make the run look slower than it was.
            self.progress.crm_wait_seconds += spent
            spent = 0.0
        await self.journal.pacing.note_pace(self.run, figures, int(spent * 1000))


def _known(trouble: BaseException) -> AftercallError | None:
    """Return the first error within a group that a user can act on."""
    if isinstance(trouble, AftercallError):
        return trouble
    if isinstance(trouble, BaseExceptionGroup):
        return next(filter(None, map(_known, trouble.exceptions)), None)
    return None
