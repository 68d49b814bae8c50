"""Killed at named points on surfaces other than the default one, whose own are in tests/fault."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from tests.fault.books import rows_by_status
from tests.fault.crash_driver import POINTS
from tests.fault.processes import drive, write_calls

from .rig import SurfaceRig, on_surface, world_on

SMALL = {"limits": {"batch": 8}}
SLOW = {"limits": {"batch": 8, "requests_per_second": 10.0}}
"""So slow that rows are left for every death, however late it comes."""


def in_turn() -> list[str]:
    """Return all points, those last that are passed at no certain time."""
    later = [point for point in POINTS if point.endswith("seal")]
    later += [point for point in POINTS if point.endswith(("delivery", "record"))]
    return [*(point for point in POINTS if point not in later), *later]


Ending = tuple[Counter[tuple[str, str]], Counter[tuple[str, str, str, int]], Mapping[Status, int]]


def ending_of(rig: SurfaceRig, report: Report) -> Ending:
    """Return what the tenant holds, and what became of each row."""
    assert (report.open, report.state) == (0, "finished")
    rig.assert_books_balance(report)
    return rig.effective(), rows_by_status(report), report.statuses


async def die_at_every_point(
    serve: Callable[..., AbstractAsyncContextManager[SurfaceRig]], tmp_path: Path
) -> Ending:
    """Let a process die at each of the named points in turn; return the ending, as undisturbed.

    Args:
        serve: serves a tenant in a directory: ``serve(directory, world=...)``.
        tmp_path: where the journals are.
    """
    refusing = {
        "campaign": "C2",
        "contact": "k2",
        "refuse": {"status": 400, "message": "Invalid Skill"},
    }
    world = world_on("", refusing, missing_ratio=0.1)
    path = write_calls(tmp_path / "calls.csv", 66, 3)
    (tmp_path / "undisturbed").mkdir()
    async with serve(tmp_path / "undisturbed", world=world) as rig:
        expected = ending_of(rig, await rig.sync_file(path))

    async with serve(tmp_path, world=world) as rig:
        for point in in_turn():
            assert await drive(rig, [path], tables=SLOW, point=point) is None, point
        assert await drive(rig, [path], tables=SMALL) is not None

        assert ending_of(rig, await rig.resume()) == expected
    return expected


@pytest.mark.parametrize("surface", ["acd", "gateway"])
async def test_a_process_that_dies_at_every_point_in_turn_changes_nothing(
    tmp_path: Path, surface: str
) -> None:
    """One journal, one death at each of the named points: the surface from first to last."""
    statuses = (await die_at_every_point(partial(on_surface, surface), tmp_path))[2]
    assert {Status.APPLIED, Status.REJECTED, Status.MISSING, Status.INVALID} <= statuses.keys()
