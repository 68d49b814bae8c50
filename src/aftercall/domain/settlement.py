"""The decisions about a row: what a claim and the tenant's answers add up to.

`decide` says after a read whether to write; `verdict_of_read` and `verdict_of_write` say what an
answer means for the row; `conclude` turns a verdict into the settlement which one transaction
stores. All are pure: the time and a random number are arguments.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from aftercall.domain import answer, instant
from aftercall.domain.answer import Observed
from aftercall.domain.audit import Exchange, Finding, Origin, Subject, audit_entry
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.masking import without_personal_data
from aftercall.domain.outcomes import Category
from aftercall.domain.retry import DeferPolicy, RetryPolicy
from aftercall.domain.status import SETTLED, Event, Status, advance

SAME_INSTANT_MS = 1000
"""Tenants that keep whole seconds cut the rest off: closer than this is the same instant."""

DOUBT_GRACE_MS = 1000
"""A write whose answer was lost may still be on its way in: this long before reading it back."""

TIME_UNREADABLE = (
    "The tenant holds an outcome whose time cannot be read, so it is unknown which is newer."
)

NOT_LET_IN = "The tenant refuses this with every token (401), and takes them for others."
MAY_HAVE_LANDED = "An earlier write of this one may have reached the tenant before."
STORED_LATER = (
    "The tenant holds an outcome that it stored after this one was reached, and does not tell when"
    " that one was reached: it is unknown which is newer. Feed this one with a later time to have"
    " it written."
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One row that a worker has taken, with what is needed to conclude it.

    Attributes:
        row: the row's number in the journal.
        serial: how often the row was claimed; only the latest claim may settle it.
        origin: where it came from.
        disposition: what is to be written, its timestamp filled in.
        category: what its outcome means.
        attempt: which attempt this is, from 1; counted on disk when it was claimed.
        deferral: how often the contact was found on a call so far.
        first_tried_ms: when the row was first claimed.
        first_deferred_ms: when the contact was first found on a call.
        doubt: an earlier write of this row may have reached the tenant.
        newer: a newer disposition of the contact stands in the journal.
        salt: the row's own random bytes, for the commitments in its audit entries.
        words: what was said of the row last.
    """

    row: int
    serial: int
    origin: Origin
    disposition: Disposition
    category: Category
    attempt: int = 1
    deferral: int = 0
    first_tried_ms: int = 0
    first_deferred_ms: int | None = None
    doubt: bool = False
    newer: bool = False
    salt: bytes | None = field(default=None, repr=False)
    words: str = field(default="", repr=False)

    @property
    def timestamp_ms(self) -> int:
        """When the outcome was reached."""
        stamp = self.disposition.timestamp
        return 0 if stamp is None else instant.to_ms(stamp)

    @property
    def subject(self) -> Subject:
        """What its audit entries are about."""
        received, call = self.disposition.opt_out_received_at, self.disposition.call_record
        return Subject(
            row=self.row,
            origin=self.origin,
            campaign=self.disposition.campaign,
            contact=self.disposition.contact,
            outcome=self.disposition.outcome,
            agent=self.disposition.agent,
            category=self.category,
            timestamp_ms=self.timestamp_ms,
            event_id=self.disposition.event_id,
            attempt=self.attempt,
            deferrals=self.deferral,
            deferred_since_ms=self.first_deferred_ms,
            opt_out_received_ms=None if received is None else instant.to_ms(received),
            call_record=None if call is None else call.public,
            salt=self.salt,
            personal=self.disposition.personal,
        )


@dataclass(frozen=True, slots=True)
class WritePolicy:
    """What may be written over, and how failures are tried again.

    Attributes:
        active_states: dialer states, in capitals, of a contact that is on a call.
        closed_words: what is said of a contact that the tenant takes no outcome for any more.
        same_everything: a contact is unchanged only if agent, notes and custom fields are the
            same too; else the same outcome is enough.
        dropped: fields of a row that the tenant's API does not take.
        retry: the schedule of attempts.
        defer: the schedule of looks at a contact that is on a call.
    """

    active_states: frozenset[str]
    closed_words: str = "The contact is closed."
    same_everything: bool = False
    dropped: frozenset[str] = frozenset()
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    defer: DeferPolicy = field(default_factory=DeferPolicy)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one claim, before the retry schedule has its say.

    Attributes:
        event: what happened to the row.
        reason: a stable code, for programs.
        words: the tenant's own words or ours, for people; no secret, no personal data of ours.
        wait_seconds: how long the tenant asked to wait, if it did.
        counts: whether the attempt is one of those that the retry policy limits.
        patient: if the tenant named no time, wait about as long as was waited so far.
    """

    event: Event
    reason: str
    words: str = ""
    wait_seconds: float | None = None
    counts: bool = True
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """The time, in milliseconds since the epoch, and a random number uniform in [0, 1)."""

    now_ms: int
    chance: float


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one guarded transaction stores about a claim.

    Attributes:
        status: the row's new status.
        due_ms: when an open row may be claimed again; None parks it until `aftercall resume`.
        refund: the attempt that the claim counted is given back.
        doubt: a write of this row may have reached the tenant.
        entry: the audit entry, or None.
        announce: the CRM is to hear of it.
        now_ms: when it was concluded.
    """

    row: int
    serial: int
    event: Event
    status: Status
    reason: str
    words: str
    due_ms: int | None
    refund: bool
    doubt: bool
    exchange: Exchange
    entry: Mapping[str, Json] | None
    announce: bool
    now_ms: int


def landed(contact: Observed, disposition: Disposition) -> bool:
    """Say whether `contact` shows that a write of `disposition` has reached the tenant.

    What the tenant does not tell (None) cannot contradict; the outcome it must tell.
    """
    stamp = disposition.timestamp
    same_time = (
        contact.timestamp_ms is None
        or stamp is None
        or abs(contact.timestamp_ms - instant.to_ms(stamp)) < SAME_INSTANT_MS
    )
    return (
        contact.outcome == disposition.outcome
        and contact.agent in {None, disposition.agent}
        and same_time
    )


def same(
    contact: Observed, disposition: Disposition, *, everything: bool, dropped: Collection[str] = ()
) -> bool:
    """Say whether writing `disposition` would tell the tenant nothing new.

    What is `dropped` is never written: that the tenant holds another, or none, is no news.
    """
    if contact.outcome != disposition.outcome:
        return False
    if not everything:
        return True
    held, given = contact.custom_fields or {}, disposition.custom_fields or {}
    if "custom_fields" in dropped:
        given = {}
    return (
        ("agent" in dropped or contact.agent == disposition.agent)
        and ("notes" in dropped or disposition.notes in {None, contact.notes})
        and all(name in held and held[name] == value for name, value in given.items())
    )


def decide(claim: Claim, contact: Observed, policy: WritePolicy) -> Verdict | None:
    """Say what becomes of a claimed row whose contact was just read; None: write it now."""
    if claim.doubt and landed(contact, claim.disposition):
        return Verdict(Event.APPLY, "read_back", "An earlier write had reached the tenant.")
    if claim.newer:
        return _superseded(claim, "newer_in_journal", "A newer disposition of the contact exists.")
    if same(contact, claim.disposition, everything=policy.same_everything, dropped=policy.dropped):
        return Verdict(Event.HOLD, "same_in_tenant", "The tenant held the same outcome already.")
    verdict = _compare_times(claim, contact) or _look_at_state(contact, policy)
    if verdict is not None:
        return verdict
    if claim.attempt > policy.retry.attempts_max:
        last = f" Last: {claim.words}" if claim.words else ""
        words = f"All attempts are used up; the tenant holds none.{last}"
        return Verdict(Event.EXHAUST, "attempts_used_up", words)
    return None


def _compare_times(claim: Claim, contact: Observed) -> Verdict | None:
    """Say what becomes of a row whose outcome is not newer than the tenant's for certain."""
    if contact.stamp_unknown and contact.outcome is not None:
        return Verdict(Event.REJECT, "unreadable_timestamp", TIME_UNREADABLE)
    if contact.stored_ms is not None and contact.stored_ms > claim.timestamp_ms:
        return Verdict(Event.REJECT, "stored_later_in_tenant", STORED_LATER)
    if contact.timestamp_ms is not None and contact.timestamp_ms > claim.timestamp_ms:
        return _superseded(
            claim, "newer_in_tenant", "The tenant holds a newer outcome of the contact."
        )
    return None


def _superseded(claim: Claim, reason: str, words: str) -> Verdict:
    """Give way to a newer outcome; what became of an earlier write nobody will know then."""
    if claim.doubt:
        reason, words = f"{reason}_in_doubt", f"{words} {MAY_HAVE_LANDED}"
    return Verdict(Event.SUPERSEDE, reason, words)


def _look_at_state(contact: Observed, policy: WritePolicy) -> Verdict | None:
    """Say what becomes of a row whose contact may not be written now."""
    if contact.closed:
        return Verdict(Event.REJECT, "contact_closed", policy.closed_words)
    if contact.state in policy.active_states:
        return Verdict(Event.DEFER, "on_call", f"The contact is {contact.state}.", counts=False)
    if not contact.idle:
        # Any state that is not known may be a live call: G2 lets nothing leave on a guess.
        words = f"The contact is in a state that is not known: {contact.state or 'none is told'}."
        return Verdict(Event.DEFER, "unknown_state", words, counts=False)
    return None


def verdict_of_read(got: answer.ReadAnswer) -> Verdict | None:
    """Say what an answer other than a contact means; None for one that is handled elsewhere."""
    match got:
        case answer.Unavailable(code, words, sent):
            return Verdict(Event.POSTPONE, code, words, counts=sent)
        case answer.Found():
            return None
        case _:
            return _common_verdict(got)


def verdict_of_write(got: answer.WriteAnswer) -> Verdict | None:
    """Say what the answer of a write means; None for one that is handled elsewhere."""
    match got:
        case answer.Accepted():
            return Verdict(Event.APPLY, "written")
        case answer.Stale():
            words = "The contact changed between read and write."
            return Verdict(Event.POSTPONE, "changed_meanwhile", words, wait_seconds=0.0)
        case answer.Unavailable(code, words, sent):
            return Verdict(Event.POSTPONE, code, words, counts=sent)
        case answer.Uncertain(code, words):
            return Verdict(Event.DOUBT, code, words)
        case _:
            return _common_verdict(got)


def _common_verdict(
    got: answer.Absent
    | answer.Throttled
    | answer.Busy
    | answer.Unauthorized
    | answer.Forbidden
    | answer.Refused,
) -> Verdict:
    match got:
        case answer.Busy(code, words, seconds):
            return Verdict(Event.POSTPONE, code, words, seconds, counts=False, patient=True)
        case answer.Absent(words):
            return Verdict(Event.MISS, "no_such_contact", words)
        case answer.Refused(code, words):
            return Verdict(Event.REJECT, code, words)
        case answer.Forbidden(words):
            return Verdict(Event.REJECT, "forbidden", words)
        case answer.Throttled(seconds):
            return Verdict(
                Event.POSTPONE, "throttled", "The tenant asked to slow down.", seconds, counts=False
            )
        case answer.Unauthorized():
            return Verdict(Event.POSTPONE, "unauthorized", NOT_LET_IN)


def conclude(
    claim: Claim, verdict: Verdict, exchange: Exchange, policy: WritePolicy, moment: Moment
) -> Settlement:
    """Turn a verdict into what is stored.

    Args:
        claim: the row as it was claimed.
        verdict: what became of it.
        exchange: what passed between us and the tenant.
        policy: the schedules.
        moment: the time, and a random number for the jitter.
    """
    event, due_ms = _schedule(claim, verdict, policy, moment)
    status = advance(Status.WRITING, event)
    words = without_personal_data(verdict.words, claim.disposition)
    entry: Mapping[str, Json] | None = None
    if status in SETTLED or verdict.event is Event.DOUBT:
        finding = Finding(status, verdict.reason, words)
        entry = audit_entry(claim.subject, finding, exchange, moment.now_ms, policy.dropped)
    return Settlement(
        row=claim.row,
        serial=claim.serial,
        event=event,
        status=status,
        reason=verdict.reason,
        words=words,
        due_ms=due_ms,
        refund=not verdict.counts,
        doubt=(claim.doubt or verdict.event is Event.DOUBT) and status is not Status.APPLIED,
        exchange=exchange,
        entry=entry,
        announce=status is Status.APPLIED,
        now_ms=moment.now_ms,
    )


def _schedule(
    claim: Claim, verdict: Verdict, policy: WritePolicy, moment: Moment
) -> tuple[Event, int | None]:
    """Return the event that the schedules make of a verdict, and when the row is due again."""
    now_ms = moment.now_ms
    match verdict.event:
        case Event.DEFER:
            started = claim.first_deferred_ms or now_ms
            wait = policy.defer.wait_seconds(claim.deferral + 1)
            over = now_ms - started >= policy.defer.elapsed_seconds_max * 1000
            return Event.DEFER, None if over else now_ms + int(wait * 1000)
        case Event.POSTPONE | Event.DOUBT:
            return _schedule_retry(claim, verdict, policy.retry, moment)
        case event:
            return event, None


def _schedule_retry(
    claim: Claim, verdict: Verdict, retry: RetryPolicy, moment: Moment
) -> tuple[Event, int | None]:
    wait, waited = verdict.wait_seconds, (moment.now_ms - claim.first_tried_ms) / 1000
    if wait is None and verdict.patient:
        wait = retry.patience_seconds(waited, moment.chance)
    if wait is None:
        wait = retry.wait_seconds(claim.attempt, moment.chance)
    elapsed = waited >= retry.elapsed_seconds_max
    again = Event.DOUBT if claim.doubt or verdict.event is Event.DOUBT else Event.POSTPONE
    due = moment.now_ms + int(wait * 1000)
    if not verdict.counts:
        # Waiting that is no failure never uses a row up; it is parked for `aftercall resume`.
        return again, None if elapsed else due
    if again is Event.DOUBT:
        # Whether the tenant holds it is found out by a read, however many attempts there were;
        # `decide` says when they are used up.
        due = max(due, moment.now_ms + DOUBT_GRACE_MS)
        return again, None if elapsed else due
    if claim.attempt >= retry.attempts_max or elapsed:
        return Event.EXHAUST, None
    return again, due
