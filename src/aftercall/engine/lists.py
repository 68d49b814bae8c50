"""Where rows wait for a read whose contacts can be read together: those that wait are one list.

No row waits for company: when the lane has a slot for a read, whoever waits then is read with it,
up to as many as can be written while what was read of them is fresh. One alone is read as ever.
What a list does not tell beyond doubt is not known: that contact is read by itself.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from aftercall.domain.answer import Throttled
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.freshness import FRESH_SECONDS, Reads, fresh_seconds
from aftercall.engine.errand import Errand, Timing
from aftercall.engine.lane import Lane
from aftercall.engine.progress import ListTally
from aftercall.engine.session import Session
from aftercall.ports import Clock
from aftercall.wire.auth import Token
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.language.bulk import Bulk
from aftercall.wire.lists import (
    can_be_listed,
    holds_list,
    items_in,
    list_request,
    throttled_by,
)
from aftercall.wire.refusals import Asked, trouble_of
from aftercall.wire.requests import read_request

REST_SECONDS = 60.0
"""After a list that told nothing, contacts are read by themselves for so long."""

LATE = "the answer took longer than what it tells is good for"
LIST_TOKENS = 1
"""A list gets one new token. Refused with that, too, it is about lists: contacts read by themselves
show whether the token is good, and nobody gives up on the credentials for it."""

OVERDUE_SECONDS = FRESH_SECONDS
"""A read that is under way for so long keeps nobody waiting any more."""

Send = Callable[[Lane, Errand], Awaitable[tuple[HttpResponse | SendFailure, Timing]]]

log = logging.getLogger("aftercall")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a wait for a read has brought.

    Attributes:
        timing: of the request.
        item: what a list told of the contact; None if it told nothing for certain.
        alone: the answer to a request for this contact alone.
        throttled: the list was refused for the pace, on behalf of this row.
        answered: there was a list that told of somebody, if not of this contact.
    """

    timing: Timing
    item: Json = None
    alone: HttpResponse | SendFailure | None = None
    throttled: Throttled | None = None
    answered: bool = False


@dataclass(slots=True, eq=False)
class _Guest:
    """A row that waits: None says that it is the one to ask now."""

    row: Disposition
    request_id: str
    since: float
    called: asyncio.Future[Shown | None]
    begun: Callable[[], None]


@dataclass(slots=True, eq=False)
class _Room:
    """Where the rows of one lane wait.

    Attributes:
        lane: the lane.
        waiting: who waits, in order.
        caller: who of them was called to ask and waits for a slot.
        away: contacts whose read is under way, unless it is overdue.
        bound: no more than so many are taken into hand, as far as experience goes.
        stale: something was too old to write over since the last list left.
        rests_until: no lists before then.
    """

    lane: Lane
    waiting: deque[_Guest] = field(default_factory=deque)
    caller: _Guest | None = None
    away: int = 0
    bound: int = sys.maxsize
    stale: bool = False
    rests_until: float = 0.0

    @property
    def in_hand(self) -> int:
        """How many contacts are being read, or were read and wait to be written."""
        return self.away + self.lane.writes_waiting


@dataclass(slots=True, eq=False)
class _Asked:
    """One read under way, and whose contacts are read with it."""

    room: _Room
    guests: list[_Guest] = field(default_factory=list)
    _counted: int = 0
    _overdue: asyncio.TimerHandle | None = None

    def leaves(self, guests: Sequence[_Guest], overdue: Callable[[], None]) -> None:
        """Note whose contacts are read; `overdue` is called if the answer takes too long."""

        def late() -> None:
            self._count(0)
            overdue()

        self.guests.extend(guests)
        self._count(len(guests))
        self._overdue = asyncio.get_running_loop().call_later(OVERDUE_SECONDS, late)

    def is_back(self) -> None:
        """Note that the read is over."""
        if self._overdue is not None:
            self._overdue.cancel()
        self._count(0)

    def _count(self, many: int) -> None:
        self.room.away += many - self._counted
        self._counted = many


class Lists:
    """Reads the contacts that wait in a lane with one request, where the profile has such one."""

    def __init__(self, session: Session, clock: Clock, send: Send, tally: ListTally) -> None:
        self._session = session
        self._clock = clock
        self._send = send
        self._tally = tally
        self._rooms: dict[str, _Room] = {}

    async def read(
        self, row: Disposition, request_id: str, lane: Lane, begun: Callable[[], None]
    ) -> Shown | None:
        """Wait for a read of the row's contact; None if it has to be read by itself.

        Args:
            row: the row.
            request_id: what the tenant's own log will show, if it is this row that asks.
            lane: the way out for its campaign's requests.
            begun: called once a request for its contact leaves.

        Raises:
            Stopped: nothing may leave now.
            CredentialsRefused: fresh tokens were refused, too.
            TenantUnreachable: there is no token to be had.
        """
        room = self._room(lane)
        if self._clock.seconds() < room.rests_until or not can_be_listed(self._bulk, row.contact):
            return None
        called: asyncio.Future[Shown | None] = asyncio.get_running_loop().create_future()
        guest = _Guest(row, request_id, self._clock.seconds(), called, begun)
        room.waiting.append(guest)
        self._call(room)
        try:
            shown = await called
            return await self._ask(guest, room) if shown is None else shown
        finally:
            # Nobody is held up by one that leaves without having been told anything.
            if room.caller is guest:
                room.caller, room.lane.overtaken = None, 0
            if guest in room.waiting:
                room.waiting.remove(guest)
            self._call(room)

    def went_stale(self, lane: Lane) -> None:
        """Note that a read was too old to be written over: fewer at once would have been right."""
        room = self._rooms.get(lane.book.campaign)
        if room is not None:
            room.stale = True

    @property
    def _bulk(self) -> Bulk:
        bulk = self._session.target.profile.read.bulk
        assert bulk is not None  # noqa: S101 - else nobody asks for lists
        return bulk

    def _room(self, lane: Lane) -> _Room:
        room = self._rooms.get(lane.book.campaign)
        if room is None:
            room = self._rooms[lane.book.campaign] = _Room(lane)
        return room

    def _call(self, room: _Room) -> None:
        """Call the first who waits, if another list may leave."""
        if room.caller is not None:
            room.lane.overtaken = self._overtaken(room)
            return
        waiting = (one for one in room.waiting if not one.called.done())
        first = next(waiting, None)
        # While nothing is under way nobody else would call; writes that wait go first anyway.
        if first is not None and (room.away == 0 or self._left(room) > 0):
            room.caller = first
            room.lane.overtaken = self._overtaken(room)
            first.called.set_result(None)

    def _overtaken(self, room: _Room) -> int:
        """Return how many waiting writes the next read may overtake.

        A list that left after the last of them would leave slots unused until it is answered. But
        writes that have become too old of late have no time to give.
        """
        lane, spacing_us = room.lane, room.lane.book.pace.spacing_us
        experienced = room.bound < self._reads.in_hand_max(spacing_us)
        alone = len(room.waiting) < 2
        return 0 if alone or experienced or room.stale else lane.slots_of_a_read(spacing_us)

    async def _ask(self, guest: _Guest, room: _Room) -> Shown:
        """Wait for a slot, read whoever waits then, and tell them; return what is the guest's."""
        asked = _Asked(room)
        taken = asked.guests

        def build(token: Token) -> HttpRequest:
            if not taken:
                asked.leaves(self._take(guest, room), lambda: self._call(room))
                self._call(room)
            target, rows = self._session.target, [one.row for one in taken]
            if len(rows) == 1:
                return read_request(target, guest.row, token.secret, guest.request_id)
            return list_request(target, self._bulk, rows, token.secret, guest.request_id)

        answered = False
        try:
            errand = Errand(build, "read", refused_max=LIST_TOKENS)
            got, timing = await self._send(room.lane, errand)
            answered = True
        finally:
            asked.is_back()
            if not answered:
                room.waiting.extendleft(reversed(taken[1:]))
        if len(taken) == 1:
            return Shown(timing, alone=got)
        return self._told(room, taken, got, timing)

    def _take(self, guest: _Guest, room: _Room) -> Sequence[_Guest]:
        """Take whoever is read now out of the room: the guest, and those who wait behind it."""
        self._learn(room)
        size = min(self._bulk.max, max(1, self._left(room)))
        taken, contacts = [guest], {guest.row.contact}
        for other in list(room.waiting):
            if len(taken) >= size:
                break
            if other.row.contact not in contacts and not other.called.done():
                contacts.add(other.row.contact)
                taken.append(other)
        gone = set(map(id, taken))
        room.waiting = deque(one for one in room.waiting if id(one) not in gone)
        room.caller, room.lane.overtaken = None, 0
        for one in taken:
            one.begun()
        return taken

    def _told(
        self,
        room: _Room,
        taken: Sequence[_Guest],
        got: HttpResponse | SendFailure,
        timing: Timing,
    ) -> Shown:
        """Tell those behind the first what the list says of them; return what it says of it."""
        first, rest = taken[0], taken[1:]
        timing = replace(timing, asked_as=first.request_id)
        items, throttled = self._understood(got, [one.row for one in taken])
        if throttled is not None:
            # One row has been refused. The others have not asked yet, for all that is known.
            room.waiting.extendleft(reversed(rest))
            return Shown(timing, throttled=throttled)
        late = self._is_late(room, timing)
        if late:
            items = {}
        if items:
            self._tally.answered(len(taken))
        else:
            room.rests_until = self._clock.seconds() + REST_SECONDS
            told = "a list of %d contacts of campaign %s told nothing: each is read by itself"
            log.info(told, len(taken), room.lane.book.campaign)
            asked = f"{len(taken)} contacts of campaign {room.lane.book.campaign}"
            self._tally.told_nothing(f"{asked}: {LATE if late else self._trouble(got)}")
        for one in rest:
            wait_ms = round((timing.sent_seconds - one.since) * 1000, 3)
            waited = replace(timing, wait_ms=wait_ms)
            shown = Shown(waited, items.get(one.row.contact), answered=bool(items))
            if not one.called.done():
                one.called.set_result(shown)
        return Shown(timing, items.get(first.row.contact), answered=bool(items))

    def _understood(
        self, got: HttpResponse | SendFailure, rows: Sequence[Disposition]
    ) -> tuple[dict[str, Json], Throttled | None]:
        """Return what a list tells by contact, or that it was refused for the pace."""
        if isinstance(got, SendFailure):
            return {}, None
        items = dict(items_in(self._bulk, got, rows))
        if items:
            return items, None
        profile, now_ms = self._session.target.profile, self._clock.now_us() // 1000
        return items, throttled_by(profile, got, now_ms, self._session.mask())

    def _is_late(self, room: _Room, timing: Timing) -> bool:
        """Say whether a list took longer than what it tells is good for.

        It tells of some contacts when it began to look and of others when it ended: a call that
        began in between would not be seen.
        """
        good_for = fresh_seconds(room.lane.book.pace.spacing_us, self._reads.good_for_seconds)
        return timing.answer_ms > good_for * 1000

    def _trouble(self, got: HttpResponse | SendFailure) -> str:
        """Say what a list was answered that told nothing."""
        if isinstance(got, SendFailure):
            return f"{got.words}."
        if got.status == 200:
            if not holds_list(self._bulk, got):
                return "the answer holds no list"
            return "the answer tells of none of them"
        asked = Asked("read", self._clock.now_us() // 1000, self._session.mask())
        return trouble_of(self._session.target.profile, got, asked)[1]

    def _left(self, room: _Room) -> int:
        """Return how many contacts may be taken into hand: none, if too many are already."""
        lane, tenant = room.lane, room.lane.tenant_pace
        spacing_us = lane.book.pace.spacing_us
        most = min(room.bound, self._reads.in_hand_max(spacing_us))
        if most == 1:
            # So slow that lists are of no use: reads follow each other as ever.
            return 1
        # While a list is under way others are written; those are gone when it is answered.
        left = most - max(0, room.in_hand - lane.slots_of_a_read(spacing_us))
        if tenant is None:
            return left
        in_hand = sum(one.in_hand for one in self._rooms.values())
        return min(left, self._reads.in_hand_max(tenant.spacing_us) - in_hand)

    @property
    def _reads(self) -> Reads:
        return self._session.target.profile.reads

    def _learn(self, room: _Room) -> None:
        """Take less into hand if something has become too old since the last list, else more."""
        formula = self._reads.in_hand_max(room.lane.book.pace.spacing_us)
        if room.stale:
            room.bound = max(1, min(room.bound, formula) // 2)
            room.stale = False
        elif room.bound < formula:
            room.bound += max(1, room.bound // 4)
