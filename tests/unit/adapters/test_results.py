import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aftercall.adapters.results import OURS, ResultFiles
from aftercall.adapters.sources import RowProblem, SourceOptions, open_source
from aftercall.domain.disposition import CANONICAL
from aftercall.domain.status import Status
from aftercall.errors import AftercallError
from aftercall.ports import RowRecord, SourceRecord

COLUMNS = ("contact", "outcome", "notes")
CSV = SourceRecord(1, "run-1", "calls.csv", None, None, {}, COLUMNS)
JSON = SourceRecord(2, "run-1", "calls.jsonl", None, None, {}, ())

FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''=1", "'plain", "a=b", "'", "-"]


def row(status: Status, *cells: object, source: int = 1, **given: object) -> RowRecord:
    values: dict[str, object] = {
        "id": 1,
        "source": source,
        "line": 2,
        "cells": json.dumps(cells),
        "campaign": "C1",
        "contact": "P1",
        "outcome": "SALE",
        "status": status,
        "reason": "why",
        "words": "words",
        "problems": None,
        "attempts": 3,
        "settled_ms": 0,
    }
    return RowRecord(**(values | given))  # type: ignore[arg-type]


def broken(*cells: object, source: int = 1, reason: str = "bad_row", **said: str) -> RowRecord:
    problem = {"field": "row", "code": reason, "message": "It is bad.", "hint": "Mend it.", **said}
    problems = json.dumps([problem])
    return row(Status.INVALID, *cells, source=source, reason=reason, problems=problems)


@dataclass(frozen=True)
class Run:
    """A run with rows, whose result files are written to a directory."""

    directory: Path
    rows: tuple[RowRecord, ...]
    sources: tuple[SourceRecord, ...] = (CSV,)

    def write(self) -> dict[str, list[list[str]]]:
        """Write the files and return their lines by name."""

        def some(statuses: frozenset[Status]) -> Iterator[RowRecord]:
            return (one for one in self.rows if one.status in statuses)

        paths = ResultFiles(self.directory, "run-1", self.sources, some).write()
        read = {}
        for name, path in paths.items():
            with Path(path).open(encoding="utf-8", newline="") as file:
                read[name] = list(csv.reader(file))
        return read


def test_each_row_is_in_the_file_of_its_status(tmp_path: Path) -> None:
    written = Run(tmp_path, tuple(row(status, status) for status in Status)).write()
    found = {name: {line[len(OURS)] for line in lines[1:]} for name, lines in written.items()}
    assert found == {
        "success": {"applied", "unchanged", "duplicate", "superseded"},
        "failed": {"missing", "invalid", "rejected", "failed"},
        "unprocessed": {"pending", "writing", "deferred", "doubtful"},
    }
    assert {file.name for file in tmp_path.iterdir()} == {
        "run-1-success.csv",
        "run-1-failed.csv",
        "run-1-unprocessed.csv",
    }


def test_our_columns_stand_in_front_of_the_original_ones(tmp_path: Path) -> None:
    given = row(Status.REJECTED, "P1", "SALE", "two\r\nlines, 😀")
    header, line = Run(tmp_path, (given,)).write()["failed"]
    assert header == [
        "aftercall_source",
        "aftercall_line",
        "aftercall_status",
        "aftercall_reason",
        "aftercall_message",
        "aftercall_hint",
        "aftercall_attempts",
        "aftercall_value",
        "aftercall_check",
        *COLUMNS,
    ]
    assert line == [
        "calls.csv",
        "2",
        "rejected",
        "why",
        "words",
        "",
        "3",
        "",
        "",
        "P1",
        "SALE",
        "two\r\nlines, 😀",
    ]


def test_all_problems_of_an_invalid_row_are_told_with_their_hints(tmp_path: Path) -> None:
    problems = [
        {"field": "agent", "code": "a", "message": "No agent.", "hint": "Fill it in."},
        {"field": "outcome", "code": "b", "message": "No code.", "hint": "Write SALE."},
    ]
    given = row(Status.INVALID, "P1", problems=json.dumps(problems))
    _, line = Run(tmp_path, (given,)).write()["failed"]
    assert line[4:6] == ["No agent. No code.", "Fill it in. Write SALE."]


def test_files_without_rows_are_not_made_and_old_ones_are_removed(tmp_path: Path) -> None:
    assert Run(tmp_path, ()).write() == {}
    assert set(Run(tmp_path, (row(Status.PENDING, "P1"),)).write()) == {"unprocessed"}
    assert set(Run(tmp_path, (row(Status.APPLIED, "P1"),)).write()) == {"success"}
    assert [file.name for file in tmp_path.iterdir()] == ["run-1-success.csv"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_is_a_formula_and_every_cell_comes_back(tmp_path: Path, formula: str) -> None:
    given = row(Status.FAILED, formula, "SALE", formula, words=formula)
    sources = (SourceRecord(1, "run-1", formula, None, None, {}, COLUMNS),)
    _, line = Run(tmp_path, (given,), sources).write()["failed"]
    assert not [cell for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    (again,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
    assert again.values == (formula, "SALE", formula)


def test_no_column_is_a_formula_and_every_column_comes_back(tmp_path: Path) -> None:
    columns = ("contact", "=cmd()", "'=x", "@y")
    sources = (SourceRecord(1, "run-1", "calls.csv", None, None, {}, columns),)
    header, _ = Run(tmp_path, (row(Status.FAILED, "1", "2", "3", "4"),), sources).write()["failed"]
    assert header[len(OURS) :] == ["contact", "'=cmd()", "''=x", "'@y"]
    source = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions())
    assert next(iter(source.rows())).cells == dict(zip(columns, "1234", strict=True))


def test_the_failed_file_of_a_file_can_be_fed_back_as_it_is(tmp_path: Path) -> None:
    first = tmp_path / "calls.csv"
    text = 'contact,outcome,notes\r\nP1,SALE,"a ""quoted"",\nnote"\r\n007,,=1+1\r\nÜ 😀,x,\'=1\r\n'
    first.write_bytes(text.encode())
    given = list(open_source(str(first), SourceOptions()).rows())
    records = tuple(row(Status.FAILED, *one.values, line=one.line) for one in given)
    Run(tmp_path, records).write()
    again = list(open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows())
    assert [one.problem for one in again] == [None] * 3
    assert [one.values for one in again] == [one.values for one in given]
    assert [dict(one.cells) for one in again] == [dict(one.cells) for one in given]


def test_fed_back_twice_a_row_still_has_its_own_cells(tmp_path: Path) -> None:
    Run(tmp_path, (row(Status.FAILED, "P1", "SALE", "'=1"),)).write()
    source = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions())
    (again,) = source.rows()
    assert source.format.columns == COLUMNS
    Run(tmp_path, (row(Status.FAILED, *again.values),)).write()
    (once_more,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
    assert once_more.values == ("P1", "SALE", "'=1")


def test_columns_of_json_inputs_are_gathered_from_their_rows(tmp_path: Path) -> None:
    rows = (
        row(Status.FAILED, {"contact": 7, "tags": ["a", "ä"]}, source=2),
        row(Status.FAILED, {"notes": None, "contact": "P2", "ok": True}, source=2),
        row(Status.APPLIED, {"elsewhere": 1}, source=2),
    )
    header, first, second = Run(tmp_path, rows, (JSON,)).write()["failed"]
    assert header[len(OURS) :] == ["contact", "tags", "notes", "ok"]
    assert first[len(OURS) :] == ["7", '["a", "ä"]', "", ""]
    assert second[len(OURS) :] == ["P2", "", "", "true"]


def test_rows_of_several_inputs_share_the_columns_that_they_share(tmp_path: Path) -> None:
    rows = (
        row(Status.FAILED, "P1", "SALE", "n"),
        row(Status.FAILED, {"outcome": "LOST", "agent": "A1"}, source=2),
    )
    header, first, second = Run(tmp_path, rows, (CSV, JSON)).write()["failed"]
    assert header[len(OURS) :] == ["contact", "outcome", "notes", "agent"]
    assert first[len(OURS) :] == ["P1", "SALE", "n", ""]
    assert second[len(OURS) :] == ["", "LOST", "", "A1"]
    assert (first[0], second[0]) == ("calls.csv", "calls.jsonl")


def test_cells_beyond_the_header_are_kept_behind_all_columns(tmp_path: Path) -> None:
    given = row(Status.INVALID, "P1", "SALE", "n", "=extra", "more")
    _, line = Run(tmp_path, (given,)).write()["failed"]
    assert line[len(OURS) :] == ["P1", "SALE", "n", "'=extra", "more"]


def test_cells_that_a_short_row_lacks_are_empty(tmp_path: Path) -> None:
    _, line = Run(tmp_path, (row(Status.INVALID, "P1"),)).write()["failed"]
    assert line[len(OURS) :] == ["P1", "", ""]


@pytest.mark.parametrize(
    ("cells", "kept"),
    [((), ""), ((7,), "7"), (("text",), "text"), (([1],), "[1]"), (("x" * 70_000,), "x" * 65_536)],
)
def test_a_json_row_that_is_no_object_is_kept_in_a_column_of_ours(
    tmp_path: Path, cells: tuple[object, ...], kept: str
) -> None:
    header, line = Run(tmp_path, (broken(*cells, source=2),), (JSON,)).write()["failed"]
    assert header[len(OURS) :] == list(CANONICAL)
    assert line[len(OURS) :] == [""] * len(CANONICAL)
    assert line[header.index("aftercall_value")] == kept
    (again,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
    assert again.problem is not None


def test_columns_that_are_ours_are_not_taken_from_a_json_row(tmp_path: Path) -> None:
    given = row(Status.FAILED, {"aftercall_line": 7, "contact": "P1"}, source=2)
    header, _ = Run(tmp_path, (given,), (JSON,)).write()["failed"]
    assert header[len(OURS) :] == ["contact"]


BROKEN = [
    ("P1", "SALE"),
    ("P1", "SALE", "n", "=extra", ""),
    ("P1", "SALE", "caf\udce9"),
    ("=1", "SALE", "two\r\nlines\rand\nmore \0"),
]


@pytest.mark.parametrize("cells", BROKEN)
def test_a_broken_row_that_is_fed_back_as_it_is_stays_broken(
    tmp_path: Path, cells: tuple[str, ...]
) -> None:
    for _ in range(2):
        Run(tmp_path, (broken(*cells),)).write()
        (again,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
        assert again.problem == RowProblem(
            "bad_row", "The row is as it was when it was found wrong: It is bad.", "Mend it."
        )
        cells = tuple(str(value) for value in again.values)


@pytest.mark.parametrize("cells", BROKEN[1:])
def test_a_broken_row_that_was_corrected_is_read_anew(
    tmp_path: Path, cells: tuple[str, ...]
) -> None:
    Run(tmp_path, (broken(*cells),)).write()
    path = tmp_path / "run-1-failed.csv"
    text = path.read_bytes().replace(b"SALE", b"LOST")
    path.write_bytes(text)
    (again,) = open_source(str(path), SourceOptions()).rows()
    assert again.problem is None or "as it was" not in again.problem.message
    path.write_bytes(text.replace(b"LOST", b"SALE").replace(b"\r", b""))
    (again,) = open_source(str(path), SourceOptions()).rows()
    assert again.problem is not None


def test_a_message_does_not_grow_each_time_it_is_fed_back(tmp_path: Path) -> None:
    said = "The row is as it was when it was found wrong: It is bad."
    Run(tmp_path, (broken("P1", message=said, hint=""),)).write()
    (again,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
    assert again.problem == RowProblem("bad_row", said, "correct its cells")
    Run(tmp_path, (broken("P1", message="x" * 1000 + "\x1b", reason="\x1b"),)).write()
    (again,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
    assert again.problem is not None
    assert again.problem.code == "not_corrected"
    assert len(again.problem.message) < 400


@pytest.mark.parametrize(
    ("field", "code", "checked"),
    [("row", "bad_row", True), ("contact", "wrong_type", True), ("outcome", "unknown", False)],
)
def test_only_rows_that_no_configuration_mends_are_checked(
    tmp_path: Path, field: str, code: str, *, checked: bool
) -> None:
    given = broken("P1", "SALE", "n", field=field, code=code)
    header, line = Run(tmp_path, (given,)).write()["failed"]
    assert bool(line[header.index("aftercall_check")]) is checked
    (again,) = open_source(str(tmp_path / "run-1-failed.csv"), SourceOptions()).rows()
    assert (again.problem is not None) is checked


def test_half_a_surrogate_pair_is_written_as_it_was_spelled(tmp_path: Path) -> None:
    given = row(Status.INVALID, {"contact": "a\ud800", "\udfff": 1}, source=2)
    header, line = Run(tmp_path, (given,), (JSON,)).write()["failed"]
    assert header[len(OURS) :] == ["contact", "\\udfff"]
    assert line[len(OURS) :] == ["a\\ud800", "1"]


def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Run(tmp_path, (row(Status.APPLIED, "P1"),)).write()
    finally:
        os.umask(before)
    assert (tmp_path / "run-1-success.csv").stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_as_a_whole_and_no_part_is_left(tmp_path: Path) -> None:
    Run(tmp_path, (row(Status.APPLIED, "old"),)).write()
    path = tmp_path / "run-1-success.csv"
    with path.open(encoding="utf-8") as held:
        Run(tmp_path, (row(Status.APPLIED, "new"),)).write()
        assert "old" in held.read()
    assert "new" in path.read_text(encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == ["run-1-success.csv"]


def test_a_failure_on_the_way_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    Run(tmp_path, (row(Status.APPLIED, "old"),)).write()
    path = tmp_path / "run-1-success.csv"
    before = path.read_bytes()
    with pytest.raises(ValueError):
        Run(tmp_path, (row(Status.APPLIED, "new"), row(Status.APPLIED, cells="{"))).write()
    assert path.read_bytes() == before
    Run(tmp_path, (row(Status.APPLIED, "new"),)).write()
    assert [file.name for file in tmp_path.iterdir()] == ["run-1-success.csv"]


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    for name in ("run-1-success.csv", "run-1-success.csv.part"):
        (tmp_path / name).symlink_to(victim)
    Run(tmp_path, (row(Status.APPLIED, "P1"),)).write()
    assert victim.read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "run-1-success.csv").is_symlink()


def test_a_directory_is_made_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    Run(tmp_path / "a" / "b", (row(Status.APPLIED, "P1"),)).write()
    assert (tmp_path / "a" / "b" / "run-1-success.csv").is_file()
    (tmp_path / "file").touch()
    with pytest.raises(AftercallError, match="cannot be written") as refusal:
        Run(tmp_path / "file", (row(Status.APPLIED, "P1"),)).write()
    assert refusal.value.next_command == "aftercall export run-1 --results DIRECTORY"
