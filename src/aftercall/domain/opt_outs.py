"""Opt-outs: where each one stands between the day it was received and its deadline.

An opt-out is *applied* when the tenant holds it, and the records in DNC groups that follow it, if
any, are made. Which outcome the tenant holds of a contact is
told by the rows that reached it, in the order of their dispositions; so an opt-out that failed is
applied by a later one of the same contact, and one that was applied is *overwritten* by a newer
outcome that is no opt-out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from aftercall.domain import instant
from aftercall.domain.audit import Exchange, Finding, Subject, audit_entry
from aftercall.domain.business_days import Calendar, Deadline, deadline_of
from aftercall.domain.disposition import Json
from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.status import Status

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

ACKNOWLEDGED_KIND = "opt_out_acknowledged"
WITHDRAWN_KIND = "opt_out_acknowledgement_withdrawn"


class Standing(StrEnum):
    """Where an opt-out stands. The order is the order in which they need somebody."""

    LATE = "late"
    OVERWRITTEN = "overwritten"
    NEAR = "near"
    PENDING = "pending"
    APPLIED = "applied"
    ACKNOWLEDGED = "acknowledged"


PRESSING = frozenset({Standing.LATE, Standing.OVERWRITTEN, Standing.NEAR})
"""Somebody should act now: exit code 4."""

UNSETTLED = PRESSING | {Standing.PENDING}
"""What is listed unless another standing is asked for."""


@dataclass(frozen=True, slots=True)
class Held:
    """An outcome that the tenant holds, or held, of a contact.

    Attributes:
        timestamp_ms: when the outcome was reached.
        row: the row that brought it; 0 if somebody else did.
        outcome: its code.
        opt_out: whether it is an opt-out.
        at_ms: when it was written, or seen.
    """

    timestamp_ms: int
    row: int
    outcome: str
    opt_out: bool
    at_ms: int

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of dispositions: the newest wins."""
        return (self.timestamp_ms, self.row)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody has looked at an opt-out that was not applied in time, and says why."""

    by: str
    reason: str = field(repr=False)
    at_ms: int


@dataclass(frozen=True, slots=True)
class LackingRecord:
    """A record in a DNC group that was to follow an opt-out and was not made, or not yet.

    Attributes:
        dnc_group: the id of the group.
        state: where the follow-up stands.
        reason: why; empty if it was not looked at yet.
        since_ms: since when it stands so.
    """

    dnc_group: str
    state: FollowUpState
    reason: str
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutRow:
    """One row that is an opt-out, as the journal knows it.

    Attributes:
        row: its number in the journal.
        received_ms: when the clock started.
        timestamp_ms: when the outcome was reached; None if an invalid row did not tell.
        settled_ms: when the row reached its status; None while it is open.
        held: what reached the tenant of the same contact, by any row, in any order.
        seen: the outcome that the tenant was found to hold when that superseded this row.
        acknowledged: the latest acknowledgement that was not withdrawn.
        lacking: the DNC records that the row asks for and that are not made.
    """

    row: int
    run: str
    source: str
    line: int
    campaign: str
    contact: str
    outcome: str
    status: Status
    reason: str
    words: str
    received_ms: int
    timestamp_ms: int | None = None
    settled_ms: int | None = None
    held: Sequence[Held] = ()
    seen: Held | None = None
    acknowledged: Acknowledgement | None = None
    lacking: Sequence[LackingRecord] = ()

    @property
    def place(self) -> tuple[int, int]:
        """Its place in the order of dispositions."""
        stamp = self.received_ms if self.timestamp_ms is None else self.timestamp_ms
        return (stamp, self.row)


@dataclass(frozen=True, slots=True)
class OptOutFilter:
    """Which opt-outs are asked for, by when they were received (ms) and whose they are."""

    campaign: str | None = None
    contact: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an opt-out at the tenant.

    Attributes:
        applied_ms: since when the tenant has held it, or held it; None if it never did.
        overwritten: the newer outcome, no opt-out, that the tenant holds in its place.
    """

    applied_ms: int | None = None
    overwritten: Held | None = None

    @property
    def landed(self) -> bool:
        """Whether the tenant holds the opt-out now."""
        return self.applied_ms is not None and self.overwritten is None


def fate_of(row: OptOutRow, codes: Collection[str] = ()) -> Fate:
    """Say what became of an opt-out at the tenant; `codes` are the outcome codes that are one."""
    every = [*row.held]
    if row.seen is not None:
        every.append(replace(row.seen, opt_out=row.seen.outcome in codes))
    held = sorted(every, key=lambda one: one.place)
    older = [one for one in held if one.place <= row.place]
    newer = [one for one in held if one.place > row.place]
    # Opt-outs right before and right after it: between them and it nothing else was written.
    around = [*_leading(older[::-1]), *_leading(newer)]
    if not around:
        around = [one for one in newer if one.opt_out]
    applied_ms = min((one.at_ms for one in around), default=None)
    last = newer[-1] if newer else None
    return Fate(applied_ms, None if last is None or last.opt_out else last)


def _leading(held: Sequence[Held]) -> list[Held]:
    """Return the opt-outs at the beginning of `held`."""
    found: list[Held] = []
    for one in held:
        if not one.opt_out:
            break
        found.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Terms:
    """How long opt-outs may take.

    Attributes:
        calendar: which days count.
        business_days: how many may pass after the day on which one was received.
        near_days: with so many left, or fewer, an open one is near.
        codes: the outcome codes that are opt-outs.
    """

    calendar: Calendar
    business_days: int
    near_days: int
    codes: Collection[str] = ()

    @property
    def shortest_ms(self) -> int:
        """How long an opt-out has at least; what was applied sooner cannot be late."""
        return self.business_days * DAY_MS - HOUR_MS  # The day on which clocks go forward.


@dataclass(frozen=True, slots=True)
class OptOut:
    """One opt-out, judged."""

    row: OptOutRow
    fate: Fate
    deadline: Deadline
    standing: Standing

    @property
    def in_time(self) -> bool | None:
        """Whether it was applied before its deadline; None if it never was."""
        applied = self.fate.applied_ms
        return None if applied is None else applied < self.deadline.due_ms


def judge(row: OptOutRow, terms: Terms, now_ms: int) -> OptOut:
    """Say where an opt-out stands at `now_ms`."""
    fate = fate_of(row, terms.codes)
    deadline = deadline_of(row.received_ms, terms.business_days, terms.calendar)
    return OptOut(row, fate, deadline, _standing(row, fate, deadline, terms, now_ms))


def _standing(
    row: OptOutRow, fate: Fate, deadline: Deadline, terms: Terms, now_ms: int
) -> Standing:
    done_ms = fate.applied_ms
    in_time = done_ms is not None and done_ms < deadline.due_ms
    if fate.landed and in_time and not row.lacking:
        return Standing.APPLIED
    if _covers(row.acknowledged, fate, row.lacking):
        return Standing.ACKNOWLEDGED
    if fate.overwritten is not None:
        return Standing.OVERWRITTEN
    if (done_ms is not None and not in_time) or now_ms >= deadline.due_ms:
        return Standing.LATE
    left = terms.calendar.between(terms.calendar.day_of(now_ms), deadline.day)
    return Standing.NEAR if left <= terms.near_days else Standing.PENDING


def _covers(said: Acknowledgement | None, fate: Fate, lacking: Sequence[LackingRecord]) -> bool:
    """Say whether an acknowledgement still holds.

    Not if the opt-out was overwritten since, or a DNC record came to nothing since.
    """
    if said is None or any(one.since_ms > said.at_ms for one in lacking):
        return False
    return fate.overwritten is None or fate.overwritten.at_ms <= said.at_ms


def business_days_left(judged: OptOut, calendar: Calendar, now_ms: int) -> int:
    """Count the business days after today up to the deadline; negative: how many it is over."""
    today = calendar.day_of(now_ms)
    if today <= judged.deadline.day:
        return calendar.between(today, judged.deadline.day)
    return -calendar.between(judged.deadline.day, today)


def acknowledgement_entry(
    subject: Subject, finding: Finding, said: Acknowledgement, *, withdrawn: bool
) -> dict[str, Json]:
    """Return the audit entry of an acknowledgement, or of its withdrawal.

    Args:
        subject: the row.
        finding: what the journal says of the row at that time.
        said: who says why, and when.
        withdrawn: an earlier acknowledgement is taken back.
    """
    about: Mapping[str, Json] = {
        "kind": WITHDRAWN_KIND if withdrawn else ACKNOWLEDGED_KIND,
        "timestamp": instant.text(said.at_ms),
        "message": said.reason,
        "after": None,
        "by": said.by,
    }
    return {**audit_entry(subject, finding, Exchange(), said.at_ms), **about}
