"""Carrying out follow-ups: beside the rows, in the same lanes, within the same pace."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby

from aftercall.domain.answer import Busy, Refused, Throttled, WriteAnswer
from aftercall.domain.audit import Exchange
from aftercall.domain.disposition import Disposition
from aftercall.domain.follow_ups import (
    GATHER_MS,
    OVERTAKEN,
    Action,
    EntryKind,
    FollowUp,
    FollowUpKind,
    FollowUpRules,
    FollowUpState,
    NewFollowUp,
    Terms,
    Told,
    concluded,
    follow_up_entry,
)
from aftercall.domain.retry import RetryPolicy
from aftercall.domain.settlement import Claim, Settlement
from aftercall.engine.errand import Errand, Timing
from aftercall.engine.halt import Stopped
from aftercall.engine.lane import Lane
from aftercall.engine.session import Session
from aftercall.engine.tenant import Tenant
from aftercall.engine.writer import Surroundings
from aftercall.errors import Paused
from aftercall.ports.follow_ups import FollowUpDesk
from aftercall.wire.auth import Token
from aftercall.wire.follow_ups import (
    Hearing,
    Sender,
    failed_follow_ups,
    flaw_of,
    follow_up_request,
    read_follow_ups,
    rules_for,
    url_of,
)
from aftercall.wire.http import HttpRequest, SendFailure
from aftercall.wire.language.follow_up import FollowUpWrite
from aftercall.wire.profile import Profile, follow_ups_of

LOOK_SECONDS = 1.0
"""How often is looked for follow-ups that are due."""

REQUESTS_MAX = 50
"""Requests that wait for a slot or an answer at once."""

LATER_MS = 1000
"""When a follow-up is looked at again for which no slot was to be had."""

ONE_IS_WRONG = frozenset({400, 413, 422})
"""Refusals of a whole list that may be about one of its items: then each half is sent alone."""

IMPOSSIBLE = FollowUpState.IMPOSSIBLE
WITHDRAWN = Told(FollowUpState.WITHDRAWN, "newer_in_journal", OVERTAKEN)

FIXES = {
    "missing_value": "Give rows that column (as custom.NAME for a custom field); for this contact"
    " do it by hand.",
    "wrong_type": "Correct it in the input, or under [follow_ups]; for this contact do it by hand.",
    "too_long": "Shorten it in the input; for this contact do it by hand.",
}
"""What to do about a row that cannot be followed up."""


def made_of(
    rules: FollowUpRules, profile: Profile, claim: Claim, settlement: Settlement
) -> tuple[NewFollowUp, ...]:
    """Return the follow-ups of a row that is settled now; impossible ones say why."""
    told = _told_in(settlement)
    made = []
    for action in rules.after(claim, settlement):
        found = _lack(profile, action, claim.disposition, told)
        if found is not None:
            made.append(_impossible(claim, settlement, action, found))
            continue
        declared = rules_for(profile, action.kind)
        shared = declared is not None and declared.items_max > 1
        due_ms = settlement.now_ms + (GATHER_MS if shared else 0)
        made.append(NewFollowUp(action=action, told=told, due_ms=due_ms))
    return tuple(made)


def _told_in(settlement: Settlement) -> Mapping[str, str]:
    before = settlement.exchange.before
    return {} if before is None else dict(before.told)


def _impossible(claim: Claim, settlement: Settlement, action: Action, found: Told) -> NewFollowUp:
    made = (EntryKind.SETTLED, settlement.now_ms)
    return NewFollowUp(
        action=action,
        told=_told_in(settlement),
        state=found.state,
        reason=found.reason,
        words=found.words,
        entry=follow_up_entry(claim.subject, settlement.status, action, found, made),
    )


def _lack(
    profile: Profile, action: Action, row: Disposition, told: Mapping[str, str]
) -> Told | None:
    """Return why a row cannot be followed up by an action; None if it can."""
    flaw = flaw_of(profile, action, row, told)
    return None if flaw is None else Told(IMPOSSIBLE, flaw.code, _advised(flaw.code, flaw.words))


def _advised(code: str, words: str) -> str:
    return f"{words} {FIXES[code]}" if code in FIXES else words


@dataclass(slots=True)
class _Batch:
    """Follow-ups that go in one request."""

    several: Sequence[FollowUp]
    rules: FollowUpWrite
    claimed: bool = False

    @property
    def kind(self) -> FollowUpKind:
        return self.several[0].action.kind

    @property
    def campaign(self) -> str:
        return self.several[0].row.campaign

    def halves(self) -> "tuple[_Batch, _Batch]":
        middle = len(self.several) // 2
        first, second = self.several[:middle], self.several[middle:]
        return replace(self, several=first), replace(self, several=second)


@dataclass(slots=True)
class FollowUps:
    """Carries out what is due, until nothing is due soon and no row can bring more.

    Attributes:
        desk: where they are kept.
        session: the tenant's token and language.
        tenant: sends requests.
        lane_of: gives the lane of a campaign, taken over by this process.
        retry: how failures are tried again.
        around: what all work needs.
        patience_seconds: those due later than this are left for `aftercall resume`.
    """

    desk: FollowUpDesk
    session: Session
    tenant: Tenant
    lane_of: Callable[[str], Awaitable[Lane]]
    retry: RetryPolicy
    around: Surroundings
    patience_seconds: float
    _under_way: set[int] = field(default_factory=set)
    _requests: int = 0
    _rows_done: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def finish(self) -> None:
        """Say that no row will bring a follow-up any more."""
        self._rows_done = True
        self._changed.set()

    async def run(self) -> None:
        """Work until all is done, or the run is stopped; what is begun is finished.

        Raises:
            JournalError: the journal could not be read or written.
        """
        if not follow_ups_of(self.session.target.profile):
            return
        self.around.halt.listen(self._changed.set)
        async with asyncio.TaskGroup() as group:
            while not self.around.halt.thrown:
                # Read before looking: what came in before `finish` has to be seen after it.
                ending = self._rows_done
                self._changed.clear()
                await self._start(group, ending=ending)
                if ending and not self._requests and not await self._due_soon():
                    return
                # Not `wait_for`: before Python 3.12 it can lose a cancellation.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._changed.wait()

    async def _due_soon(self) -> bool:
        due_ms = await self.desk.next_due()
        return due_ms is not None and due_ms - self._now_ms() <= self.patience_seconds * 1000

    def _now_ms(self) -> int:
        return self.around.moment().now_ms

    async def _start(self, group: asyncio.TaskGroup, *, ending: bool) -> None:
        """Start requests for what is due, as many as may wait at once."""
        for kind, rules in follow_ups_of(self.session.target.profile).items():
            room = REQUESTS_MAX - self._requests
            if room <= 0:
                return
            now_ms = self._now_ms()
            fresh_ms = now_ms + (GATHER_MS if rules.items_max > 1 else 0)
            # At the end nothing more comes that fresh ones could wait for.
            at_ms = fresh_ms if ending else now_ms
            most = len(self._under_way) + max(room, rules.items_max)
            due = await self.desk.due(FollowUpKind(kind), most, at_ms, fresh_ms)
            waiting = await self._possible(
                [one for one in due if one.number not in self._under_way]
            )
            for several in self._shared(rules, waiting)[:room]:
                self._under_way.update(one.number for one in several)
                self._requests += 1
                task = self._work(_Batch(several, rules))
                group.create_task(task, name=f"follow-up {kind}")

    async def _possible(self, due: Sequence[FollowUp]) -> Sequence[FollowUp]:
        """Return what can be sent; what cannot (any more) is given up."""
        profile = self.session.target.profile
        lacks = {
            one.number: WITHDRAWN
            if one.overtaken
            else _lack(profile, one.action, one.row, one.told)
            for one in due
        }
        given_up = [(one, found) for one in due if (found := lacks[one.number]) is not None]
        if given_up:
            await self.desk.give_up(given_up, self._now_ms())
        return [one for one in due if lacks[one.number] is None]

    def _shared(self, rules: FollowUpWrite, due: Sequence[FollowUp]) -> list[Sequence[FollowUp]]:
        """Put together what may go in one request: the same campaign and address."""

        def place(one: FollowUp) -> tuple[str, str]:
            return one.row.campaign, url_of(self.session.target, rules, one)

        together: list[Sequence[FollowUp]] = []
        for _, found in groupby(sorted(due, key=place), place):
            several = list(found)
            size = rules.items_max
            together += [several[at : at + size] for at in range(0, len(several), size)]
        # What is due longest goes first.
        return sorted(together, key=lambda several: min(one.number for one in several))

    async def _work(self, batch: _Batch) -> None:
        try:
            lane = await self.lane_of(batch.campaign)
            await self._carry_out(batch, lane)
        finally:
            self._under_way.difference_update(one.number for one in batch.several)
            self._requests -= 1
            self._changed.set()

    async def _carry_out(self, batch: _Batch, lane: Lane) -> None:
        """Send a request, or those that it falls into, and store what came of it."""
        try:
            request_id = self.around.request_id()
            answers, timing = await self._sent(batch, lane, request_id)
        except (Stopped, Paused) as reason:
            if isinstance(reason, Paused):
                self.around.halt.throw(reason)
            await self._not_now(batch, lane)
            return
        wrong = isinstance(answers[0], Refused) and timing.status in ONE_IS_WRONG
        if wrong and len(batch.several) > 1:
            for half in batch.halves():
                await self._carry_out(half, lane)
            return
        exchange = Exchange(
            write_ms=timing.answer_ms,
            wait_ms=timing.wait_ms,
            http_status=timing.status,
            request_id=request_id,
        )
        await self._store(batch, answers, exchange)

    async def _sent(
        self, batch: _Batch, lane: Lane, request_id: str
    ) -> tuple[list[WriteAnswer], Timing]:
        session, rules, several = self.session, batch.rules, batch.several

        def build(token: Token) -> HttpRequest:
            sender = Sender(token.secret, request_id)
            return follow_up_request(session.target, rules, several, sender)

        async def claim() -> None:
            now_ms, again = self._now_ms(), rules.repeatable
            if not await self.desk.take(several, now_ms, repeatable=again):
                raise Stopped
            batch.claimed = True

        errand = Errand(build, batch.kind.value, claim=None if batch.claimed else claim)
        got, timing = await self.tenant.send(lane, errand)
        if isinstance(got, SendFailure):
            return failed_follow_ups(several, got), timing
        secrets = session.mask().secrets
        hearing = Hearing(session.target.profile, batch.kind, secrets, self._now_ms())
        answers = read_follow_ups(hearing, rules, several, got)
        if isinstance(throttled := answers[0], Throttled):
            seconds = throttled.retry_after_seconds
            wait = await lane.throttled(seconds, timing.sent_seconds)
            return [Throttled(wait)] * len(several), timing
        lane.answered()
        return answers, timing

    async def _not_now(self, batch: _Batch, lane: Lane) -> None:
        """Let follow-ups wait for which no request could leave."""
        if batch.claimed:
            nothing = Busy("not_now", "No request could leave.", 0.0)
            await self._store(batch, [nothing] * len(batch.several), Exchange())
        elif not self.around.halt.thrown:
            await self.desk.delay(
                batch.several, max(self._now_ms() + LATER_MS, lane.opens_us // 1000)
            )

    async def _store(
        self, batch: _Batch, answers: Sequence[WriteAnswer], exchange: Exchange
    ) -> None:
        terms = Terms(batch.rules.repeatable, self.retry)
        await self.desk.store(
            [
                concluded(one, got, exchange, terms, self.around.moment())
                for one, got in zip(batch.several, answers, strict=True)
            ]
        )
