"""The result files of a run: success, failed, unprocessed; the original columns unchanged."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from aftercall.adapters.sources import CHECK_COLUMN, RESULT_PREFIX, check_of, guard_cell
from aftercall.domain.disposition import CANONICAL
from aftercall.domain.status import OPEN, REFUSED, SUCCESSFUL, Status
from aftercall.errors import AftercallError
from aftercall.ports import RowRecord, SourceRecord

MODE = 0o600

FILES: dict[str, frozenset[Status]] = {
    "success": SUCCESSFUL,
    "failed": REFUSED,
    "unprocessed": OPEN,
}

OURS = (
    "aftercall_source",
    "aftercall_line",
    "aftercall_status",
    "aftercall_reason",
    "aftercall_message",
    "aftercall_hint",
    "aftercall_attempts",
    "aftercall_value",
    CHECK_COLUMN,
)
"""Our columns, in front of the original ones."""

FOLLOW_UPS_COLUMN = "aftercall_follow_ups"
"""One more, behind ours, for a run whose rows have follow-ups."""

VALUE_CHARACTERS_MAX = 65_536


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """Where the files of a run go and what they hold.

    Attributes:
        directory: where they are made.
        run: the run's id, which their names start with.
        sources: its inputs.
        rows: yields its rows that have one of the given statuses.
        with_follow_ups: there is a column for the follow-ups of rows.
    """

    directory: Path
    run: str
    sources: Sequence[SourceRecord]
    rows: Callable[[frozenset[Status]], Iterator[RowRecord]]
    with_follow_ups: bool = False

    def write(self) -> dict[str, str]:
        """Write the files that have rows and return their paths by name.

        Each is complete when it appears under its name; one of an earlier call is replaced or,
        if it would be empty now, removed.

        Raises:
            AftercallError: the directory cannot be written.
        """
        written: dict[str, str] = {}
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for name, statuses in FILES.items():
                path = self.directory / f"{self.run}-{name}.csv"
                if self._write_one(path, statuses):
                    written[name] = str(path)
                else:
                    path.unlink(missing_ok=True)
        except OSError as trouble:
            message = f"The result files cannot be written to {self.directory}: {trouble.strerror}."
            fix = "All results are in the journal: make room or choose another directory."
            next_command = f"aftercall export {self.run} --results DIRECTORY"
            raise AftercallError(message, fix=fix, next_command=next_command) from None
        return written

    def rewrite(self) -> list[str]:
        """Write those files anew that are there, and return their paths.

        What somebody who was killed has left unfinished is removed.

        Raises:
            OSError: one cannot be written or removed.
        """
        there = [(self.directory / f"{self.run}-{name}.csv", name) for name in FILES]
        found = [(path, name) for path, name in there if path.is_file()]
        for path, _ in there:
            _unfinished(path).unlink(missing_ok=True)
        for path, name in found:
            if not self._write_one(path, FILES[name]):
                path.unlink()
        return [str(path) for path, _ in found]

    def _write_one(self, path: Path, statuses: frozenset[Status]) -> bool:
        columns = self._columns(statuses)
        rows = self.rows(statuses)
        first = next(rows, None)
        if first is None:
            return False
        part = _unfinished(path)
        part.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        # The handle was opened with a mode and without following links; a path cannot be. JSON can
        # spell half of a surrogate pair, which UTF-8 cannot: it is shown as it was spelled.
        with open(  # noqa: PTH123
            os.open(part, flags, MODE), "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            writer = csv.writer(file)
            ours = (*OURS, FOLLOW_UPS_COLUMN) if self.with_follow_ups else OURS
            writer.writerow([*ours, *(guard_cell(name) for name in columns)])
            for row in chain([first], rows):
                writer.writerow(self._line(row, columns))
        part.replace(path)
        return True

    def _columns(self, statuses: frozenset[Status]) -> list[str]:
        """Return the inputs' columns, each once; those of JSON inputs are gathered from rows."""
        columns: dict[str, None] = {}
        for source in self.sources:
            columns.update(dict.fromkeys(source.columns))
        if any(not source.columns for source in self.sources):
            for row in self.rows(statuses):
                named = _original(row, self._source(row)).named
                columns.update(dict.fromkeys(n for n in named if not n.startswith(RESULT_PREFIX)))
        return list(columns if any(name.strip() for name in columns) else CANONICAL)

    def _source(self, row: RowRecord) -> SourceRecord:
        return next(source for source in self.sources if source.number == row.source)

    def _line(self, row: RowRecord, columns: Sequence[str]) -> list[str]:
        source = self._source(row)
        message, hint = messages_of(row)
        given = _original(row, source)
        cells = [guard_cell(given.named.get(name, "")) for name in columns]
        cells += [guard_cell(cell) for cell in given.surplus]
        check = check_of(cells) if _is_broken(row) else ""
        said = (source.name, row.line, row.status, row.reason, message, hint, row.attempts)
        follow_ups = (row.follow_ups or "",) if self.with_follow_ups else ()
        ours = (*said, given.value[:VALUE_CHARACTERS_MAX], check, *follow_ups)
        return [*(guard_cell(str(cell)) for cell in ours), *cells]


def _unfinished(path: Path) -> Path:
    """Return where a file is written before it appears under its name."""
    return path.with_name(path.name + ".part")


@dataclass(frozen=True, slots=True)
class _Original:
    """What an input said: cells by column, cells beyond all columns, or a value without cells."""

    named: Mapping[str, str]
    surplus: Sequence[str] = ()
    value: str = ""


def _original(row: RowRecord, source: SourceRecord) -> _Original:
    values = json.loads(row.cells)
    if source.columns:
        texts = [_cell_text(value) for value in values]
        named = dict(zip(source.columns, texts, strict=False))
        return _Original(named, texts[len(source.columns) :])
    value = values[0] if values else None
    if isinstance(value, dict):
        return _Original({name: _cell_text(cell) for name, cell in value.items()})
    return _Original({}, value=_cell_text(value))


def _is_broken(row: RowRecord) -> bool:
    """Tell whether a row stays invalid until its cells are corrected, whatever is configured.

    As text of a CSV such a row could pass for a good one: `true` is no text, but `"true"` is.
    """
    problems = json.loads(row.problems or "[]") if row.status is Status.INVALID else ()
    return any(one["field"] == "row" or one["code"] == "wrong_type" for one in problems)


def _cell_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def messages_of(row: RowRecord) -> tuple[str, str]:
    """Return all that is to be said about a row, and what to do about it."""
    if row.problems is None:
        return row.words, ""
    problems = json.loads(row.problems)
    # What is said of an invalid row are its problems; of an opt-out they come on top of it.
    said = [row.words] if row.words and row.status is not Status.INVALID else []
    message = " ".join([*said, *(problem["message"] for problem in problems)])
    return message, " ".join(problem["hint"] for problem in problems)
