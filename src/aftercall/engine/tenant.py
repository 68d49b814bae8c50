"""Talking to the tenant about one row: with a token, in its lane, timed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from aftercall.domain.answer import Found, ReadAnswer, WriteAnswer
from aftercall.domain.disposition import Disposition
from aftercall.domain.freshness import FRESH_SECONDS, fresh_seconds
from aftercall.domain.settlement import Claim
from aftercall.engine.errand import Errand, Timing
from aftercall.engine.halt import Stopped
from aftercall.engine.lane import Departure, Lane
from aftercall.engine.lists import Lists, Shown
from aftercall.engine.progress import ListTally
from aftercall.engine.reader import Reader
from aftercall.engine.session import Session
from aftercall.ports import Clock, Transport
from aftercall.wire.auth import Token
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.language.refusals import Operation
from aftercall.wire.refusals import is_unauthorized
from aftercall.wire.requests import Basis, write_request
from aftercall.wire.responses import read_written, written_failure


class TooOld(Exception):
    """What was read is too old to write over; nothing was sent.

    Args:
        refused: how many tokens were refused before (`Sighting.refused`).
    """

    def __init__(self, refused: int) -> None:
        super().__init__()
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Sighting:
    """A contact as it was read to be written.

    Attributes:
        found: what was read.
        read_at: when, in seconds.
        refused: how many tokens were refused for the write already.
    """

    found: Found
    read_at: float
    refused: int = 0


class Tenant:
    """Reads and writes contacts."""

    def __init__(
        self, session: Session, transport: Transport, clock: Clock, tally: ListTally
    ) -> None:
        self._session = session
        self._transport = transport
        self._clock = clock
        self._reader = Reader(session, clock, tally)
        self._lists = Lists(session, clock, self.send, tally)

    async def read(
        self, claim: Claim, lane: Lane, request_id: str, begun: Callable[[], None]
    ) -> tuple[ReadAnswer, Timing]:
        """Read the row's contact, and what else must be known of it to write it.

        Args:
            claim: the row.
            lane: the way out for its campaign's requests.
            request_id: what the tenant's own log will show.
            begun: called once a request of it leaves, so that another row may wait in its place.

        Raises:
            Stopped: nothing may leave now.
            CredentialsRefused: fresh tokens were refused, too.
            TenantUnreachable: there is no token to be had.
        """
        # Whether a write has landed is asked of the contact itself: a list may lag behind it.
        talk = _Talk(self, None if claim.doubt else self._lists, lane, begun)
        got, place = await self._reader.read(claim.disposition, request_id, talk)
        timings = talk.timings
        if len(timings) == 1:
            return got, timings[0]
        wait_ms = round(sum(timing.wait_ms for timing in timings), 3)
        answer_ms = round(sum(timing.answer_ms for timing in timings), 3)
        # How old what was read is, counts from when the contact's state was told.
        return got, replace(timings[place], wait_ms=wait_ms, answer_ms=answer_ms)

    async def write(
        self, row: Disposition, lane: Lane, request_id: str, seen: Sighting
    ) -> tuple[WriteAnswer, Timing]:
        """Write the row onto its contact as it was seen.

        Raises:
            TooOld: the lane let the write wait so long that the contact must be read again.
            Stopped: nothing may leave now.
            CredentialsRefused: fresh tokens were refused, too.
            TenantUnreachable: there is no token to be had.
        """
        contact = seen.found.contact
        basis = Basis(contact.etag, contact.told, seen.found.outcome_id)

        def build(token: Token) -> HttpRequest:
            return write_request(self._session.target, row, token.secret, request_id, basis)

        # What nothing is made to depend on is as old as any other read.
        reads = self._session.target.profile.reads
        good_for = FRESH_SECONDS if contact.etag is None else reads.good_for_seconds
        errand = Errand(build, "write", seen.read_at, good_for, seen.refused)
        try:
            got, timing = await self.send(lane, errand)
        except TooOld:
            self._lists.went_stale(lane)
            raise
        if isinstance(got, SendFailure):
            return written_failure(got), timing
        mask, now_ms = self._session.mask(row), self._clock.now_us() // 1000
        return read_written(self._session.target.profile, got, now_ms, mask), timing

    async def send(self, lane: Lane, errand: Errand) -> tuple[HttpResponse | SendFailure, Timing]:
        """Send a request in a lane; again with a new token if that is not good.

        A request that is refused with token after token, while they are good for others, is
        answered so at last: it is not about the token then.

        Raises:
            TooOld: the lane let it wait so long that the contact must be read again.
            Stopped: nothing may leave now.
            CredentialsRefused: fresh tokens were refused, too.
            TenantUnreachable: there is no token to be had.
        """
        await self._session.token()
        while True:
            got, timing, token = await self._send_once(lane, errand)
            profile, operation = self._session.target.profile, errand.operation
            if isinstance(got, SendFailure) or not is_unauthorized(profile, got, operation):
                if isinstance(got, HttpResponse):
                    self._session.accepted(token)
                return got, timing
            if errand.refused >= errand.refused_max:
                return got, timing
            await self._session.renew(token)
            errand = replace(errand, claim=None, refused=errand.refused + 1)

    async def _granted(self, lane: Lane, errand: Errand) -> Departure | None:
        """Wait until an errand may leave; None if it may not soon.

        Raises:
            TooOld: what it writes over has become too old meanwhile; no slot was used up by it.
        """
        read_at = errand.read_at
        if read_at is None or self._session.target.profile.read.bulk is None:
            return await lane.grant(write=read_at is not None)
        # Of a list several can be too old at once: a slot for each would be lost.
        left = read_at + _fresh_seconds(lane, errand) - self._clock.seconds()
        try:
            async with asyncio.timeout(max(0.0, left)):
                return await lane.grant(write=True)
        except TimeoutError:
            raise TooOld(errand.refused) from None

    async def _send_once(
        self, lane: Lane, errand: Errand
    ) -> tuple[HttpResponse | SendFailure, Timing, Token]:
        asked, read_at = self._clock.seconds(), errand.read_at
        departure = await self._granted(lane, errand)
        if departure is None:
            raise Stopped
        errand.leaves()
        got: HttpResponse | SendFailure | None = None
        try:
            if errand.claim is not None:
                await errand.claim()
                lane.leaves(departure)
            sent = self._clock.seconds()
            if read_at is not None and sent - read_at > _fresh_seconds(lane, errand):
                raise TooOld(errand.refused)
            # The token of now, not of when the request began to wait for its slot.
            token = self._session.latest or await self._session.token()
            try:
                got = await self._transport.send(errand.build(token))
            except SendFailure as failure:
                got = failure
            done = self._clock.seconds()
        finally:
            # A refusal to serve comes sooner than an answer, and a failure later.
            usual = isinstance(got, HttpResponse) and got.status < 429
            lane.release(departure, sent=got is not None, usual=usual)
        status = got.status if isinstance(got, HttpResponse) else None
        timing = Timing(
            wait_ms=round((sent - asked) * 1000, 3),
            answer_ms=round((done - sent) * 1000, 3),
            sent_seconds=sent,
            answered_seconds=done,
            status=status,
        )
        return got, timing, token


def _fresh_seconds(lane: Lane, errand: Errand) -> float:
    """Return how old the read may be that an errand writes over."""
    return fresh_seconds(lane.book.pace.spacing_us, errand.good_for_seconds)


@dataclass(slots=True)
class _Talk:
    """One row's requests to read its contact, one after another, and how long each took."""

    tenant: Tenant
    lists: Lists | None
    lane: Lane
    begun: Callable[[], None]
    timings: list[Timing] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many requests were answered so far."""
        return len(self.timings)

    async def send(
        self, build: Callable[[Token], HttpRequest], operation: Operation = "lookup"
    ) -> HttpResponse | SendFailure:
        """Send a request for this row alone."""
        errand = Errand(build, operation, leaves=self.begun)
        got, timing = await self.tenant.send(self.lane, errand)
        self.timings.append(timing)
        return got

    async def together(self, row: Disposition, request_id: str) -> Shown | None:
        """Have the contact read together with others that wait."""
        if self.lists is None:
            return None
        shown = await self.lists.read(row, request_id, self.lane, self.begun)
        if shown is not None:
            self.timings.append(shown.timing)
        return shown
