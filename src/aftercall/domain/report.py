"""The report of a run: what became of every row, counted so that it must add up."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from aftercall.domain.disposition import Json
from aftercall.domain.follow_ups import UNDONE, FollowUpState
from aftercall.domain.status import OPEN, REFUSED, SUCCESSFUL, Status


@dataclass(frozen=True, slots=True)
class Tally:
    """One group of rows of a run that share these values, as the journal counts them.

    Attributes:
        status: their status.
        reason: their reason code; empty for rows nobody has touched yet.
        campaign: their campaign; empty if an invalid row named none.
        outcome: their outcome code; empty if an invalid row named none.
        rows: how many they are.
    """

    status: Status
    reason: str
    campaign: str
    outcome: str
    rows: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one phase over the rows that went through it."""

    count: int
    average_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class LatencyCount:
    """How many rows took about so long in one phase; a bounded number of these tells of all rows.

    Attributes:
        phase: one of `PHASES`.
        ms: how long, to three digits.
        rows: how many.
        total_us: microseconds of them all together.
        max_ms: the longest that was ever counted here.
    """

    phase: str
    ms: float
    rows: int
    total_us: int
    max_ms: float


def latency_of(counts: Sequence[LatencyCount]) -> Latency:
    """Return the figures of one phase; quantiles are within half a percent.

    Args:
        counts: the phase's counts, the shortest first, and at least one.
    """
    rows = sum(one.rows for one in counts)
    average = sum(one.total_us for one in counts) / 1000 / rows
    longest = max(one.max_ms for one in counts)
    p50, p95, p99 = (
        round(min(longest, _quantile(counts, math.ceil(rows * share))), 1)
        for share in (0.5, 0.95, 0.99)
    )
    return Latency(rows, round(average, 1), p50, p95, p99, round(longest, 1))


def _quantile(counts: Sequence[LatencyCount], wanted: int) -> float:
    """Return the duration that `wanted` rows stay at or below."""
    seen = 0
    for one in counts:
        seen += one.rows
        if seen >= wanted:
            return one.ms
    return counts[-1].ms


PHASES = ("wait", "read", "write", "row")
"""Waiting for the pace; the read; the write; the tenant's time for the whole row."""


@dataclass(frozen=True, slots=True)
class CampaignPace:
    """How fast requests of one campaign left, against what it allows.

    Attributes:
        campaign: its id.
        requests: all requests of the run, reads and writes.
        throttled: answers that asked to slow down (429).
        peak_per_second: most requests in any second, of any alignment.
        active_seconds: the time between the first request and the last one.
        limit_per_second: the configured rate.
    """

    campaign: str
    requests: int
    throttled: int
    peak_per_second: int
    active_seconds: float
    limit_per_second: float

    @property
    def average_per_second(self) -> float:
        """Requests per second while the campaign was worked on."""
        spaces = self.requests - 1
        return spaces / self.active_seconds if spaces > 0 and self.active_seconds else 0.0


@dataclass(frozen=True, slots=True)
class OptOutCount:
    """The opt-outs of a run.

    Attributes:
        read: how many there were.
        not_landed: how many of them the tenant does not hold.
        late: how many it holds that landed after their deadline, and nobody has acknowledged.
        partial: of how many a part of the call record was wrong, and left out.
    """

    read: int = 0
    not_landed: int = 0
    late: int = 0
    partial: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did, so far.

    Attributes:
        run: its id.
        state: ``finished``, ``paused`` (rows are open) or ``running``.
        read: rows that were read from its sources.
        tallies: the rows counted by status, reason, campaign and outcome.
        latency: milliseconds per phase, see `PHASES`.
        pace: requests per campaign.
        deliveries: CRM events by state: delivered, waiting, dead.
        disabled: endpoints of the CRM that asked not to be called any more (410).
        elapsed_seconds: time that was spent on its rows, over all invocations.
        crm_wait_seconds: time that deliveries alone took after the last row, in the invocation
            that reports; None if the report was read from the journal.
        opt_outs: how many of its rows are opt-outs, and how many of those did not land, or late.
        follow_ups: its rows' follow-ups by kind and state.
        files: where its result files lie, by name.
        audit_trail: the audit entries of its rows; read from the journal when it is iterated.
    """

    run: str
    state: str
    read: int
    tallies: tuple[Tally, ...]
    latency: Mapping[str, Latency]
    pace: tuple[CampaignPace, ...]
    deliveries: Mapping[str, int]
    elapsed_seconds: float
    crm_wait_seconds: float | None = None
    disabled: tuple[str, ...] = ()
    opt_outs: OptOutCount = OptOutCount()
    follow_ups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    audit_trail: Iterable[Mapping[str, Json]] = field(default=(), repr=False)

    def count(self, *statuses: Status) -> int:
        """Return how many rows have one of `statuses`."""
        return sum(tally.rows for tally in self.tallies if tally.status in statuses)

    @property
    def statuses(self) -> Mapping[Status, int]:
        """Rows per status, in the order of `Status`, without those that have none."""
        counted = {status: self.count(status) for status in Status}
        return {status: rows for status, rows in counted.items() if rows}

    def reasons(self, status: Status) -> Mapping[str, int]:
        """Return the rows of `status` per reason code, most first."""
        counted: Counter[str] = Counter()
        for tally in self.tallies:
            if tally.status is status:
                counted[tally.reason] += tally.rows
        return dict(counted.most_common())

    def by(self, column: str) -> Mapping[str, Mapping[Status, int]]:
        """Return the rows per status for each ``"campaign"`` or ``"outcome"``."""
        counted: dict[str, Counter[Status]] = {}
        for tally in self.tallies:
            name = tally.campaign if column == "campaign" else tally.outcome
            counted.setdefault(name, Counter())[tally.status] += tally.rows
        return {name: dict(counted[name]) for name in sorted(counted)}

    @property
    def total_processed(self) -> int:
        """Rows that are settled."""
        return self.successful + self.failed

    @property
    def successful(self) -> int:
        """Rows that nobody has to look at: applied, unchanged, duplicate, superseded."""
        return self.count(*SUCCESSFUL)

    @property
    def failed(self) -> int:
        """Rows that somebody should look at: missing, invalid, rejected, failed."""
        return self.count(*REFUSED)

    @property
    def open(self) -> int:
        """Rows that wait for `aftercall resume`."""
        return self.count(*OPEN)

    def followed_up(self, *states: FollowUpState) -> int:
        """Return how many follow-ups are in one of `states`."""
        return sum(counts.get(state, 0) for counts in self.follow_ups.values() for state in states)

    @property
    def reconciles(self) -> bool:
        """Whether every row that was read has exactly one status."""
        return self.read == sum(tally.rows for tally in self.tallies)

    @property
    def accuracy_rate_percent(self) -> float:
        """Successful of processed rows of this run, in percent; 100 if there were none."""
        processed = self.total_processed
        return round(100.0 * self.successful / processed, 2) if processed else 100.0

    @property
    def average_latency_ms(self) -> float:
        """The tenant's time per row that was sent: reads and writes, without waiting."""
        return self.latency["row"].average_ms if "row" in self.latency else 0.0

    def as_json(self) -> dict[str, Json]:
        """Return the report as one JSON document, without the audit trail's entries."""
        waited = self.crm_wait_seconds
        return {
            "run": self.run,
            "state": self.state,
            "read": self.read,
            "total_processed": self.total_processed,
            "successful": self.successful,
            "failed": self.failed,
            "open": self.open,
            "reconciles": self.reconciles,
            "accuracy_rate_percent": self.accuracy_rate_percent,
            "average_latency_ms": self.average_latency_ms,
            "statuses": _plain(self.statuses),
            "reasons": {status: dict(self.reasons(status)) for status in self.statuses},
            "by_campaign": {name: _plain(rows) for name, rows in self.by("campaign").items()},
            "by_outcome": {name: _plain(rows) for name, rows in self.by("outcome").items()},
            "latency": {name: asdict(figures) for name, figures in self.latency.items()},
            "pace": [
                asdict(figures) | {"average_per_second": round(figures.average_per_second, 2)}
                for figures in self.pace
            ],
            "opt_outs": asdict(self.opt_outs),
            "follow_ups": {kind: dict(states) for kind, states in self.follow_ups.items()},
            "crm": dict(self.deliveries),
            "crm_disabled": list(self.disabled),
            "elapsed_seconds": round(self.elapsed_seconds, 3),
            "crm_wait_seconds": None if waited is None else round(waited, 3),
            "files": dict(self.files),
        }


def _plain(rows: Mapping[Status, int]) -> dict[str, Json]:
    return {status.value: count for status, count in rows.items()}


def exit_code(report: Report) -> int:
    """Return the exit code that a run's report calls for.

    0 all rows settled without a refusal and all follow-ups done, 1 the rows do not add up, 4
    finished with refusals or follow-ups that were not done, 75 rows or follow-ups still open.
    """
    if not report.reconciles:
        return 1
    if report.open or report.state != "finished":
        return 75
    return 4 if report.failed or report.followed_up(*UNDONE) else 0
