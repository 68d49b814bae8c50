"""The narrow protocols between the engine and the technologies under it.

Each has two implementations or is about to: the journal lives in SQLite or PostgreSQL, requests
leave over HTTP or enter a simulated world, clocks are the system's or a test's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aftercall.domain.audit import Settled
from aftercall.domain.cells import Problem
from aftercall.domain.disposition import Disposition
from aftercall.domain.follow_ups import NewFollowUp
from aftercall.domain.opt_outs import Acknowledgement
from aftercall.domain.outcomes import Category
from aftercall.domain.pacing import Pace, Slots
from aftercall.domain.report import CampaignPace
from aftercall.domain.settlement import Claim, Settlement
from aftercall.domain.status import Status
from aftercall.ports.archive import (
    Archive,
    RowRecord,
    RunRecord,
    SourceRecord,
    WaitingOutcome,
    WaitingRows,
)
from aftercall.ports.audit import AuditFilter
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


class OptOuts(Protocol):
    """Where it is kept who has looked at an opt-out that was not applied."""

    async def acknowledge(
        self, rows: Sequence[int], said: Acknowledgement, *, withdrawn: bool
    ) -> None:
        """Store an acknowledgement of opt-outs, or its withdrawal, each with its audit entry.

        The rows are opt-outs; what is stored later about one counts.
        """
        ...
