"""Process after process dies, wherever and whatever it does; the books balance."""

from pathlib import Path

import pytest

from .deaths import DEATHS, die_often

WORLDS = 4


@pytest.mark.parametrize("seed", range(WORLDS))
async def test_many_deaths_end_as_none(tmp_path: Path, seed: int) -> None:
    tally = await die_often(tmp_path, seed, DEATHS)

    assert tally.deaths.total() >= DEATHS * 0.75, "the work was done before most of the deaths"
