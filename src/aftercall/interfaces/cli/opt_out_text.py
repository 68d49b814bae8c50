"""Opt-outs as a person or a program reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from aftercall.domain import instant
from aftercall.domain.disposition import Json
from aftercall.domain.opt_outs import OptOut, Standing, Terms, business_days_left
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.reasons import words_of
from aftercall.interfaces.cli.tables import Cell, table
from aftercall.interfaces.cli.terminal import plain

WHY = 24
"""Columns that the reason needs beside the others to be read with ease."""

INDENT = "    "

STYLES = {
    Standing.LATE: "red",
    Standing.OVERWRITTEN: "red",
    Standing.NEAR: "yellow",
    Standing.PENDING: "yellow",
    Standing.APPLIED: "green",
    Standing.ACKNOWLEDGED: "cyan",
}


@dataclass(frozen=True, slots=True)
class Board:
    """Opt-outs that are listed, and how many there are of all that were asked for.

    Attributes:
        listed: those that are shown, the nearest deadline first.
        counts: how many stand how, shown or not.
        terms: how long they may take.
        at_ms: the time for which this is said.
        zone: the name of the time zone in which days are counted.
    """

    listed: Sequence[OptOut]
    counts: Mapping[Standing, int]
    terms: Terms
    at_ms: int
    zone: str

    def local(self, ms: int) -> str:
        """Return an instant to the minute, in the zone in which days are counted."""
        return self.terms.calendar.local(ms).replace(tzinfo=None).isoformat(" ", "minutes")

    def age(self, one: OptOut) -> int:
        """Count the business days since the day on which an opt-out was received."""
        calendar = self.terms.calendar
        return calendar.between(one.deadline.received, calendar.day_of(self.at_ms))


def opt_outs_view(board: Board, width: int) -> Iterator[RenderableType]:
    """Yield the figures, and below them the opt-outs that are listed.

    Where a table would cut names and numbers off, each opt-out is a block of its own.
    """
    total = sum(board.counts.values())
    parts = [f"{board.counts[one]:,} {one}" for one in Standing if board.counts.get(one)]
    line = Text(count(total, "opt-out"), style="bold")
    yield line.append(f": {', '.join(parts)}" if parts else "", style="not bold")
    if not board.listed:
        return
    yield Text()
    headers = (
        ">row", "campaign", "contact", f"received ({board.zone})", ">age", "deadline", ">left",
        "status", "why",
    )  # fmt: skip
    rows = [_cells(one, board) for one in board.listed]
    fits = _columns_needed(headers, rows) + WHY <= width
    yield from [table(headers, rows)] if fits else map(_block, rows)
    yield Text()
    if not fits:
        yield Text(f"received: the time in {board.zone}")
    yield Text("age and left: business days after the day of receipt, and to the deadline")


def _columns_needed(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> int:
    """Return how wide all columns but the last one are together, which alone can wrap."""
    columns = list(zip(headers, *rows, strict=True))[:-1]
    return sum(max(map(cell_len, map(str, column))) + len("  ") for column in columns)


def _block(cells: Sequence[Cell]) -> Text:
    """Return an opt-out on three lines, each of which the terminal may wrap."""
    row, campaign, contact, received, age, deadline, left, standing, words = cells
    block = Text(f"row {row}", style="bold")
    block.append(f"  {campaign}  {contact}  ", style="not bold")
    if isinstance(standing, Text):
        block.append(standing.plain, style=f"not bold {standing.style}")
    when = f"received {received}, age {age}, deadline {deadline}, left {left}"
    return block.append(f"\n{INDENT}{when}\n{INDENT}{words}", style="not bold")


def _cells(one: OptOut, board: Board) -> Sequence[Cell]:
    row = one.row
    return (
        str(row.row),
        plain(row.campaign) or "-",
        plain(row.contact) or "-",
        board.local(row.received_ms),
        str(board.age(one)),
        f"{one.deadline.day}",
        str(business_days_left(one, board.terms.calendar, board.at_ms)),
        Text(one.standing.value, style=STYLES[one.standing]),
        plain(why(one, board)),
    )


def why(one: OptOut, board: Board) -> str:
    """Say in words what an opt-out stands like that for."""
    if one.standing is Standing.ACKNOWLEDGED and one.row.acknowledged is not None:
        said = one.row.acknowledged
        return f"{said.by}, {board.local(said.at_ms)}: {said.reason}"
    records = [
        f"DNC group {record.dnc_group} {record.state}: {words_of(record.reason)}"
        for record in one.row.lacking
    ]
    return "; ".join([_fate_in_words(one, board), *records])


def _fate_in_words(one: OptOut, board: Board) -> str:
    applied, over = one.fate.applied_ms, one.fate.overwritten
    row = one.row
    if over is not None:
        moment = board.local(over.timestamp_ms)
        first = "was applied, but" if applied is not None else "was never applied:"
        return f"{first} the newer {over.outcome} of {moment} stands in its place"
    if applied is not None:
        late = "" if one.in_time else ", after the deadline"
        return f"applied {board.local(applied)}{late}"
    place = "" if row.contact else f" ({row.source}:{row.line})"
    return f"{row.status}: {words_of(row.reason)}{place}"


def opt_outs_json(board: Board) -> dict[str, Json]:
    """Return the same as JSON; times are UTC, days those of the zone."""
    return {
        "at": instant.text(board.at_ms),
        "time_zone": board.zone,
        "business_days": board.terms.business_days,
        "near_days": board.terms.near_days,
        "total": sum(board.counts.values()),
        "counts": {one.value: board.counts.get(one, 0) for one in Standing},
        "opt_outs": [_as_json(one, board) for one in board.listed],
    }


def _as_json(one: OptOut, board: Board) -> dict[str, Json]:
    row, over, said = one.row, one.fate.overwritten, one.row.acknowledged
    applied = one.fate.applied_ms
    return {
        "row": row.row,
        "run": row.run,
        "source": row.source,
        "line": row.line,
        "campaign": row.campaign,
        "contact": row.contact,
        "outcome": row.outcome,
        "status": one.standing.value,
        "row_status": row.status.value,
        "reason": row.reason,
        "message": row.words,
        "received": instant.text(row.received_ms),
        "received_day": str(one.deadline.received),
        "deadline_day": str(one.deadline.day),
        "deadline": instant.text(one.deadline.due_ms),
        "age_business_days": board.age(one),
        "business_days_left": business_days_left(one, board.terms.calendar, board.at_ms),
        "applied": None if applied is None else instant.text(applied),
        "in_time": one.in_time,
        "overwritten_by": None
        if over is None
        else {
            "outcome": over.outcome,
            "timestamp": instant.text(over.timestamp_ms),
            "written": instant.text(over.at_ms),
        },
        "dnc_groups_lacking": [
            {
                "dnc_group": record.dnc_group,
                "state": record.state.value,
                "reason": record.reason,
                "since": instant.text(record.since_ms),
            }
            for record in row.lacking
        ],
        "acknowledged": None
        if said is None
        else {"by": said.by, "reason": said.reason, "at": instant.text(said.at_ms)},
    }
