"""The process is killed at each named point; what is resumed ends as if nothing had happened."""

from pathlib import Path
from typing import Any

import pytest

from aftercall.domain.report import Report

from .crash_driver import POINTS, job_of
from .deaths import Ending, ending_of, the_world
from .processes import drive, write_calls
from .rig import Rig, rigged

ROWS = 66
CAMPAIGNS = 3
SMALL = {"limits": {"batch": 8}}
"""Small turns, so that there are several."""

EARLY = {"before begin", "after begin", "inside finish", "after finish"}
ONCE = EARLY | {"before close_source", "after close_source"}


_endings: list[Ending] = []


async def undisturbed(directory: Path) -> Ending:
    """Run the same file against a second tenant with the same seed, once, and let it be."""
    if not _endings:
        path = write_calls(directory / "calls.csv", ROWS, CAMPAIGNS)
        async with rigged(directory, world=the_world()) as rig:
            _endings.append(ending_of(rig, await rig.sync_file(path)))
    return _endings[0]


async def go_on(rig: Rig, path: Path) -> Report:
    """Do what a user does after a crash: resume, or begin if nothing was read yet."""
    async with rig.session() as session:
        return await session.perform(job_of(session, [str(path)]))


def passages(point: str) -> list[int]:
    if "seal" in point:
        return [1, 2]
    return [1] if point in ONCE else [2] if "admit" in point else [4]


@pytest.mark.parametrize(
    ("point", "passage"), [(point, number) for point in POINTS for number in passages(point)]
)
async def test_a_crash_at_a_named_point_changes_nothing(
    tmp_path: Path, point: str, passage: int
) -> None:
    expected = await undisturbed(tmp_path / "undisturbed")
    async with rigged(tmp_path, world=the_world()) as rig:
        path = write_calls(tmp_path / "calls.csv", ROWS, CAMPAIGNS)
        assert await drive(rig, [path], tables=SMALL, point=point, passage=passage) is None
        report = await go_on(rig, path)

        assert report.open == 0
        assert ending_of(rig, report) == expected


async def test_a_process_that_dies_at_every_start_still_gets_on(tmp_path: Path) -> None:
    expected = await undisturbed(tmp_path / "undisturbed")
    points = ("after take_turn", "before write", "after write", "inside settle", "after delivery")
    async with rigged(tmp_path, world=the_world()) as rig:
        path = write_calls(tmp_path / "calls.csv", ROWS, CAMPAIGNS)
        for point in points:
            assert await drive(rig, [path], tables=SMALL, point=point, passage=2) is None
        assert await drive(rig, [path]) is not None

        assert ending_of(rig, await rig.resume()) == expected


async def test_every_point_is_passed_by_a_run_that_nobody_disturbs(tmp_path: Path) -> None:
    async with rigged(tmp_path, world=the_world()) as rig:
        path = write_calls(tmp_path / "calls.csv", ROWS, CAMPAIGNS)
        told: dict[str, Any] | None = await drive(rig, [path])

        assert told is not None
        assert set(POINTS) <= set(told["passed"])
        statuses = set(told["report"]["statuses"])
        trouble = {"applied", "unchanged", "duplicate", "superseded", "missing", "invalid"}
        assert trouble | {"rejected"} <= statuses
