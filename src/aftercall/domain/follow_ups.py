"""Follow-ups: what else is done at the tenant once a row has reached its status.

Tags of the contact, a record in a DNC group, a scheduled callback. Each has a life of its own: a
row is applied whatever becomes of its follow-ups. Like rows they have one table of transitions,
and all decisions are pure functions of an answer, the time and a random number.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from aftercall.domain import answer
from aftercall.domain.answer import WriteAnswer
from aftercall.domain.audit import Exchange, Finding, Subject, audit_entry
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.masking import without_personal_data
from aftercall.domain.outcomes import Category
from aftercall.domain.retry import RetryPolicy
from aftercall.domain.settlement import DOUBT_GRACE_MS, NOT_LET_IN, Claim, Moment, Settlement
from aftercall.domain.status import Status

GATHER_MS = 5000
"""How long a fresh follow-up waits for company where one request can carry several."""


NUMBER_DIGITS_MIN = 7
NATIONAL_DIGITS = 10
"""A number without its country's code, where that is North America's."""

_NO_DIGIT = re.compile(r"\D")


class FollowUpKind(StrEnum):
    """What is done."""

    DNC_GROUP = "dnc_group"
    TAGS = "tags"
    CALLBACK = "callback"


class FollowUpState(StrEnum):
    """Where a follow-up stands. The order is the order in which reports list them."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    IMPOSSIBLE = "impossible"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({FollowUpState.WAITING, FollowUpState.SENDING})
"""Still to be worked on."""

UNDONE = frozenset(FollowUpState) - OPEN - {FollowUpState.DONE, FollowUpState.WITHDRAWN}
"""Settled, and somebody should look at it."""


class FollowUpEvent(StrEnum):
    """What can happen to a follow-up."""

    CLAIM = "claim"
    LACK = "lack"
    WITHDRAW = "withdraw"
    DO = "do"
    REFUSE = "refuse"
    EXHAUST = "exhaust"
    LOSE = "lose"
    POSTPONE = "postpone"
    REOPEN = "reopen"


TRANSITIONS: dict[tuple[FollowUpState, FollowUpEvent], FollowUpState] = {
    # On disk, right before its request leaves.
    (FollowUpState.WAITING, FollowUpEvent.CLAIM): FollowUpState.SENDING,
    # The row has not what the tenant needs, or the tenant's profile knows no such thing.
    (FollowUpState.WAITING, FollowUpEvent.LACK): FollowUpState.IMPOSSIBLE,
    # A newer disposition of the contact has come in.
    (FollowUpState.WAITING, FollowUpEvent.WITHDRAW): FollowUpState.WITHDRAWN,
    # What the tenant said.
    (FollowUpState.SENDING, FollowUpEvent.DO): FollowUpState.DONE,
    (FollowUpState.SENDING, FollowUpEvent.REFUSE): FollowUpState.REFUSED,
    (FollowUpState.SENDING, FollowUpEvent.EXHAUST): FollowUpState.FAILED,
    # Whether it was done is not known, and it must not be done twice; or no attempt is left.
    (FollowUpState.SENDING, FollowUpEvent.LOSE): FollowUpState.UNKNOWN,
    (FollowUpState.SENDING, FollowUpEvent.POSTPONE): FollowUpState.WAITING,
    # `aftercall followups retry`.
    (FollowUpState.REFUSED, FollowUpEvent.REOPEN): FollowUpState.WAITING,
    (FollowUpState.FAILED, FollowUpEvent.REOPEN): FollowUpState.WAITING,
    (FollowUpState.UNKNOWN, FollowUpEvent.REOPEN): FollowUpState.WAITING,
    (FollowUpState.IMPOSSIBLE, FollowUpEvent.REOPEN): FollowUpState.WAITING,
}


class IllegalFollowUp(Exception):
    """The table does not list this event for this state: a defect of aftercall itself."""


def advance(state: FollowUpState, event: FollowUpEvent) -> FollowUpState:
    """Return the state that `event` leads to from `state`.

    Raises:
        IllegalFollowUp: the table does not list it.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        message = f"a follow-up that is {state} cannot {event}"
        raise IllegalFollowUp(message) from None


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done: the kind, and the group's or tag's id; empty for a callback."""

    kind: FollowUpKind
    target: str = ""


@dataclass(frozen=True, slots=True)
class FollowUpRules:
    """Which rows are followed up by what.

    Attributes:
        actions: what is done by the category's name or the outcome code.
        rejections: reasons of rejected rows that are followed up all the same.
    """

    actions: Mapping[str, Sequence[Action]] = field(default_factory=dict)
    rejections: frozenset[str] = frozenset()

    def of(self, category: Category, outcome: str) -> tuple[Action, ...]:
        """Return what is to be done after an outcome, each thing once."""
        named = (*self.actions.get(category, ()), *self.actions.get(outcome, ()))
        return tuple(dict.fromkeys(named))

    def after(self, claim: Claim, settlement: Settlement) -> tuple[Action, ...]:
        """Return what is to be done now that a row is settled.

        A contact that held the outcome already may have its callback, too: whoever set it will
        have seen to that. A record or a tag is the same the second time.
        """
        wanted = self.of(claim.category, claim.disposition.outcome)
        match settlement.status:
            case Status.APPLIED:
                return wanted
            case Status.UNCHANGED:
                return tuple(one for one in wanted if one.kind is not FollowUpKind.CALLBACK)
            case Status.REJECTED if settlement.reason in self.rejections:
                return wanted
            case _:
                return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFollowUp:
    """A follow-up to be stored with the settlement that causes it.

    Attributes:
        told: further ids of the contact, as the tenant told them.
        state: ``waiting``, or ``impossible`` with a reason, words and an audit entry.
        due_ms: when it may be sent.
    """

    action: Action
    told: Mapping[str, str]
    state: FollowUpState = FollowUpState.WAITING
    reason: str = ""
    words: str = ""
    due_ms: int | None = None
    entry: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A follow-up that is due, with what is needed to carry it out and to conclude it.

    Attributes:
        number: its number in the journal.
        serial: how often it was claimed; only the latest claim may settle it.
        row: the disposition that it follows.
        status: what became of that.
        subject: what its audit entries are about.
        attempt: which attempt the next one is, from 1.
        first_tried_ms: when it was first claimed; None before.
        newer: a newer disposition of the contact stands in the journal.
    """

    number: int
    serial: int
    action: Action
    row: Disposition
    status: Status
    subject: Subject
    told: Mapping[str, str]
    attempt: int = 1
    first_tried_ms: int | None = None
    newer: bool = False

    @property
    def overtaken(self) -> bool:
        """Whether it must not be done any more: nobody is called back who said something newer.

        A record in a DNC group stands whatever is said later, and a tag says what was once so.
        """
        return self.newer and self.action.kind is FollowUpKind.CALLBACK


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpSettlement:
    """What one guarded update stores about a claimed follow-up, with its audit entry."""

    number: int
    serial: int
    event: FollowUpEvent
    state: FollowUpState
    reason: str
    words: str
    due_ms: int | None
    refund: bool
    entry: Mapping[str, Json] | None
    now_ms: int


OVERTAKEN = "A newer outcome of the contact has come in since."


class EntryKind(StrEnum):
    """What an entry about a follow-up records."""

    SETTLED = "follow_up_settled"
    IN_DOUBT = "follow_up_in_doubt"
    REOPENED = "follow_up_reopened"


def concluded(
    one: FollowUp, got: WriteAnswer, exchange: Exchange, terms: "Terms", moment: Moment
) -> FollowUpSettlement:
    """Turn the answer to a follow-up into what is stored.

    Args:
        one: the follow-up as it was claimed.
        got: what the tenant answered about it.
        exchange: what passed.
        terms: whether it may be repeated, and the schedule.
        moment: the time, and a random number for the jitter.
    """
    verdict = _verdict(got, repeatable=terms.repeatable)
    event, due_ms = _schedule(one, verdict, terms.retry, moment)
    state = advance(FollowUpState.SENDING, event)
    words = without_personal_data(verdict.words, with_numbers(one.row))
    entry = None
    if state not in OPEN or verdict.doubt:
        kind = EntryKind.IN_DOUBT if state in OPEN else EntryKind.SETTLED
        finding = Told(state, verdict.reason, words, one.attempt)
        entry = follow_up_entry(one.subject, one.status, one.action, finding, (kind, moment.now_ms))
        entry |= {
            "latency_ms": exchange.latency_ms,
            "write_ms": exchange.write_ms,
            "wait_ms": exchange.wait_ms,
            "http_status": exchange.http_status,
            "request_id": exchange.request_id,
        }
    return FollowUpSettlement(
        number=one.number,
        serial=one.serial + 1,
        event=event,
        state=state,
        reason=verdict.reason,
        words=words,
        due_ms=due_ms,
        refund=not verdict.counts,
        entry=entry,
        now_ms=moment.now_ms,
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """Whether doing it twice is the same as doing it once, and how failures are tried again."""

    repeatable: bool
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says of a follow-up."""

    state: FollowUpState
    reason: str
    words: str = ""
    attempt: int = 0


def follow_up_entry(
    subject: Subject, status: Status, action: Action, told: Told, made: tuple[EntryKind, int]
) -> dict[str, Json]:
    """Return the audit entry of a follow-up: the fields of its row's, and what was done.

    Numbers and times of callbacks are never part of it, only the commitments to the row's own.

    Args:
        subject: the row.
        status: what became of the row.
        action: what was to be done.
        told: what became of that.
        made: what the entry records, and when (ms).
    """
    kind, now_ms = made
    entry = audit_entry(subject, Finding(status, told.reason, told.words), Exchange(), now_ms)
    return entry | {
        "kind": kind,
        "status": told.state,
        "attempt": told.attempt,
        "after": None,
        "follow_up": {"action": action.kind, "target": action.target},
    }


def with_numbers(row: Disposition) -> Disposition:
    """Return a row whose custom fields are all that its follow-ups may tell the tenant.

    That is what the tenant's words must not quote; a telephone number it may write in its own way.
    """
    called = {} if row.call_record is None else row.call_record.personal
    told: dict[str, Json] = {**called, **(row.custom_fields or {})}
    for name, value in tuple(told.items()):
        digits = _NO_DIGIT.sub("", value) if isinstance(value, str) else ""
        if len(digits) >= NUMBER_DIGITS_MIN:
            told |= {f"{name} digits": digits, f"{name} national": digits[-NATIONAL_DIGITS:]}
    return replace(row, custom_fields=told)


@dataclass(frozen=True, slots=True)
class _Verdict:
    event: FollowUpEvent
    reason: str
    words: str = ""
    wait_seconds: float | None = None
    counts: bool = True
    doubt: bool = False
    patient: bool = False


def _verdict(got: WriteAnswer, *, repeatable: bool) -> _Verdict:
    again = FollowUpEvent.POSTPONE
    match got:
        case answer.Accepted():
            return _Verdict(FollowUpEvent.DO, "done")
        case answer.Absent(words):
            return _Verdict(FollowUpEvent.REFUSE, "no_such_target", words)
        case answer.Refused(code, words):
            return _Verdict(FollowUpEvent.REFUSE, code, words)
        case answer.Forbidden(words):
            return _Verdict(FollowUpEvent.REFUSE, "forbidden", words)
        case answer.Throttled(seconds):
            words = "The tenant asked to slow down."
            return _Verdict(again, "throttled", words, seconds, counts=False)
        case answer.Busy(code, words, seconds):
            return _Verdict(again, code, words, seconds, counts=False, patient=True)
        case answer.Unavailable(code, words, sent):
            return _Verdict(again, code, words, counts=sent)
        case answer.Uncertain(code, words):
            event = again if repeatable else FollowUpEvent.LOSE
            return _Verdict(event, code, words, doubt=True)
        case answer.Unauthorized():
            return _Verdict(again, "unauthorized", NOT_LET_IN)
        case _:
            # Nothing is sent under a condition (412).
            return _Verdict(again, "not_now", wait_seconds=0.0, counts=False)


def _schedule(
    one: FollowUp, verdict: _Verdict, retry: RetryPolicy, moment: Moment
) -> tuple[FollowUpEvent, int | None]:
    """Return the event that the schedule makes of a verdict, and when it is due again."""
    if verdict.event is not FollowUpEvent.POSTPONE:
        return verdict.event, None
    waited = (moment.now_ms - (one.first_tried_ms or moment.now_ms)) / 1000
    wait = verdict.wait_seconds
    if wait is None and verdict.patient:
        wait = retry.patience_seconds(waited, moment.chance)
    if wait is None:
        wait = retry.wait_seconds(one.attempt, moment.chance)
    over = waited >= retry.elapsed_seconds_max
    if not verdict.counts:
        # Waiting that is no failure uses nothing up; it is parked for `aftercall resume`.
        return FollowUpEvent.POSTPONE, None if over else moment.now_ms + int(wait * 1000)
    if one.attempt >= retry.attempts_max or over:
        return FollowUpEvent.LOSE if verdict.doubt else FollowUpEvent.EXHAUST, None
    grace_ms = DOUBT_GRACE_MS if verdict.doubt else 0
    return FollowUpEvent.POSTPONE, moment.now_ms + max(int(wait * 1000), grace_ms)
