"""How far a run is, as a live view on a terminal and as plain lines elsewhere."""

from collections import deque
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aftercall.domain.status import REFUSED, Status
from aftercall.engine.progress import Progress
from aftercall.interfaces.cli.figures import clock, count, one_place

WINDOW_SECONDS = 15.0
"""The time over which the speed is taken."""

STAGES = {
    "signing in": "signing in to the tenant",
    "reading": "reading",
    "writing": "writing",
    "following up": "carrying out follow-ups",
    "delivering": "telling the CRM",
    "done": "done",
}


@dataclass(frozen=True, slots=True)
class Glance:
    """How far a run is at one moment.

    Attributes:
        stage: what it is doing.
        rows: rows read so far.
        share: how much of the input was read, 0 to 1; None if that is not known.
        settled: rows that have reached their status.
        total: rows there are to settle in all.
        applied: rows that were written.
        on_call: rows that wait for the end of a call.
        refused: rows that somebody should look at.
        delivered: events that the CRM has taken.
        requests_per_second: how fast requests leave.
        left_seconds: how long it will take at this speed; None if that is not known.
        stopping: the user has asked to stop.
    """

    stage: str
    rows: int
    share: float | None
    settled: int
    total: int
    applied: int
    on_call: int
    refused: int
    delivered: int
    requests_per_second: float
    left_seconds: float | None
    stopping: bool = False


@dataclass(slots=True)
class Gauge:
    """Takes glances at a run's counters and knows their speed.

    Attributes:
        progress: the counters.
        total: rows there are to settle in all.
        ends: when the campaign with the most rows is done at its pace, on the same clock.
        seen: what was seen lately: when, rows settled, requests.
    """

    progress: Progress
    total: int = 0
    ends: float = 0.0
    seen: deque[tuple[float, int, int]] = field(default_factory=deque)

    def look(self, now: float, share: float | None, *, stopping: bool) -> Glance:
        """Return how far the run is at `now`, in seconds on any clock."""
        progress = self.progress
        settled = sum(progress.settled.values())
        self.seen.append((now, settled, progress.requests))
        while now - self.seen[0][0] > WINDOW_SECONDS:
            self.seen.popleft()
        then, settled_then, requests_then = self.seen[0]
        spent = now - then
        pace = (settled - settled_then) / spent if spent > 1 else 0.0
        total = max(self.total, settled)
        left = None
        if progress.stage == "writing" and pace > 0:
            left = max((total - settled) / pace, self.ends - now)
        return Glance(
            stage=progress.stage,
            rows=progress.read,
            share=share,
            settled=settled,
            total=total,
            applied=progress.settled[Status.APPLIED],
            on_call=progress.on_call,
            refused=sum(progress.settled[status] for status in REFUSED),
            delivered=progress.delivered,
            requests_per_second=(progress.requests - requests_then) / spent if spent > 1 else 0.0,
            left_seconds=left,
            stopping=stopping,
        )


def live_view(glance: Glance, width: int) -> RenderableType:
    """Return the view for a terminal of `width` columns: a bar, and the counts below it."""
    if glance.stage == "reading":
        return _bar("reading", glance.share, count(glance.rows, "row"), width)
    if glance.stage not in {"writing", "delivering"}:
        return Text(STAGES.get(glance.stage, glance.stage))
    share = glance.settled / glance.total if glance.total else 1.0
    label = "stopping" if glance.stopping else "writing"
    if glance.stage == "delivering":
        return Text(f"telling the CRM: {count(glance.delivered, 'event')} delivered")
    words = f"{glance.settled:,} of {glance.total:,}"
    return Group(_bar(label, share, words, width), Text(f"{'':<9}{_counts(glance)}"))


def plain_line(glance: Glance) -> str:
    """Return the same as one line for a log."""
    if glance.stage == "reading":
        share = "" if glance.share is None else f" ({glance.share:.0%} of the input)"
        return f"reading: {count(glance.rows, 'row')}{share}"
    if glance.stage == "writing":
        label = "stopping" if glance.stopping else "writing"
        return f"{label}: {glance.settled:,} of {glance.total:,}; {_counts(glance)}"
    if glance.stage == "delivering":
        return f"telling the CRM: {count(glance.delivered, 'event')} delivered"
    return STAGES.get(glance.stage, glance.stage)


def _counts(glance: Glance) -> str:
    parts = [f"applied {glance.applied:,}"]
    if glance.on_call:
        parts.append(f"on a call {glance.on_call:,}")
    if glance.refused:
        parts.append(f"refused {glance.refused:,}")
    if glance.requests_per_second:
        parts.append(f"{one_place(glance.requests_per_second)} requests/s")
    if glance.left_seconds is not None and not glance.stopping:
        parts.append(f"{clock(glance.left_seconds)} left")
    return ", ".join(parts)


def _bar(label: str, share: float | None, words: str, width: int) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=8, no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    room = max(10, min(50, width - 12 - len(words)))
    bar: RenderableType = Text()
    if share is not None:
        bar = ProgressBar(total=1.0, completed=min(1.0, share), width=room, complete_style="cyan")
    grid.add_row(Text(label, style="bold"), bar, words)
    return grid
