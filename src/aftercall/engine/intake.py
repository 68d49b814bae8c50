"""Rows of an input become rows of the journal, in batches, each durable before the next."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

from aftercall.domain.audit import Settled
from aftercall.domain.cells import Problem
from aftercall.domain.columns import ColumnMap
from aftercall.domain.disposition import Rules, identity_of, opt_out_of, read_disposition
from aftercall.domain.key import key_of
from aftercall.domain.outcomes import Category
from aftercall.engine.halt import Halt
from aftercall.ports import Candidate, Clock, Intake, SourceRecord

ROWS_AT_ONCE = 500
BATCHES_AHEAD = 3


class RowProblem(Protocol):
    """Why a row cannot be read at all."""

    @property
    def code(self) -> str:
        """A stable code."""
        ...

    @property
    def message(self) -> str:
        """What is wrong."""
        ...

    @property
    def hint(self) -> str:
        """What to do about it."""
        ...


class RawRow(Protocol):
    """A row as a source gives it."""

    @property
    def line(self) -> int:
        """Where it starts, from 1."""
        ...

    @property
    def cells(self) -> Mapping[str, object]:
        """Its cells by column."""
        ...

    @property
    def values(self) -> Iterable[object]:
        """Its cells in order, as they were."""
        ...

    @property
    def problem(self) -> RowProblem | None:
        """Why it cannot be read at all."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows become dispositions: the columns, and the rules with the run's own time."""

    columns: ColumnMap
    rules: Rules


class Reader:
    """Makes candidates of raw rows."""

    def __init__(self, reading: Reading) -> None:
        self._columns = reading.columns
        self._rules = reading.rules
        self._names: tuple[str, ...] | None = None
        self._places: Mapping[str, str] = {}

    def candidate(self, row: RawRow) -> Candidate:
        """Return what the journal is to know of `row`."""
        cells = _CELLS.encode(list(row.values))
        if row.problem is not None:
            said = (_sentence(row.problem.message), _sentence(row.problem.hint))
            problem = Problem("row", row.problem.code, *said)
            return self._unreadable(row, _storable(cells), problem)
        names = tuple(row.cells)
        if names != self._names:
            self._names, self._places = names, self._columns.places(names)
        fields = self._columns.canonical(row.cells, self._places)
        disposition, problems = read_disposition(fields, self._rules)
        if disposition is None:
            received = opt_out_of(fields, self._rules)
            return Candidate(
                line=row.line,
                cells=_storable(cells),
                category=None if received is None else Category.OPT_OUT,
                problems=problems,
                told=identity_of(fields),
                opt_out_received=received,
            )
        key = key_of(disposition)
        stamp = disposition.timestamp or self._rules.now
        category = self._rules.category(disposition)
        received = disposition.opt_out_received_at or stamp
        return Candidate(
            line=row.line,
            cells=cells,
            disposition=replace(disposition, timestamp=stamp),
            category=category,
            key=key,
            problems=problems,
            opt_out_received=received if category is Category.OPT_OUT else None,
        )

    def _unreadable(self, row: RawRow, cells: str, problem: Problem) -> Candidate:
        """Return what is known of a row whose cells cannot be told apart.

        If any of them is the code of an opt-out, it is one: rather one too many is looked at.
        """
        opt_outs = {
            code for code, means in self._rules.outcomes.items() if means is Category.OPT_OUT
        }
        found = [cell for cell in row.values if isinstance(cell, str) and cell.strip() in opt_outs]
        return Candidate(
            line=row.line,
            cells=cells,
            category=Category.OPT_OUT if found else None,
            problems=(problem,),
            told={"outcome": found[0].strip()} if found else {},
            opt_out_received=self._rules.now if found else None,
        )


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith((".", "?", "!")) else ".")


_CELLS = json.JSONEncoder(ensure_ascii=False, default=str)


def _storable(cells: str) -> str:
    """Return cells of a broken row so that they can be stored: no half surrogates."""
    return cells.encode("utf-8", "backslashreplace").decode()


class Feed:
    """Batches of candidates, made in a thread of their own.

    A pipe may keep its reader waiting for ever; the thread that waits is one that nobody waits
    for, so a run can be stopped meanwhile.
    """

    def __init__(self, rows: Iterable[RawRow], reader: Reader) -> None:
        self._rows = iter(rows)
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[Sequence[Candidate] | BaseException] = asyncio.Queue()
        self._room = threading.Semaphore(BATCHES_AHEAD)
        threading.Thread(target=self._read, name="intake", daemon=True).start()

    async def next_batch(self, halt: Halt) -> Sequence[Candidate] | None:
        """Return the next batch, an empty one at the end; None if the run is stopped."""
        if halt.thrown:
            return None  # Before what is ready: a quick input always has a batch ready.
        get = asyncio.ensure_future(self._ready.get())
        stop = asyncio.ensure_future(halt.wait_thrown())
        await asyncio.wait({get, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not get.done():
            get.cancel()
            return None
        self._room.release()
        batch = get.result()
        if isinstance(batch, BaseException):
            raise batch
        return batch

    def _read(self) -> None:
        batch: Sequence[Candidate] | BaseException = ()
        while True:
            self._room.acquire()
            try:
                batch = [self._reader.candidate(row) for row in islice(self._rows, ROWS_AT_ONCE)]
            except Exception as trouble:  # noqa: BLE001 - it is raised where the batch is awaited
                batch = trouble
            try:
                self._loop.call_soon_threadsafe(self._ready.put_nowait, batch)
            except RuntimeError:
                return  # The loop is closed: the run was stopped while a pipe kept us waiting.
            if isinstance(batch, BaseException) or not batch:
                return


async def admit_all(
    rows: Iterable[RawRow],
    source: SourceRecord,
    reader: Reader,
    intake: Intake,
    watch: "IntakeWatch",
) -> bool:
    """Bring all rows of a source into the journal; return False if that was stopped."""
    feed = Feed(rows, reader)
    while (batch := await feed.next_batch(watch.halt)) is not None:
        if not batch:
            await intake.close_source(source)
            return True
        settled = await intake.admit(source, batch, watch.clock.now_us() // 1000)
        await watch.admitted(len(batch), settled)
    return False


@dataclass(frozen=True, slots=True)
class IntakeWatch:
    """What stops the intake, and who is told of rows that came in."""

    halt: Halt
    clock: Clock
    admitted: Callable[[int, Sequence[Settled]], Awaitable[None]]
