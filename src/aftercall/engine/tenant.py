"""Talking to the tenant about one row: with a token, in its lane, timed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from aftercall.domain.answer import Found, ReadAnswer, WriteAnswer
from aftercall.domain.disposition import Disposition
from aftercall.domain.pacing import SECOND_US
from aftercall.engine.halt import Stopped
from aftercall.engine.lane import Lane
from aftercall.engine.reader import Reader
from aftercall.engine.session import TRUST, Session
from aftercall.ports import Clock, Transport
from aftercall.wire.auth import Token
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.language.refusals import Operation
from aftercall.wire.refusals import is_unauthorized
from aftercall.wire.requests import Basis, write_request
from aftercall.wire.responses import read_written, written_failure

FRESH_SECONDS = 2.0
"""A read older than this is made again before anything is written over it (G2)."""


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


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one request took: our wait for the pace and the tenant's time, in ms."""

    wait_ms: float
    answer_ms: float
    sent_seconds: float
    answered_seconds: float
    status: int | None


def _nobody_waits() -> None:
    """Tell nobody that a request leaves."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One request that is to be sent.

    Attributes:
        build: makes it of a token.
        operation: what it is for.
        read_at: when the contact was read that it writes over; None if it writes over none.
        refused: how many tokens were refused for it so far.
        claim: called once it may leave, and before it does: what it does is on disk then.
        leaves: called once it may leave.
    """

    build: Callable[[Token], HttpRequest]
    operation: Operation
    read_at: float | None = None
    refused: int = 0
    claim: Callable[[], Awaitable[None]] | None = None
    leaves: Callable[[], None] = _nobody_waits


class Tenant:
    """Reads and writes contacts."""

    def __init__(self, session: Session, transport: Transport, clock: Clock) -> None:
        self._session = session
        self._transport = transport
        self._clock = clock
        self._reader = Reader(session, clock)

    async def read(
        self, row: Disposition, lane: Lane, request_id: str, begun: Callable[[], None]
    ) -> tuple[ReadAnswer, Timing]:
        """Read the row's contact, and what else must be known of it to write it.

        Args:
            row: the row.
            lane: the way out for its campaign's requests.
            request_id: what the tenant's own log will show.
            begun: called once a request of it leaves, so that another row may wait in its place.

        Raises:
            Stopped: nothing may leave now.
            CredentialsRefused: fresh tokens were refused, too.
            TenantUnreachable: there is no token to be had.
        """
        timings: list[Timing] = []

        async def send(
            build: Callable[[Token], HttpRequest], operation: Operation = "lookup"
        ) -> HttpResponse | SendFailure:
            got, timing = await self.send(lane, Errand(build, operation, leaves=begun))
            timings.append(timing)
            return got

        got, place = await self._reader.read(row, request_id, send)
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

        got, timing = await self.send(lane, Errand(build, "write", seen.read_at, seen.refused))
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
            if errand.refused >= TRUST.attempts_max:
                return got, timing
            await self._session.renew(token)
            errand = replace(errand, claim=None, refused=errand.refused + 1)

    async def _send_once(
        self, lane: Lane, errand: Errand
    ) -> tuple[HttpResponse | SendFailure, Timing, Token]:
        asked, read_at = self._clock.seconds(), errand.read_at
        departure = await lane.grant(write=read_at is not None)
        if departure is None:
            raise Stopped
        errand.leaves()
        got: HttpResponse | SendFailure | None = None
        try:
            if errand.claim is not None:
                await errand.claim()
                lane.leaves(departure)
            sent = self._clock.seconds()
            if read_at is not None and sent - read_at > _fresh_seconds(lane):
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


def _fresh_seconds(lane: Lane) -> float:
    """Return how old a read may be: at a slow pace the next slot alone is seconds away."""
    return max(FRESH_SECONDS, 2 * lane.book.pace.spacing_us / SECOND_US)
