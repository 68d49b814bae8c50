"""The read side of the journal: what pages, files and reports are made of."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from aftercall.domain.disposition import Json
from aftercall.domain.opt_outs import OptOutFilter, OptOutRow
from aftercall.domain.report import CampaignPace, LatencyCount, Tally
from aftercall.domain.status import Status
from aftercall.ports.audit import AuditFilter
from aftercall.ports.crm import EventArchive
from aftercall.ports.follow_ups import FollowUpArchive


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


class Archive(Protocol):
    """The read side of the journal: what `overview` makes pages, files and reports of."""

    def one_instant(self) -> AbstractContextManager[None]:
        """Show the journal as it is at one instant, while a run goes on."""
        ...

    def runs(self, run: str | None = None, most: int | None = None) -> Sequence[RunRecord]:
        """Return one run, or all runs or so many, the newest first."""
        ...

    def count_runs(self) -> int:
        """Count all runs."""
        ...

    def newest_open_run(self) -> str | None:
        """Return the newest run with rows that are open or were not read yet."""
        ...

    def tallies(self, run: str) -> Sequence[Tally]:
        """Count the rows of a run."""
        ...

    def standings(self, run: str) -> Mapping[Status, int]:
        """Count the rows of a run by status."""
        ...

    def latencies(self, run: str) -> Sequence[LatencyCount]:
        """Return how long the rows of a run took that were sent, counted by phase and time.

        Of a row that was sent several times the last time counts.
        """
        ...

    def rows(self, run: str, statuses: Collection[Status]) -> Iterator[RowRecord]:
        """Yield the rows of a run that have one of `statuses`, in the order of the input."""
        ...

    def first_rows(self, run: str, statuses: Collection[Status], most: int) -> Sequence[RowRecord]:
        """Return the first rows of a run that have one of `statuses`, as many as are asked for."""
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

    def opt_outs(self, asked: OptOutFilter, slow_ms: int | None = None) -> Iterator[OptOutRow]:
        """Yield opt-outs with a clock of their own, the nearest deadline first.

        With `slow_ms` those are left out that the tenant has held since less than that after they
        were received, and still holds for all that the journal knows.
        """
        ...

    def count_opt_outs(self, asked: OptOutFilter) -> int:
        """Count opt-outs with a clock of their own."""
        ...

    def opt_out(self, row: int) -> OptOutRow | None:
        """Return the opt-out of a number; None if there is no such row or it is none."""
        ...

    def opt_outs_of_run(self, run: str, slow_ms: int) -> tuple[int, int, Iterator[OptOutRow]]:
        """Count the opt-outs of a run, and yield those that it did not bring to the tenant.

        And those that it did bring, `slow_ms` milliseconds or more after they were received.
        """
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
