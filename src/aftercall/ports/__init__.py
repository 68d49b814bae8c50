"""The narrow protocols between the engine and the technologies under it.

Each has two implementations or is about to: the journal lives in SQLite or PostgreSQL, requests
leave over HTTP or enter a simulated world, clocks are the system's or a test's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aftercall.domain.audit import Settled
from aftercall.domain.cells import Problem
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.follow_ups import NewFollowUp
from aftercall.domain.opt_outs import Acknowledgement, OptOutFilter, OptOutRow
from aftercall.domain.outcomes import Category
from aftercall.domain.pacing import Pace, Slots
from aftercall.domain.report import CampaignPace, Tally
from aftercall.domain.settlement import Claim, Settlement
from aftercall.domain.status import Status
from aftercall.ports.crm import (
    Announcement,
    AttemptRecord,
    Delivery,
    DeliveryResult,
    DisabledEndpoint,
    EventArchive,
    EventFilter,
    EventHistory,
    EventRecord,
    EventTally,
    Outbox,
    Redelivery,
)
from aftercall.ports.follow_ups import FollowUpArchive
from aftercall.wire.http import HttpRequest, HttpResponse

__all__ = [
    "Announcement",
    "Archive",
    "AttemptRecord",
    "AuditFilter",
    "Candidate",
    "Claims",
    "Clock",
    "Delivery",
    "DeliveryResult",
    "DisabledEndpoint",
    "EventArchive",
    "EventFilter",
    "EventHistory",
    "EventRecord",
    "EventTally",
    "Intake",
    "Outbox",
    "Pacing",
    "Redelivery",
    "RowRecord",
    "RunRecord",
    "SourceRecord",
    "Transport",
    "Turn",
    "WaitingOutcome",
    "WaitingRows",
]


class Clock(Protocol):
    """The time of day and the time that passes."""

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        ...

    def seconds(self) -> float:
        """Return seconds on a clock that is never set back."""
        ...


class Transport(Protocol):
    """Carries requests to the other side."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return its answer.

        Raises:
            NotSent: it certainly never arrived.
            MaybeSent: it may have arrived.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One input of a run.

    Attributes:
        number: its place among the journal's sources, given by the journal.
        run: the run that reads it.
        name: as the user gave it.
        path: where it can be read again; None for a stream or objects.
        sha256: the hex digest of its bytes; None for a stream or objects.
        options: how it is read, as JSON.
        columns: the header as it stands in the file; empty for JSON.
        rows_read: how many of its rows are in the journal.
        complete: whether all of it was read.
    """

    number: int
    run: str
    name: str
    path: str | None
    sha256: str | None
    options: Mapping[str, Json]
    columns: tuple[str, ...]
    rows_read: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row as it was read, on its way into the journal.

    Attributes:
        line: where it starts in its source.
        cells: the original cells as a JSON array, for the result files.
        disposition: what is to be written, its timestamp filled in; None if it is invalid.
        category: what its outcome means; None if it is invalid.
        key: which disposition it is; None if it is invalid.
        problems: what is wrong with it; of an opt-out that is valid, what was left out of its
            call record.
        told: campaign, contact, outcome and agent of an invalid row, as far as it told them.
        opt_out_received: when the clock of an opt-out started; None if it is none. An invalid
            row has one if its outcome can be recognised as an opt-out.
    """

    line: int
    cells: str = field(repr=False)
    disposition: Disposition | None = None
    category: Category | None = None
    key: bytes | None = None
    problems: tuple[Problem, ...] = ()
    told: Mapping[str, str] = field(default_factory=dict)
    opt_out_received: datetime | None = None


class Intake(Protocol):
    """Where rows enter the journal."""

    async def begin(
        self, run: str, on_conflict: str, sources: Sequence[SourceRecord], now_ms: int
    ) -> Sequence[SourceRecord]:
        """Record that `run` has started, with all of its inputs, in one transaction.

        Returns the inputs with their numbers. `on_conflict` says which of several dispositions
        of one contact counts: ``newest``, ``first`` or ``error``.
        """
        ...

    async def admit(
        self, source: SourceRecord, candidates: Sequence[Candidate], now_ms: int
    ) -> Sequence[Settled]:
        """Store rows in one transaction, durably; return those that were settled at once.

        A row whose key is held by another is a duplicate; one without a key is invalid.
        """
        ...

    async def close_source(self, source: SourceRecord) -> None:
        """Record that all of an input was read."""
        ...

    async def finish(self, run: str, now_ms: int) -> Sequence[Settled]:
        """Record that all inputs of `run` were read, and settle and return what conflicts.

        Does nothing while an input that can be read again was not read to its end, and nothing
        the second time.
        """
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """A worker's turn on one campaign.

    Attributes:
        epoch: the fence: slots are only given to the latest epoch.
        claims: the rows taken.
        settled: rows that were settled in taking them: superseded by a newer one.
        due_ms: when the campaign's next row is due; None if no row waits.
    """

    epoch: int
    claims: tuple[Claim, ...]
    settled: tuple[Settled, ...]
    due_ms: int | None


class Claims(Protocol):
    """Where rows are taken and settled."""

    async def due(self) -> Mapping[str, int]:
        """Return for each campaign with waiting rows when its next one is due (ms)."""
        ...

    async def recover(self, now_ms: int) -> int:
        """Make rows due again that a dead process held or a former run left; return how many."""
        ...

    async def take_turn(self, campaign: str, rows_max: int, now_ms: int) -> Turn:
        """Raise the campaign's epoch and claim up to `rows_max` due rows, opt-outs first."""
        ...

    async def settle(
        self,
        settlement: Settlement,
        announcements: Sequence[Announcement],
        follow_ups: Sequence[NewFollowUp] = (),
    ) -> bool:
        """Store a settlement with all that it causes, in one transaction.

        That is its audit entry, its CRM events and its follow-ups; a follow-up that the row has
        already stays as it is.

        Returns False, and stores nothing, if the row was claimed anew meanwhile.
        """
        ...

    async def reopen(self, run: str, statuses: tuple[Status, ...], now_ms: int) -> int:
        """Make settled rows of a run due again; return how many.

        One whose disposition was fed again meanwhile becomes a duplicate instead.
        """
        ...


class Pacing(Protocol):
    """The limiter and the fence: one row per campaign."""

    async def reserve(self, campaign: str, epoch: int, pace: Pace, now_us: int) -> Slots | None:
        """Reserve the campaign's next block of slots; None if another worker has taken it over.

        The empty campaign stands for the tenant as a whole and has no epoch.
        """
        ...

    async def pause(self, campaign: str, until_us: int) -> None:
        """Give no slot of the campaign before `until_us`."""
        ...

    async def note_pace(self, run: str, figures: Sequence[CampaignPace], worked_ms: int) -> None:
        """Add requests that were sent, and working time, to what the run's report says."""
        ...


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the journal lists it."""

    run: str
    started_ms: int
    worked_ms: int
    read: int
    intake_complete: bool
    sources: tuple[SourceRecord, ...]


@dataclass(frozen=True, slots=True)
class RowRecord:
    """One row as the result files and `aftercall show` list it."""

    id: int
    source: int
    line: int
    cells: str = field(repr=False)
    campaign: str
    contact: str
    outcome: str
    status: Status
    reason: str
    words: str
    problems: str | None
    attempts: int
    settled_ms: int | None
    follow_ups: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingRows:
    """A campaign's waiting rows of a run: how many newer ones supersede, how many are written."""

    campaign: str
    superseded: int
    to_write: int
    opt_outs: int


@dataclass(frozen=True, slots=True)
class WaitingOutcome:
    """How many rows of a run with the same outcome in a campaign wait and are written."""

    campaign: str
    category: str
    outcome: str
    rows: int


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which audit entries are asked for; what is None is not asked about. Times are ms."""

    run: str | None = None
    campaign: str | None = None
    contact: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


class OptOuts(Protocol):
    """Where it is kept who has looked at an opt-out that was not applied."""

    async def acknowledge(
        self, rows: Sequence[int], said: Acknowledgement, *, withdrawn: bool
    ) -> None:
        """Store an acknowledgement of opt-outs, or its withdrawal, each with its audit entry.

        The rows are opt-outs; what is stored later about one counts.
        """
        ...


class Archive(Protocol):
    """The read side of the journal: what `overview` makes pages, files and reports of."""

    def runs(self, run: str | None = None) -> Sequence[RunRecord]:
        """Return one run or all runs, the newest first."""
        ...

    def newest_open_run(self) -> str | None:
        """Return the newest run with rows that are open or were not read yet."""
        ...

    def tallies(self, run: str) -> Sequence[Tally]:
        """Count the rows of a run."""
        ...

    def timings(self, run: str) -> Iterator[tuple[float | None, float | None, float | None]]:
        """Yield wait, read and write milliseconds of each row of a run that was sent."""
        ...

    def rows(self, run: str, statuses: Collection[Status]) -> Iterator[RowRecord]:
        """Yield the rows of a run that have one of `statuses`, in the order of the input."""
        ...

    def pace(self, run: str) -> Sequence[CampaignPace]:
        """Return the requests of a run per campaign."""
        ...

    def paused(self, now_us: int) -> Mapping[str, int]:
        """Return the campaigns that are paused, and until when in microseconds."""
        ...

    @property
    def crm(self) -> EventArchive:
        """The CRM's events."""
        ...

    @property
    def follow_ups(self) -> FollowUpArchive:
        """The follow-ups of rows."""
        ...

    def opt_outs(self, asked: OptOutFilter) -> Iterator[OptOutRow]:
        """Yield opt-outs with a clock of their own, the nearest deadline first."""
        ...

    def opt_out(self, row: int) -> OptOutRow | None:
        """Return the opt-out of a number; None if there is no such row or it is none."""
        ...

    def opt_outs_of_run(self, run: str) -> tuple[int, int, Iterator[OptOutRow]]:
        """Count the opt-outs of a run, and yield those that it did not bring to the tenant."""
        ...

    def call_entries(self, asked: AuditFilter) -> Iterator[tuple[int, str]]:
        """Yield the number and the entries of rows that stand for a call each."""
        ...

    def entries_of_repeats(self, row: int) -> Iterator[str]:
        """Yield entries of the same disposition as that of `row`, fed again with a call record."""
        ...

    def entries(self, asked: AuditFilter) -> Iterator[str]:
        """Yield audit entries as JSON texts, in the order in which they were stored."""
        ...
