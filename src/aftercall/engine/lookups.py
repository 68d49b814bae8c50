"""Lists of ids that the tenant is asked for once in a while and that all rows share."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aftercall.domain.answer import Absent, Forbidden, ReadAnswer, Refused, Unavailable, Uncertain
from aftercall.engine.session import Session
from aftercall.ports import Clock
from aftercall.wire.auth import Token
from aftercall.wire.codes import Item, gather, read_part
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.refusals import Asked, refusal_of, trouble_of
from aftercall.wire.requests import lookup_request
from aftercall.wire.responses import read_failure

LISTLESS = Absent | Refused | Uncertain | Unavailable

Send = Callable[[Callable[[Token], HttpRequest]], Awaitable[HttpResponse | SendFailure]]
"""Sends what is made of a token, in the lane of the row that needs it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as the tenant gave it."""

    items: tuple[Item, ...]

    def names(self) -> Mapping[str, str]:
        """Return the names by id."""
        return {item.id: item.name for item in self.items}


class Lookups:
    """Fetches lists and keeps each for as long as the profile says."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Listed]] = {}
        self._fetching: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def listed(self, name: str, key: str, send: Send) -> Listed | ReadAnswer:
        """Return the list called `name` (of `key`, if there are several), or why there is none."""
        place = (name, key)
        # One fetches for all who wait; whoever waited finds it here.
        async with self._fetching[place]:
            good_until, kept = self._kept.get(place, (0.0, Listed(())))
            if self._clock.seconds() < good_until:
                return kept
            got = await self._fetch(name, key, send)
            if isinstance(got, Listed):
                lasts = self._session.target.profile.lookup[name].cache_seconds
                self._kept[place] = (self._clock.seconds() + lasts, got)
            return got

    async def _fetch(self, name: str, key: str, send: Send) -> Listed | ReadAnswer:
        items: dict[str, Item] = {}
        seen = 0
        while True:
            sent = await send(self._asking(name, key, seen))
            if isinstance(sent, SendFailure):
                return read_failure(sent)
            rules = self._session.target.profile.lookup[name]
            part = read_part(rules, sent, seen)
            if part is None:
                return self._trouble(name, sent)
            seen = part.seen
            if not gather(items, part):
                return Listed(tuple(items.values()))

    def _asking(self, name: str, key: str, skip: int) -> Callable[[Token], HttpRequest]:
        def build(token: Token) -> HttpRequest:
            target = self._session.target
            return lookup_request(target, target.profile.lookup[name], key, skip, token.secret)

        return build

    def _trouble(self, name: str, response: HttpResponse) -> ReadAnswer:
        """Say what an answer means that holds no list: no row is refused for it.

        That a list is not there, or is refused, says nothing of the contact or its outcome.
        """
        profile, mask = self._session.target.profile, self._session.mask()
        asked = Asked("lookup", self._clock.now_us() // 1000, mask)
        code, words = trouble_of(profile, response, asked)
        refusal = refusal_of(profile, response, asked)
        if refusal is None or isinstance(refusal, LISTLESS):
            return Unavailable(code, f"{name}: {words}")
        if isinstance(refusal, Forbidden):
            return Forbidden(f"{name}: {refusal.words}")
        return refusal
