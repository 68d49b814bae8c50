"""Looking at a tenant through its profile: what it lets us do, and what that means for us."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aftercall.adapters.transport import HttpTransport
from aftercall.domain import answer
from aftercall.domain.answer import Observed, ReadAnswer, WriteAnswer
from aftercall.domain.disposition import Disposition
from aftercall.wire.codes import CodeBook, Item, fetched_book, gather, read_part, static_book
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.lists import holds_list, items_in, list_request
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, normal_state
from aftercall.wire.refusals import Asked, refusal_of, trouble_of
from aftercall.wire.requests import (
    Basis,
    Unwritable,
    key_in,
    lookup_request,
    read_request,
    readback_request,
    write_request,
)
from aftercall.wire.responses import (
    read_contact,
    read_failure,
    read_held,
    read_item,
    read_written,
    with_held,
)
from aftercall.wire.target import Target
from aftercall.wiring.findings import CheckResult, Probe

PROBE = "aftercall-check"
"""A campaign and contact that no tenant has: reading it shows whether we may read at all."""

WHOLE = "The right address and profile? See docs/profiles.md."

UNKNOWN_STATE = (
    "Add what is missing to a copy of the profile: under allowed only if no call can be lost by it."
)

NO_ETAG = (
    "This API gives no ETag: a call that starts between read and write is not seen, and a write"
    " that was lost and arrives late can land twice."
)
ONE_BY_ONE = "Mend [read.bulk], or leave it out: until then contacts are read one by one."
OTHERWISE = (
    "Check again: it may have changed just then. Else mend [read.bulk], or leave it out: what a"
    " list tells is written over."
)
PROMISED = (
    "By the profile a read is good for {:g} s where the write depends on its ETag. That the ETag"
    " changes as soon as a call begins is the tenant's promise; no check can see it."
)
READ_BACK = "A write whose answer is lost is read back, never sent again blindly."
NO_ROW = "Without that no row is written."
NOT_TRIED = (
    "Not tried: aftercall check --deep --contact any/CONTACT --write OUTCOME writes onto a test"
    " contact."
)
STORED = (
    "The tenant tells when an outcome was stored, not when it was reached: one that somebody else"
    " stored after a row's time is never written over; the row is rejected."
)


@dataclass(frozen=True, slots=True)
class TenantCheck:
    """A tenant that has let us in.

    Attributes:
        target: the tenant, its API's address known.
        transport: carries requests.
        token: the access token.
        mask: what must not be told.
        codes: the configured outcome codes.
    """

    target: Target
    transport: HttpTransport
    token: str
    mask: Mask
    codes: Sequence[str]

    async def findings(self, probe: Probe) -> AsyncIterator[CheckResult]:
        """Look at everything; nothing is changed unless an outcome to write is given."""
        profile = self.target.profile
        lists: dict[str, tuple[Item, ...]] = {}
        for name in self._lists_to_see(probe):
            finding, items = await self._list(name, "")
            lists[name] = items
            yield finding
        if profile.states.lookup in lists:
            yield states_finding(profile, lists[profile.states.lookup or ""])
        held = await self._held(probe)
        contact, finding = await self._contact(probe, lists, held)
        yield finding
        if profile.read.bulk is not None:
            yield await self._together(probe, contact, lists)
        yield readback_finding(held)
        for finding in guarantees(profile, contact):
            yield finding
        book = static_book(profile, self.target.ids)
        source = profile.codes.lookup
        if source is not None and profile.codes.source == "lookup":
            unseen, items = await self._items_for(source, contact, lists)
            if unseen is not None:
                yield unseen
            book = fetched_book(self.target.ids, items)
        if profile.codes.source != "identity" and (book.items or book.items is None):
            yield codes_finding(profile, book, self.codes)
        if probe.write is None:
            yield CheckResult("write", "ok", NOT_TRIED)
        elif contact is not None:
            yield await self._write(probe, probe.write, contact, book)

    def _lists_to_see(self, probe: Probe) -> Iterator[str]:
        profile = self.target.profile
        outcomes = {profile.codes.catalogue, profile.codes.lookup}
        for name, lookup in profile.lookup.items():
            if not lookup.key and (probe.deep or name in outcomes):
                yield name

    async def _list(self, name: str, key: str) -> tuple[CheckResult, tuple[Item, ...]]:
        """Fetch a list and say how that went."""
        lookup = self.target.profile.lookup[name]
        items: dict[str, Item] = {}
        skipped = 0
        while True:
            sent = await self._send(lookup_request(self.target, lookup, key, skipped, self.token))
            if isinstance(sent, SendFailure):
                return CheckResult("lists", "fail", f"{name} cannot be read: {sent.words}."), ()
            part = read_part(lookup, sent, skipped)
            if part is None:
                return self._no_list(name, sent), ()
            skipped = part.seen
            if not gather(items, part):
                return CheckResult("lists", "ok", f"{name}: {len(items)}."), tuple(items.values())

    def _no_list(self, name: str, sent: HttpResponse) -> CheckResult:
        profile = self.target.profile
        got = refusal_of(profile, sent, Asked("lookup", 0, self.mask))
        if isinstance(got, answer.Forbidden):
            words, fix = f"{name}: not to be seen by us: {got.words}", _right_to(profile, name)
            if name == profile.codes.groups:
                return CheckResult("lists", "warn", words, fix)
            return CheckResult("lists", "fail", words, fix)
        return CheckResult(
            "lists", "fail", f"{name}: no list in the answer ({sent.status}).", WHOLE
        )

    async def _items_for(
        self, name: str, contact: Observed | None, lists: Mapping[str, tuple[Item, ...]]
    ) -> tuple[CheckResult | None, tuple[Item, ...]]:
        """Return the list that outcomes are looked up in: the contact's own, else all there are.

        Beside it stands why the contact's own cannot be seen, if that is so.
        """
        lookup = self.target.profile.lookup[name]
        if not lookup.key:
            return None, lists.get(name, ())
        key = None if contact is None else key_in(lookup.key, _row(None, ""), contact.told)
        if key is None:
            return None, lists.get(self.target.profile.codes.catalogue or "", ())
        finding, items = await self._list(name, key)
        return (None if finding.level == "ok" else finding), items

    async def _held(self, probe: Probe) -> ReadAnswer | None:
        """Read the contact's disposition back; None if the contact tells it itself."""
        profile = self.target.profile
        if profile.readback is None:
            return None
        row = _row(probe, "")
        sent = await self._send(readback_request(self.target, row, self.token, PROBE))
        if isinstance(sent, SendFailure):
            return read_failure(sent)
        return read_held(profile, sent, 0, self.mask)

    async def _contact(
        self, probe: Probe, lists: Mapping[str, tuple[Item, ...]], held: ReadAnswer | None
    ) -> tuple[Observed | None, CheckResult]:
        """Read the contact and say what is told of it."""
        profile, row = self.target.profile, _row(probe, "")
        sent = await self._send(read_request(self.target, row, self.token, PROBE))
        if isinstance(sent, SendFailure):
            words = f"A contact could not be read: {sent.words}."
            return None, CheckResult("contacts", "fail", words, "Try again; check the network.")
        names = {one.id: one.name for one in lists.get(profile.states.lookup or "", ())}
        got = read_contact(profile, sent, 0, self.mask, names)
        if not isinstance(got, answer.Found):
            return None, _unread(profile, got, sent.status, probe)
        contact = got.contact
        if isinstance(held, answer.Found):
            contact = with_held(contact, held.contact)
        return contact, _read_finding(profile, contact, probe)

    async def _together(
        self, probe: Probe, contact: Observed | None, lists: Mapping[str, tuple[Item, ...]]
    ) -> CheckResult:
        """Read the contact by a list and say whether that tells the same."""
        profile, row = self.target.profile, _row(probe, "")
        bulk = profile.read.bulk
        assert bulk is not None  # noqa: S101 - it was asked for
        sent = await self._send(list_request(self.target, bulk, [row], self.token, PROBE))
        if isinstance(sent, SendFailure):
            words = f"Contacts could not be read together: {sent.words}."
            return CheckResult("together", "warn", words, ONE_BY_ONE)
        if not holds_list(bulk, sent):
            words = f"No list of contacts in the answer ({sent.status})."
            if sent.status != 200:
                asked = Asked("read", 0, self.mask)
                words = f"No list of contacts. {trouble_of(profile, sent, asked)[1]}"
            return CheckResult("together", "warn", words, ONE_BY_ONE)
        names = {one.id: one.name for one in lists.get(profile.states.lookup or "", ())}
        item = items_in(bulk, sent, [row]).get(row.contact)
        return together_finding(contact, read_item(profile, item, self.mask, names))

    async def _write(
        self, probe: Probe, outcome: str, contact: Observed, book: CodeBook
    ) -> CheckResult:
        """Write one outcome onto the contact that was named for it."""
        profile, row = self.target.profile, _row(probe, outcome)
        number = None if profile.codes.source == "identity" else book.id_of(outcome)
        if not contact.idle:
            words = f"Nothing was written: the contact is {contact.state or 'in no known state'}."
            return CheckResult("write", "warn", words, "Name one in an allowed state.")
        if book.items is not None and not book.items:
            words = "Nothing was written: the list with the ids of outcomes is not there."
            return CheckResult("write", "warn", words, "Mend what is said of lists above.")
        if profile.codes.source != "identity" and number is None:
            fix = f"{_way_to_ids(profile)}."
            return CheckResult("write", "fail", f"The tenant has no {outcome}.", fix)
        basis = Basis(contact.etag, contact.told, number)
        try:
            request = write_request(self.target, row, self.token, PROBE, basis)
        except Unwritable as reason:
            return CheckResult("write", "fail", reason.words, "Correct the profile.")
        sent = await self._send(request)
        if isinstance(sent, SendFailure):
            return CheckResult("write", "fail", f"No answer: {sent.words}.", "Read it back.")
        return _write_finding(profile, read_written(profile, sent, 0, self.mask), outcome)

    async def _send(self, request: HttpRequest) -> HttpResponse | SendFailure:
        try:
            return await self.transport.send(request)
        except SendFailure as failure:
            return failure


def guarantees(profile: Profile, contact: Observed | None) -> Iterator[CheckResult]:
    """Yield what the tenant's means do to what is guaranteed."""
    see = "See docs/concepts.md; the time between read and write is kept in each audit entry."
    if not profile.write.if_match or (contact is not None and contact.etag is None):
        yield CheckResult("calls", "warn", NO_ETAG, see)
    elif contact is not None:
        words = "Contacts have an ETag: a write only lands on what was just read."
        yield CheckResult("calls", "ok", words)
    if profile.read.good_for_seconds is not None:
        fix = "Without such a promise leave read.good_for_seconds out of the profile."
        told = PROMISED.format(profile.read.good_for_seconds)
        yield CheckResult("calls", "warn", told, fix)
    readings = (profile.read, profile.readback)
    if any(reading is not None and reading.timestamp_means == "written" for reading in readings):
        fix = "Feed such a row again with a later time if it is to be written."
        yield CheckResult("newest", "warn", STORED, fix)


def together_finding(alone: Observed | None, listed: answer.Found | None) -> CheckResult:
    """Say whether a list tells of a contact what reading it alone has told."""
    if alone is None:
        words = "Contacts may be read together. Name one with --contact to see what is told."
        return CheckResult("together", "ok", words)
    if listed is None:
        words = "A list does not tell of the contact all that a write rests on."
        return CheckResult("together", "warn", words, ONE_BY_ONE)
    same = ("state", "outcome", "agent", "timestamp_ms", "stored_ms", "etag", "told", "closed")
    odd = [one for one in same if getattr(alone, one) != getattr(listed.contact, one)]
    if odd:
        words = f"A list tells something else of the contact than reading it: {', '.join(odd)}."
        return CheckResult("together", "fail", words, OTHERWISE)
    return CheckResult("together", "ok", "A list tells the same of the contact.")


def states_finding(profile: Profile, items: Sequence[Item]) -> CheckResult:
    """Say which of the tenant's states the profile does not know."""
    known = profile.states.wait | profile.states.allowed | profile.states.closed
    odd = [one.name for one in items if normal_state(one.name) not in known]
    if odd:
        words = f"Not in the profile, so that rows wait: {', '.join(odd)}."
        return CheckResult("states", "warn", words, UNKNOWN_STATE)
    return CheckResult("states", "ok", f"All {len(items)} are known.")


def readback_finding(held: ReadAnswer | None) -> CheckResult:
    """Say whether it can be seen afterwards if a write has landed."""
    match held:
        case None:
            return CheckResult("readback", "ok", f"The contact tells its outcome. {READ_BACK}")
        case answer.Found() | answer.Absent():
            return CheckResult("readback", "ok", f"Dispositions may be read. {READ_BACK}")
        case answer.Forbidden(words):
            fix = f"Have the right to see dispositions of contacts granted. {NO_ROW}"
            return CheckResult("readback", "fail", f"Dispositions may not be read: {words}", fix)
        case _:
            told = getattr(held, "words", "") or "no answer that could be used"
            words = f"A disposition could not be read: {told}"
            return CheckResult("readback", "fail", words, f"{WHOLE} {NO_ROW}")


def codes_finding(profile: Profile, book: CodeBook, codes: Sequence[str]) -> CheckResult:
    """Say which outcome codes the tenant does not have."""
    lost = [code for code in codes if book.id_of(code) is None]
    if lost:
        words = f"The tenant has none for: {', '.join(lost)}; rows with them are rejected."
        fix = f"{_way_to_ids(profile)}, or take them out of [outcomes]."
        return CheckResult("outcomes", "warn", words, fix)
    return CheckResult("outcomes", "ok", f"All {len(codes)} have an id at the tenant.")


def _way_to_ids(profile: Profile) -> str:
    """Say how a code gets an id; `outcomes pull` needs a list that has them all."""
    pull = "Run aftercall outcomes pull, or give" if profile.codes.catalogue else "Give"
    return f"{pull} the id or name under [outcome_ids]"


def _row(probe: Probe | None, outcome: str) -> Disposition:
    campaign, contact = (None if probe is None else probe.contact) or (PROBE, PROBE)
    return Disposition(
        campaign=campaign,
        contact=contact,
        outcome=outcome,
        agent=PROBE,
        timestamp=datetime.now(UTC) if outcome else None,
    )


def _unread(profile: Profile, got: ReadAnswer, status: int, probe: Probe) -> CheckResult:
    match got:
        case answer.Absent() if probe.contact is None:
            words = "Contacts may be read. Name one with --contact to see what is told of it."
            return CheckResult("contacts", "ok", words)
        case answer.Absent() if probe.contact is not None:
            words = "{} has no contact {}.".format(*probe.contact)
            return CheckResult("contacts", "warn", words, "Check both ids.")
        case answer.Forbidden(words):
            fix = f"Have {profile.needs.read} granted to these credentials."
            return CheckResult("contacts", "fail", f"Contacts may not be read: {words}", fix)
        case answer.Unavailable(words=words):
            return CheckResult("contacts", "fail", f"A contact could not be read: {words}", WHOLE)
        case _:
            words = f"Reading a contact was answered with {status}."
            return CheckResult("contacts", "fail", words, WHOLE)


def _right_to(profile: Profile, name: str) -> str:
    """Say which right is lacking to see a list, and what cannot be done without it."""
    lost = "no row is written"
    if name == profile.codes.catalogue != profile.codes.lookup:
        lost = "no outcomes can be pulled"
    if name == profile.codes.groups:
        lost = "outcomes that are pulled get no category"
    return f"Have the right to see {name.replace('_', ' ')} granted; without it {lost}."


def _read_finding(profile: Profile, contact: Observed, probe: Probe) -> CheckResult:
    if probe.contact is None:
        return CheckResult("contacts", "ok", "Contacts may be read.")
    states = profile.states
    known = contact.closed or contact.state in states.wait | states.allowed | states.closed
    may = "may be written" if contact.idle else "waits" if known else "not in the profile: waits"
    may = "takes no outcome any more" if contact.closed else may
    told = [f"state {contact.state or 'not told'} ({may})", f"outcome {contact.outcome or 'none'}"]
    told += [f"{name} {value}" for name, value in contact.told.items()]
    told += [f"ETag {contact.etag}"] * (contact.etag is not None)
    words = f"The contact tells: {', '.join(told)}."
    fix = UNKNOWN_STATE if contact.state is not None else WHOLE
    return CheckResult("contacts", "ok" if known else "warn", words, "" if known else fix)


def _write_finding(profile: Profile, got: WriteAnswer, outcome: str) -> CheckResult:
    match got:
        case answer.Forbidden(words):
            fix = f"Have {profile.needs.write} granted to these credentials."
            return CheckResult("write", "fail", f"It may not be written: {words}", fix)
        case answer.Accepted():
            return CheckResult("write", "ok", f"{outcome} was written onto the test contact.")
        case _:
            words = getattr(got, "words", "") or type(got).__name__
            return CheckResult("write", "fail", f"It was not taken: {words}", WHOLE)
