"""What a run has done so far, for whoever wants to watch it."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from aftercall.domain.audit import Settled
from aftercall.domain.report import CampaignPace
from aftercall.domain.status import Status


@dataclass(slots=True)
class ListTally:
    """What lists of contacts were good for.

    Attributes:
        asked: how many were asked for.
        silent: how many of them told nothing.
        trouble: what the first of those was answered, and for whom.
        contacts: how many contacts the others were asked for.
        untold: how many of those they did not tell of beyond doubt.
    """

    asked: int = 0
    silent: int = 0
    trouble: str = ""
    contacts: int = 0
    untold: int = 0

    def answered(self, contacts: int) -> None:
        """Count a list of so many contacts that told something."""
        self.asked += 1
        self.contacts += contacts

    def told_nothing(self, trouble: str) -> None:
        """Count a list that told nothing."""
        self.asked += 1
        self.silent += 1
        self.trouble = self.trouble or trouble


@dataclass(slots=True)
class Progress:
    """Counters that a progress bar reads while a run goes on.

    Attributes:
        read: rows admitted so far in this run.
        waiting: rows that are open.
        settled: rows settled so far by status.
        requests: requests sent to the tenant.
        throttled: answers that asked to slow down.
        delivered: CRM events that were delivered.
        crm_wait_seconds: time that was spent on deliveries alone, after the last row.
        on_call: rows that wait for the end of a call.
        stage: ``signing in``, ``reading``, ``writing``, ``delivering`` or ``done``.
        bytes_read: bytes of the inputs read so far.
        bytes_total: bytes of the inputs in all, 0 if unknown.
        lists: what lists of contacts were good for.
    """

    read: int = 0
    waiting: int = 0
    settled: Counter[Status] = field(default_factory=Counter)
    requests: int = 0
    throttled: int = 0
    delivered: int = 0
    crm_wait_seconds: float = 0.0
    on_call: int = 0
    stage: str = "signing in"
    bytes_read: int = 0
    bytes_total: int = 0
    lists: ListTally = field(default_factory=ListTally)

    def admitted(self, rows: int, settled: Sequence[Settled]) -> None:
        """Count a batch of rows that entered the journal, some of them settled at once."""
        self.read += rows
        self.waiting += rows
        self.concluded(settled)

    def concluded(self, settled: Sequence[Settled]) -> None:
        """Count rows that have reached their status."""
        self.waiting -= len(settled)
        self.settled.update(row.status for row in settled)


@dataclass(slots=True)
class Meter:
    """Counts the requests of one campaign and the most that left in any second.

    Attributes:
        campaign: its id.
        limit_per_second: what the configuration allows it.
    """

    campaign: str
    limit_per_second: float
    requests: int = 0
    throttled: int = 0
    peak: int = 0
    first_seconds: float = 0.0
    last_seconds: float = 0.0
    recent: deque[float] = field(default_factory=deque)

    def count(self, now_seconds: float) -> None:
        """Count a request that leaves now."""
        if not self.last_seconds:
            self.first_seconds = now_seconds
        self.requests += 1
        self.last_seconds = now_seconds
        self.recent.append(now_seconds)
        while self.recent[0] <= now_seconds - 1.0:
            self.recent.popleft()
        self.peak = max(self.peak, len(self.recent))

    def take(self) -> CampaignPace:
        """Return what was counted and start anew."""
        figures = CampaignPace(
            campaign=self.campaign,
            requests=self.requests,
            throttled=self.throttled,
            peak_per_second=self.peak,
            active_seconds=self.last_seconds - self.first_seconds,
            limit_per_second=self.limit_per_second,
        )
        self.requests = self.throttled = self.peak = 0
        self.first_seconds = self.last_seconds
        return figures
