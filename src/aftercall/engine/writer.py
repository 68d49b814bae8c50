"""The heart: one claimed row, from the read to the settlement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aftercall.domain.answer import Forbidden, Found, Observed, Throttled, Unauthorized
from aftercall.domain.audit import Exchange
from aftercall.domain.follow_ups import NewFollowUp
from aftercall.domain.settlement import (
    NOT_LET_IN,
    Claim,
    Moment,
    Settlement,
    Verdict,
    WritePolicy,
    conclude,
    decide,
    verdict_of_read,
    verdict_of_write,
)
from aftercall.domain.status import Event
from aftercall.domain.webhook import Subscription, event_body, event_id
from aftercall.engine.errand import Timing
from aftercall.engine.halt import Halt, Stopped
from aftercall.engine.health import Health
from aftercall.engine.lane import Lane
from aftercall.engine.tenant import Sighting, Tenant, TooOld
from aftercall.errors import Paused
from aftercall.ports import Announcement, Claims, Clock

NOT_NOW = Verdict(Event.POSTPONE, "not_now", "No request could leave.", 0.0, counts=False)
READ_AGAIN_SECONDS = 1.0
DENIED = Forbidden | Unauthorized


class Writer:
    """Works on claimed rows."""

    def __init__(
        self,
        tenant: Tenant,
        claims: Claims,
        policy: WritePolicy,
        subscriptions: Sequence[Subscription],
        surroundings: "Surroundings",
    ) -> None:
        self._tenant = tenant
        self._claims = claims
        self._policy = policy
        self._subscriptions = subscriptions
        self._around = surroundings

    async def work(self, claim: Claim, lane: Lane, begun: Callable[[], None]) -> Settlement | None:
        """Bring one claimed row as far as it goes now, and store that.

        Args:
            claim: the row.
            lane: the way out for its campaign's requests.
            begun: called once the row holds nobody up any more who waits to read.

        Returns:
            What was stored; None if the row had been claimed anew by somebody else.
        """
        visit = _Visit(claim, self._around.request_id())
        try:
            verdict = await self._visit(visit, lane, begun)
        except Stopped:
            verdict = NOT_NOW
        except Paused as reason:
            self._around.halt.throw(reason)
            verdict = NOT_NOW
        finally:
            begun()
        settlement = conclude(claim, verdict, visit.exchange(), self._policy, self._around.moment())
        announced = self._announcements(claim, settlement)
        followed = self._around.followed_by(claim, settlement)
        won = await self._claims.settle(settlement, announced, followed)
        return settlement if won else None

    async def _visit(self, visit: "_Visit", lane: Lane, begun: Callable[[], None]) -> Verdict:
        """Read the contact, decide, write it."""
        refused = 0
        while True:
            got, timing = await self._tenant.read(visit.claim, lane, visit.request_id, begun)
            visit.note_read(timing)
            self._around.health.note("read", got)
            if isinstance(got, Throttled):
                return await self._throttled(got, lane, timing)
            lane.answered()
            if isinstance(got, DENIED) and self._around.health.suspects_scope("read"):
                return _suspended(got)
            if not isinstance(got, Found):
                return verdict_of_read(got) or NOT_NOW
            visit.before = got.contact
            verdict = decide(visit.claim, got.contact, self._policy)
            if verdict is not None:
                return verdict
            try:
                seen = Sighting(got, timing.answered_seconds, refused)
                return await self._write(visit, seen, lane)
            except TooOld as late:
                refused = late.refused

    async def _write(self, visit: "_Visit", seen: Sighting, lane: Lane) -> Verdict:
        got, timing = await self._tenant.write(
            visit.claim.disposition, lane, visit.request_id, seen
        )
        visit.note_write(timing, seen.read_at)
        self._around.health.note("write", got)
        if isinstance(got, Throttled):
            return await self._throttled(got, lane, timing)
        lane.answered()
        if isinstance(got, DENIED) and self._around.health.suspects_scope("write"):
            return _suspended(got)
        return verdict_of_write(got) or NOT_NOW

    async def _throttled(self, got: Throttled, lane: Lane, timing: Timing) -> Verdict:
        wait = await lane.throttled(got.retry_after_seconds, timing.sent_seconds)
        return verdict_of_read(Throttled(wait)) or NOT_NOW

    def _announcements(self, claim: Claim, settlement: Settlement) -> tuple[Announcement, ...]:
        """Return the events of a settlement: one for each endpoint that wants to hear of it."""
        entry, row = settlement.entry, claim.disposition
        if not settlement.announce or entry is None:
            return ()
        return tuple(
            Announcement(
                one.endpoint,
                event_id(claim.origin.run, claim.row, one.endpoint),
                event_body(entry, row, one.include),
            )
            for one in self._subscriptions
            if one.wants(claim.category, row.campaign)
        )


def _suspended(got: Forbidden | Unauthorized) -> Verdict:
    words = got.words if isinstance(got, Forbidden) else NOT_LET_IN
    return Verdict(Event.POSTPONE, "forbidden", words, READ_AGAIN_SECONDS, counts=False)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every row's work needs besides its row.

    Attributes:
        halt: stops the run.
        health: judges the tenant by all rows' answers.
        clock: tells the time.
        chance: a random number, uniform in [0, 1).
        request_id: a new id that the tenant's own log will show.
        followed_by: the follow-ups of a row that is settled.
    """

    halt: Halt
    health: Health
    clock: Clock
    chance: Callable[[], float]
    request_id: Callable[[], str]
    followed_by: Callable[[Claim, Settlement], Sequence[NewFollowUp]] = lambda *_: ()

    def moment(self) -> Moment:
        """Return the time and a random number."""
        return Moment(self.clock.now_us() // 1000, self.chance())


@dataclass(slots=True)
class _Visit:
    """One row's visit to the tenant, and what passed: times in ms, as in `Exchange`.

    `told_as` is the id of the request that was answered last: that of a list is another row's.
    """

    claim: Claim
    request_id: str
    told_as: str | None = None
    before: Observed | None = None
    read_ms: float | None = None
    write_ms: float | None = None
    wait_ms: float = 0.0
    window_ms: float | None = None
    http_status: int | None = None

    def note_read(self, timing: Timing) -> None:
        self.read_ms = (self.read_ms or 0.0) + timing.answer_ms
        self.wait_ms += timing.wait_ms
        self.http_status = timing.status
        self.told_as = timing.asked_as or self.request_id

    def note_write(self, timing: Timing, read_at: float) -> None:
        self.write_ms = timing.answer_ms
        self.wait_ms += timing.wait_ms
        self.window_ms = round((timing.sent_seconds - read_at) * 1000, 3)
        self.http_status = timing.status
        self.told_as = self.request_id

    def exchange(self) -> Exchange:
        """Return what passed; nothing is known of a visit whose first read was not sent."""
        return Exchange(
            before=self.before,
            read_ms=None if self.read_ms is None else round(self.read_ms, 3),
            write_ms=self.write_ms,
            wait_ms=round(self.wait_ms, 3),
            window_ms=self.window_ms,
            http_status=self.http_status,
            request_id=self.told_as,
        )
