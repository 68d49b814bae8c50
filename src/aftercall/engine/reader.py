"""Reading all that must be known of a row's contact before it may be written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

from aftercall.domain.answer import Found, Observed, ReadAnswer, Refused
from aftercall.domain.disposition import Disposition
from aftercall.engine.lists import Shown
from aftercall.engine.lookups import Listed, Lookups
from aftercall.engine.progress import ListTally
from aftercall.engine.session import Session
from aftercall.ports import Clock
from aftercall.wire.auth import Token
from aftercall.wire.codes import CodeBook, fetched_book, static_book
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.language.refusals import Operation
from aftercall.wire.profile import Profile
from aftercall.wire.requests import (
    Basis,
    Unwritable,
    key_in,
    read_request,
    readback_request,
    sent_of,
    write_body,
)
from aftercall.wire.responses import (
    read_contact,
    read_failure,
    read_held,
    read_item,
    with_held,
)

NO_ID = (
    "The tenant has no disposition for {code}, or several of that name. Give its id under"
    " [outcome_ids]; aftercall outcomes pull lists what the tenant has."
)


NOTHING_HELD = Observed(None)
"""What is known beside the contact where nothing but the contact is read."""


class Talk(Protocol):
    """One row's requests, in its lane."""

    @property
    def answered(self) -> int:
        """How many requests were answered so far."""
        ...

    def send(
        self, build: Callable[[Token], HttpRequest], operation: Operation = "lookup"
    ) -> Awaitable[HttpResponse | SendFailure]:
        """Send what is made of a token and return the answer."""
        ...

    def together(self, row: Disposition, request_id: str) -> Awaitable[Shown | None]:
        """Have the contact read with others; None if it must be read by itself."""
        ...


class Reader:
    """Reads contacts in as many requests as the tenant's language needs."""

    def __init__(self, session: Session, clock: Clock, tally: ListTally) -> None:
        self._session = session
        self._clock = clock
        self._tally = tally
        self._lookups = Lookups(session, clock)

    async def read(self, row: Disposition, request_id: str, talk: Talk) -> tuple[ReadAnswer, int]:
        """Read the row's contact.

        Returns:
            What was found, and which of the requests that were answered told it.
        """
        states = await self._states(talk)
        if not isinstance(states, Mapping):
            return states, talk.answered - 1
        # The state comes last: it is what must still be true when the write leaves.
        held = await self._held(row, request_id, talk)
        if not isinstance(held, Observed):
            return held, talk.answered - 1
        got = await self._contact(row, request_id, talk, states)
        told = talk.answered - 1
        if not isinstance(got, Found):
            return got, told
        contact = got.contact if held is NOTHING_HELD else with_held(got.contact, held)
        return await self._prepared(row, contact, talk), told

    async def _states(self, talk: Talk) -> Mapping[str, str] | ReadAnswer:
        name = self._session.target.profile.states.lookup
        if name is None:
            return {}
        got = await self._lookups.listed(name, "", talk.send)
        return got.names() if isinstance(got, Listed) else got

    async def _held(self, row: Disposition, request_id: str, talk: Talk) -> Observed | ReadAnswer:
        if self._session.target.profile.readback is None:
            return NOTHING_HELD

        def build(token: Token) -> HttpRequest:
            return readback_request(self._session.target, row, token.secret, request_id)

        sent = await talk.send(build, "read")
        if isinstance(sent, SendFailure):
            return read_failure(sent)
        mask = self._session.mask(row)
        got = read_held(self._session.target.profile, sent, self._now_ms(), mask)
        return got.contact if isinstance(got, Found) else got

    async def _contact(
        self, row: Disposition, request_id: str, talk: Talk, states: Mapping[str, str]
    ) -> ReadAnswer:
        def build(token: Token) -> HttpRequest:
            return read_request(self._session.target, row, token.secret, request_id)

        sent: HttpResponse | SendFailure | None = None
        if self._session.target.profile.read.bulk is not None:
            shown = await talk.together(row, request_id)
            listed = None if shown is None else self._listed(row, shown, states)
            if listed is not None:
                return listed
            sent = None if shown is None else shown.alone
        # What no list tells beyond doubt is asked for by itself.
        sent = sent or await talk.send(build, "read")
        if isinstance(sent, SendFailure):
            return read_failure(sent)
        profile, mask = self._session.target.profile, self._session.mask(row)
        return read_contact(profile, sent, self._now_ms(), mask, states)

    def _listed(
        self, row: Disposition, shown: Shown, states: Mapping[str, str]
    ) -> ReadAnswer | None:
        """Return what a list told for the row; None if nothing for certain."""
        if shown.throttled is not None:
            return shown.throttled
        profile, mask = self._session.target.profile, self._session.mask(row)
        found = read_item(profile, shown.item, mask, states)
        if found is None and shown.answered:
            self._tally.untold += 1
        return found

    async def _prepared(self, row: Disposition, contact: Observed, talk: Talk) -> ReadAnswer:
        """Return a contact with its outcome as a code, and the id of the one that is to come."""
        profile = self._session.target.profile
        found = Found(contact)
        if profile.codes.source != "identity":
            book = await self._book(row, contact, talk)
            if not isinstance(book, CodeBook):
                return book
            held = contact.outcome
            code = None if held is None else book.code_of(held, row.outcome)
            found = Found(replace(contact, outcome=code), book.id_of(row.outcome))
            if found.outcome_id is None and contact.idle:
                return Refused("no_such_disposition", NO_ID.format(code=row.outcome))
        basis = Basis(contact.etag, contact.told, found.outcome_id)
        found = Found(_as_given(profile, row, basis, contact, found.contact), found.outcome_id)
        if not contact.idle or not profile.write.refuses:
            return found
        try:
            write_body(profile, row, basis)
        except Unwritable as reason:
            return Refused(reason.code, reason.words)
        return found

    async def _book(self, row: Disposition, contact: Observed, talk: Talk) -> CodeBook | ReadAnswer:
        target = self._session.target
        name = target.profile.codes.lookup
        if name is None:
            return static_book(target.profile, target.ids)
        sources = target.profile.lookup[name].key
        key = key_in(sources, row, contact.told) if sources else ""
        if key is None:
            # Without it there is no list: what is configured counts, and nothing is written.
            told = Refused("missing_value", f"The tenant needs {' or '.join(sources)}.")
            return told if contact.idle else CodeBook(target.ids)
        got = await self._lookups.listed(name, key, talk.send)
        return fetched_book(target.ids, got.items) if isinstance(got, Listed) else got

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000


def _as_given(
    profile: Profile, row: Disposition, basis: Basis, told: Observed, known: Observed
) -> Observed:
    """Return a contact with what it holds of the row as the row has it.

    What is sent as a number, or cut, comes back so: compared with the row's own it would be
    another's, and a write whose answer was lost would be made again.
    """
    differs = told.outcome is not None and known.outcome != row.outcome
    if differs and told.outcome == sent_of(profile, "outcome", row, basis):
        known = replace(known, outcome=row.outcome)
    differs = told.agent is not None and known.agent != row.agent
    if differs and told.agent == sent_of(profile, "agent", row, basis):
        known = replace(known, agent=row.agent)
    return known
