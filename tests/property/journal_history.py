"""Histories of a journal: anything that can become of rows, in any order, played on a real one."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from aftercall.domain import instant
from aftercall.domain.acts import Act, Deed, Scope
from aftercall.domain.answer import Observed
from aftercall.domain.audit import Exchange
from aftercall.domain.delivery import EventState
from aftercall.domain.follow_ups import Action, FollowUpKind, FollowUpState, NewFollowUp
from aftercall.domain.opt_outs import Acknowledgement, OptOutFilter
from aftercall.domain.outcomes import Category
from aftercall.domain.settlement import Claim, Moment, Settlement, Verdict, conclude
from aftercall.domain.status import Event, Status
from aftercall.errors import JournalError
from aftercall.ports import Candidate, DeliveryResult
from aftercall.ports.audit import Seal
from tests.contract.rig import (
    BROKEN,
    BUSY,
    GONE,
    HELD,
    LOST,
    NOW,
    POLICY,
    REFUSED,
    WRITTEN,
    Journal,
    Rig,
    announcements_of,
    broken,
    candidate,
)

DAY = timedelta(days=1)
DAY_MS = 24 * 3600 * 1000
RUNS = ("run-1", "run-2")
CAMPAIGNS = ("C1", "C2")
CONTACTS = ("P1", "P2")
ENDPOINTS = ("crm", "billing")
OUTCOMES = ("DO_NOT_CALL", "SALE", "CALL_BACK")
NEWER = Verdict(Event.SUPERSEDE, "newer_in_tenant", "newer")
EXHAUSTED = Verdict(Event.EXHAUST, "timeout", "given up")
VERDICTS = (*[WRITTEN] * 6, HELD, REFUSED, GONE, LOST, BROKEN, BUSY, NEWER, EXHAUSTED)
TOOK = (None, 0.0, 0.0004, 9.994, 41.53, 41.57, 1234.6, 61_000.0)
RECORDS = (FollowUpState.DONE, FollowUpState.REFUSED, FollowUpState.DONE, FollowUpState.WAITING)
RETRIED = (Status.FAILED, Status.REJECTED, Status.MISSING)

of_contact = st.tuples(st.sampled_from(CAMPAIGNS), st.sampled_from(CONTACTS))
rows = st.tuples(
    of_contact,
    st.sampled_from(OUTCOMES),
    st.integers(0, 3),  # how many days old it is
    st.sampled_from((0, 0, 1, 5, 20)),  # for how many days the clock of an opt-out had run then
)
answers = st.tuples(st.sampled_from(VERDICTS), st.sampled_from(TOOK), st.sampled_from(TOOK))
admit = st.tuples(st.just("admit"), st.sampled_from(RUNS), st.lists(rows, min_size=1, max_size=3))
work = st.tuples(
    st.just("work"), st.sampled_from(CAMPAIGNS), st.lists(answers, min_size=2, max_size=4)
)
deliver = st.tuples(st.just("deliver"), st.sampled_from(ENDPOINTS), st.sampled_from(EventState))
others = st.one_of(
    st.tuples(st.just("die"), st.sampled_from(CAMPAIGNS), st.just(())),
    st.tuples(st.just("retry"), st.sampled_from(RUNS), st.just(())),
    st.tuples(st.just("replay"), st.integers(1, 4), st.just(())),
    st.tuples(st.just("acknowledge"), st.booleans(), st.just(())),
    st.tuples(st.just("erase"), st.sampled_from(CONTACTS), st.just(())),
    st.tuples(st.just("expire"), st.integers(0, 3), st.just(())),
)
steps = st.tuples(
    st.sampled_from((0, 0, 0, 1, 3)), st.one_of(admit, work, work, work, deliver, others)
)
histories = st.lists(steps, min_size=30, max_size=50)
"""Steps, each so many days after the one before."""


@dataclass
class Player:
    """A history as it is played.

    Attributes:
        happened: how often each kind of step changed something.
    """

    rig: Rig
    at_ms: int = NOW
    line: int = 1
    happened: Counter[str] = field(default_factory=Counter)

    @property
    def journal(self) -> Journal:
        return self.rig.journal

    async def play(self, history: Sequence[tuple[int, tuple[str, Any, Any]]]) -> None:
        for run in RUNS:
            await self.rig.source(run)
        for days, (kind, what, more) in history:
            self.at_ms += days * DAY_MS
            step: Callable[[Any, Any], Awaitable[object]] = getattr(self, f"_{kind}")
            self.happened[kind] += bool(await step(what, more))

    async def _admit(self, run: str, given: Sequence[Any]) -> int:
        await self.rig.admit(*map(self._candidate, given), run=run, at_ms=self.at_ms)
        return len(given)

    def _candidate(self, given: Any) -> Candidate:
        (campaign, contact), outcome, age, waited = given
        self.line += 1
        if outcome == "CALL_BACK" and age == 0:
            return broken(self.line, campaign=campaign, contact=contact)
        stamp = instant.from_ms(self.at_ms) - age * DAY
        row = candidate(
            contact, line=self.line, campaign=campaign, outcome=outcome, timestamp=stamp
        )
        received = stamp - waited * DAY if outcome == "DO_NOT_CALL" else None
        return replace(row, opt_out_received=received)

    async def _work(self, campaign: str, answered: Sequence[Any]) -> int:
        if campaign not in await self.journal.claims.due():
            return 0
        turn = await self.rig.turn(campaign, len(answered), self.at_ms)
        for claim, (verdict, read_ms, write_ms) in zip(turn.claims, answered, strict=False):
            await self._settle(claim, verdict, (read_ms, write_ms))
        return len(turn.claims)

    async def _settle(
        self, claim: Claim, verdict: Verdict, took: tuple[float | None, float | None]
    ) -> None:
        read_ms, write_ms = took
        held = Observed("READY", idle=True, outcome="SALE", timestamp_ms=self.at_ms)
        exchange = Exchange(held, read_ms, write_ms, wait_ms=float(claim.row))
        settlement = conclude(claim, verdict, exchange, POLICY, Moment(self.at_ms, 0.5))
        announced = announcements_of(claim, settlement, ENDPOINTS)
        await self.journal.claims.settle(settlement, announced, self._follow_ups(claim, settlement))

    def _follow_ups(self, claim: Claim, settlement: Settlement) -> list[NewFollowUp]:
        """Return a DNC record, which is made or not, for every opt-out that was applied."""
        applied = settlement.status is Status.APPLIED
        if not applied or claim.category is not Category.OPT_OUT:
            return []
        state = RECORDS[claim.row % len(RECORDS)]
        due_ms = self.at_ms if state is FollowUpState.WAITING else None
        action = Action(FollowUpKind.DNC_GROUP, "301")
        return [NewFollowUp(action=action, told={}, state=state, due_ms=due_ms)]

    async def _die(self, campaign: str, _: object) -> int:
        if campaign in await self.journal.claims.due():
            await self.rig.turn(campaign, 2, self.at_ms)
        return await self.journal.claims.recover(self.at_ms)

    async def _retry(self, run: str, _: object) -> int:
        return await self.journal.claims.reopen(run, RETRIED, self.at_ms)

    async def _deliver(self, endpoint: str, state: EventState) -> int:
        due = await self.rig.due(self.at_ms, endpoint, 2)
        later = self.at_ms + DAY_MS if state is EventState.WAITING else None
        for one in due:
            result = DeliveryResult(
                number=one.number, state=state, due_ms=later, words="", at_ms=self.at_ms
            )
            await self.journal.outbox.record(result)
        return len(due)

    async def _replay(self, number: int, _: object) -> int:
        return await self.journal.outbox.replay([number], self.at_ms)

    async def _acknowledge(self, withdrawn: bool, _: object) -> int:  # noqa: FBT001 - drawn
        found = [one.row for one in self.journal.archive.opt_outs(OptOutFilter())]
        said = Acknowledgement("Kim", "seen", self.at_ms)
        await self.journal.opt_outs.acknowledge(found[:1], said, withdrawn=withdrawn)
        return len(found[:1])

    async def _erase(self, contact: str, _: object) -> int:
        with suppress(JournalError):  # Something of the person is open.
            deed = Deed(Act.ERASED, Scope(contact), "asked for it", "carol")
            return (await self.journal.keeping.erase(deed, self.at_ms)).rows
        return 0

    async def _expire(self, days: int, _: object) -> int:
        log, keeping = self.journal.audit, self.journal.keeping
        size = sum(1 for _ in log.entries())
        seal = Seal(log.sealed(), max(size, log.sealed()), self.at_ms, "a note\n", {(0, 0): b""})
        await log.seal(seal)
        deed = Deed(Act.EXPIRED, by="carol", details={"retain_days": days})
        return await keeping.expire(deed, self.at_ms - days * DAY_MS, self.at_ms)
