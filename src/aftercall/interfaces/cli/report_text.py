"""The report of a run as a person reads it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aftercall.domain.follow_ups import OPEN as OPEN_FOLLOW_UPS
from aftercall.domain.follow_ups import UNDONE
from aftercall.domain.report import PHASES, CampaignPace, Report
from aftercall.domain.status import OPEN, REFUSED, Status
from aftercall.interfaces.cli.figures import count, duration, moment, one_place
from aftercall.interfaces.cli.reasons import words_of
from aftercall.interfaces.cli.tables import Cell, table
from aftercall.interfaces.cli.terminal import plain

REASONS_SHOWN = 5
CAMPAIGNS_SHOWN = 10

PHASE_WORDS = {
    "wait": "wait for the pace",
    "read": "read",
    "write": "write",
    "row": "row (read + write)",
}


def style_of(status: Status) -> str:
    """Return the colour of a status; its name says the same without one."""
    if status in OPEN:
        return "yellow"
    if status in REFUSED:
        return "red"
    return "green" if status is Status.APPLIED else "cyan"


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next: in words, and the command to type."""

    words: str
    command: str


@dataclass(frozen=True, slots=True)
class Closing:
    """What stands below the figures.

    Attributes:
        files: the result files by name.
        steps: what to do next, the most useful first.
        paused: campaigns that the tenant asked to slow down, and until when.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    paused: Mapping[str, datetime] = field(default_factory=dict)


def report_view(report: Report, closing: Closing, width: int) -> Iterator[RenderableType]:
    """Yield a report piece by piece, for a terminal of `width` columns."""
    yield title(report)
    yield Text()
    yield reconciliation(report, width)
    if report.read:
        yield Text()
        yield statuses(report)
    if report.total_processed:
        yield Text()
        yield accuracy(report)
    if report.opt_outs.read:
        yield opt_outs(report)
    if report.follow_ups:
        yield Text()
        yield follow_ups(report)
    if report.latency:
        yield Text()
        yield latency(report)
    if report.pace:
        yield Text()
        yield from pace(report.pace)
    yield Text()
    yield from endings(report, closing)


def title(report: Report) -> Text:
    """Return the headline: which run, its state, how long it took."""
    words = {"finished": "is finished", "paused": "has open rows", "running": "goes on"}
    state = words.get(report.state, report.state)
    if report.state == "paused" and not report.open:
        still = report.followed_up(*OPEN_FOLLOW_UPS)
        state = "has open follow-ups" if still else "has not read all of its input"
    line = Text(f"Run {plain(report.run)} {state}", style="bold")
    return line.append(f", {duration(report.elapsed_seconds)} of work.", style="not bold")


def reconciliation(report: Report, width: int) -> Text:
    """Return the line which shows that every row is accounted for, broken at the plus signs."""
    start = f"read {report.read:,} ="
    parts = [f"{status} {rows:,}" for status, rows in report.statuses.items()] or ["0"]
    ending = "ok" if report.reconciles else "THIS DOES NOT ADD UP"
    lines, line = [], start
    for place, part in enumerate(parts):
        piece = f" + {part}" if place else f" {part}"
        if len(line) + len(piece) > width - 4:
            lines.append(line)
            line = " " * (len(start) - 2)
        line += piece
    text = Text("\n".join([*lines, line]))
    text.append(f"  {ending}", style="bold green" if report.reconciles else "bold red")
    return text


def statuses(report: Report) -> Table:
    """Return the rows per status and reason."""
    rows: list[Sequence[Cell]] = []
    for status in report.statuses:
        reasons = report.reasons(status)
        if status is Status.WRITING:
            running = report.state == "running"
            reasons = {"under_way" if running else "process_died": sum(reasons.values())}
        name = Text(status.value, style=style_of(status))
        for code, number in islice(reasons.items(), REASONS_SHOWN):
            rows.append((name, f"{number:,}", plain(words_of(code))))
            name = Text()
        if len(reasons) > REASONS_SHOWN:
            rest = sum(islice(reasons.values(), REASONS_SHOWN, None))
            rows.append((name, f"{rest:,}", f"other reasons ({len(reasons) - REASONS_SHOWN})"))
    return table(("status", ">rows", "why"), rows)


def accuracy(report: Report) -> Text:
    """Return how many of the settled rows need nobody's attention."""
    share = f"accuracy {report.accuracy_rate_percent:g} %"
    line = Text(share, style="bold")
    words = f": {report.successful:,} of {count(report.total_processed, 'settled row')}"
    verb = "needs" if report.successful == 1 else "need"
    return line.append(f"{words} {verb} nobody's attention", style="not bold")


def opt_outs(report: Report) -> Text:
    """Return how many opt-outs the tenant holds."""
    read, lacking = report.opt_outs.read, report.opt_outs.not_landed
    line = Text("opt-outs", style="bold")
    line.append(f": {read - lacking:,} of {read:,} landed", style="not bold")
    if lacking:
        line.append(f", {lacking:,} did not", style="not bold red")
    if late := report.opt_outs.late:
        line.append(f"; {late:,} after the deadline", style="not bold red")
    if report.opt_outs.partial:
        words = f"; of {report.opt_outs.partial:,} a part of the call record was left out"
        line.append(words, style="not bold yellow")
    return line


def follow_ups(report: Report) -> Table:
    """Return the follow-ups per kind and state."""
    rows: list[Sequence[Cell]] = []
    for kind, states in report.follow_ups.items():
        name = kind
        for state, number in states.items():
            style = "red" if state in UNDONE else "yellow" if state in OPEN_FOLLOW_UPS else "green"
            rows.append((name, f"{number:,}", Text(state, style=style)))
            name = ""
    return table(("follow-ups", ">number", "state"), rows)


def latency(report: Report) -> Table:
    """Return the milliseconds per phase."""
    rows: list[Sequence[Cell]] = []
    for phase in PHASES:
        if phase in report.latency:
            one = report.latency[phase]
            times = (one.average_ms, one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms)
            cells = [one_place(time) for time in times]
            rows.append((PHASE_WORDS[phase], f"{one.count:,}", *cells))
    return table(("latency, ms", ">rows", ">average", ">p50", ">p95", ">p99", ">max"), rows)


def pace(figures: Sequence[CampaignPace]) -> Iterator[RenderableType]:
    """Yield the requests per campaign, those with the most requests first."""
    most = sorted(figures, key=lambda one: (-one.requests, one.campaign))
    rows: list[Sequence[Cell]] = []
    for one in most[:CAMPAIGNS_SHOWN]:
        over = one.peak_per_second > one.limit_per_second
        peak = f"{one.peak_per_second:,}"
        rows.append(
            (
                plain(one.campaign),
                f"{one.requests:,}",
                one_place(one.average_per_second),
                Text(peak, style="red") if over else peak,
                f"{one.limit_per_second:,g}",
                Text(f"{one.throttled:,}", style="red" if one.throttled else ""),
            )
        )
    headers = ("pace", ">requests", ">average/s", ">peak/s", ">limit/s", ">429")
    yield table(headers, rows)
    rest = most[CAMPAIGNS_SHOWN:]
    if rest:
        requests = count(sum(one.requests for one in rest), "request")
        throttled = sum(one.throttled for one in rest)
        top = max(one.peak_per_second for one in rest)
        words = f"and {count(len(rest), 'more campaign')}: {requests}, peak {top:,}/s"
        yield Text(f"{words}, {throttled:,} times 429")


def endings(report: Report, closing: Closing) -> Iterator[Text]:
    """Yield the last lines: who waits, the CRM, the files, what to type next."""
    for campaign, until in closing.paused.items():
        words = f"{plain(campaign)} until {moment(until)}: the tenant asked to slow down"
        yield _ending("paused", words)
    if report.deliveries:
        told = report.deliveries
        under_way = told.get("waiting", 0)
        line = f"delivered {told.get('delivered', 0):,}, under way {under_way:,}"
        line += f", dead {told.get('dead', 0):,}"
        if (waited := report.crm_wait_seconds or 0.0) >= 1:
            line += f"; waited {duration(waited)} for that"
        yield _ending("crm", line)
    label = "files"
    for name, path in closing.files.items():
        yield _ending(label, f"{plain(path)}  ({FILE_WORDS.get(name, name)})")
        label = ""
    yield from steps_view(closing.steps)


def steps_view(steps: Sequence[Step]) -> Iterator[Text]:
    """Yield what to do next."""
    label = "next"
    for step in steps:
        yield _ending(label, f"{step.words}:\n{'':<9}{plain(step.command)}")
        label = ""


FILE_WORDS = {
    "success": "nobody has to look at these",
    "failed": "somebody should look at these",
    "unprocessed": "still open",
    "audit": "the audit trail",
}


def _ending(label: str, words: str) -> Text:
    return Text(f"{label:<7}", style="bold").append(words, style="not bold")
