"""Process after process dies, each at a random one of all named points; the books balance."""

import random
import sys
from pathlib import Path

import pytest

from aftercall.simulator import Faults

from .crash_driver import ANY
from .processes import drive, write_calls
from .rig import SEED, rigged
from .test_crash_points import SMALL, ending_of, go_on, the_world

CHUNKS = 4
DEATHS = 40
POINTS_PER_LIFE = 300
"""The most; half of the lives end within the first 17. A row with which a hundred processes died is
given up, so some must get on."""

ROWS_PER_DEATH = 5
LOST = {"reset_before": 0.02, "reset_after": 0.02, "error_after_commit": 0.02, "conflict": 0.02}
MANY_TRIES = {"retry": {"attempts_max": 50}}
"""The deaths are many and the losses come on top: no row is to use its attempts up."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_many_deaths_end_as_none(tmp_path: Path, soak_factor: int, chunk: int) -> None:
    died = 0
    for number in range(soak_factor):
        directory = tmp_path / str(number)
        directory.mkdir()
        died += await die_often(directory, chunk + CHUNKS * number)

    sys.stderr.write(f"{died} deaths\n")
    assert died >= DEATHS * soak_factor * 0.75, "the work was done before most of the deaths"


async def die_often(directory: Path, seed: int) -> int:
    """Work on a file through many deaths, compare with a calm run, and return how many died."""
    dice = random.Random(f"{SEED} {seed}")
    path = write_calls(directory / "calls.csv", DEATHS * ROWS_PER_DEATH, 5)
    faults = Faults.from_json(LOST | {"crm_error": 0.02, "crm_reset_after": 0.02, "seed": seed})
    died = 0
    async with rigged(directory, world=the_world(), faults=faults) as rig:
        for _ in range(DEATHS):
            passage = int(POINTS_PER_LIFE ** dice.random())
            tables = SMALL | MANY_TRIES
            if await drive(rig, [path], tables=tables, point=ANY, passage=passage) is not None:
                break
            died += 1
        final = await go_on(rig, path)
        assert final.open == 0
        told = ending_of(rig, final)
    calm = directory / "calm"
    calm.mkdir()
    async with rigged(calm, world=the_world()) as other:
        assert ending_of(other, await other.sync_file(path)) == told
    return died
