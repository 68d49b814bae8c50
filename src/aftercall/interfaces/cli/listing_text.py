"""Runs and rows as a person or a program reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from aftercall.adapters.results import messages_of
from aftercall.domain import instant
from aftercall.domain.disposition import Json
from aftercall.domain.status import OPEN, REFUSED, SUCCESSFUL, Status
from aftercall.interfaces.cli.figures import local_time, zone
from aftercall.interfaces.cli.report_text import style_of
from aftercall.interfaces.cli.terminal import plain
from aftercall.ports import RowRecord, RunRecord

WIDE = 110
"""Columns from which the inputs stand on a run's own line."""

INDENT = "    "
MINUTES = len("2026-11-23 10:15")


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run as it is listed.

    Attributes:
        held: a process works on its journal.
        follows: follow-ups of its rows are open.
    """

    record: RunRecord
    successful: int
    failed: int
    open: int
    held: bool = False
    follows: bool = False

    @property
    def state(self) -> str:
        """Whether the run has something left to do."""
        if self.record.intake_complete and not self.open and not self.follows:
            return "finished"
        return "running" if self.held else "paused"


def run_line(
    record: RunRecord, standings: Mapping[Status, int], *, held: bool, follows: bool
) -> RunLine:
    """Return a run with its rows counted; `follows` says that follow-ups are open."""
    successful, failed, still_open = (
        sum(standings.get(status, 0) for status in statuses)
        for statuses in (SUCCESSFUL, REFUSED, OPEN)
    )
    return RunLine(record, successful, failed, still_open, held, follows)


def run_json(line: RunLine) -> dict[str, Json]:
    """Return a run as JSON."""
    record = line.record
    return {
        "run": record.run,
        "started": instant.text(record.started_ms),
        "state": line.state,
        "read": record.read,
        "successful": line.successful,
        "failed": line.failed,
        "open": line.open,
        "elapsed_seconds": round(record.worked_ms / 1000, 3),
        "sources": [source.name for source in record.sources],
    }


def runs_view(lines: Sequence[RunLine], width: int) -> Iterator[Text]:
    """Yield the list of runs; in a narrow terminal the inputs stand below each run."""
    if not lines:
        return
    started = f"started ({zone()})"
    head = _run_columns("run", started, "state", ("read", "successful", "failed", "open"))
    yield Text(f"{head}  input" if width >= WIDE else head, style="bold")
    for line in lines:
        record = line.record
        numbers = (record.read, line.successful, line.failed, line.open)
        cells = [str(number) for number in numbers]
        when = local_time(record.started_ms)[:MINUTES]
        text = _run_columns(plain(record.run), when, line.state, cells)
        inputs = ", ".join(plain(source.name) for source in record.sources)
        yield Text(f"{text}  {inputs}" if width >= WIDE else f"{text}\n{INDENT}{inputs}")


def _run_columns(run: str, started: str, state: str, numbers: Sequence[str]) -> str:
    read, successful, failed, still_open = numbers
    counts = f"{read:>7} {successful:>10} {failed:>7} {still_open:>6}"
    return f"{run:<20} {started:<16} {state:<8}{counts}"


def rows_view(rows: Sequence[RowRecord], names: Mapping[int, str]) -> Iterator[RenderableType]:
    """Yield rows: what they are, and below it all that is said about them."""
    for row in rows:
        given = (row.campaign, row.contact, row.outcome)
        what = "  ".join(plain(cell) for cell in given if cell)
        line = Text(f"{plain(names[row.source])}:{row.line}", style="bold")
        line.append(f"  {what}  " if what else "  ", style="not bold")
        line.append(row.status.value, style=f"not bold {style_of(row.status)}")
        if row.reason:
            line.append(f": {plain(row.reason)}", style="not bold")
        message, hint = messages_of(row)
        follow_ups = row.follow_ups or ""
        for label, words in (("", message), ("fix: ", hint), ("follow-ups: ", follow_ups)):
            if words:
                line.append(f"\n{INDENT}{label}{plain(words)}", style="not bold")
        yield line


def row_json(row: RowRecord, names: Mapping[int, str]) -> dict[str, Json]:
    """Return a row as JSON, without its cells: they hold personal data."""
    message, hint = messages_of(row)
    return {
        "source": names[row.source],
        "line": row.line,
        "campaign": row.campaign,
        "contact": row.contact,
        "outcome": row.outcome,
        "status": row.status,
        "reason": row.reason,
        "message": message,
        "hint": hint,
        "attempts": row.attempts,
        "settled": None if row.settled_ms is None else instant.text(row.settled_ms),
        "follow_ups": row.follow_ups,
    }
