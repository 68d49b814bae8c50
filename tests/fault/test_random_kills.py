"""A run is killed at random instants from outside, over and over, and resumed each time."""

import asyncio
import random
from pathlib import Path
from typing import Any

from aftercall.simulator import Faults, World

from .books import assert_books_balance, outcomes_held
from .processes import start, write_calls
from .rig import SEED, Rig, rigged, within

KILLS = 20
ROWS = 1400
CAMPAIGNS = 7
PACE = {"requests_per_second": 28.0, "batch": 20}
LOST = {"reset_before": 0.02, "reset_after": 0.02, "error_after_commit": 0.02, "conflict": 0.02}
WORLD = World.from_json({"open": True, "missing_ratio": 0.05, "active_ratio": 0.03})


async def kill_at_random(rig: Rig, task: dict[str, Any], dice: random.Random) -> bool:
    """Start the driver and kill it some time after it has begun; False if it was done by then."""
    process = await start(rig, task)
    assert process.stderr is not None
    line = await within(30, process.stderr.readline())
    assert line == b"working\n", (line + await process.stderr.read()).decode()[-2000:]
    ended = asyncio.create_task(process.wait())
    await asyncio.wait({ended}, timeout=dice.uniform(0.05, 0.9))
    killed = not ended.done()
    if killed:
        process.kill()
    await process.communicate()
    assert process.returncode == (-9 if killed else 0)
    return killed


async def test_twenty_kills_end_in_the_same_ledger_as_none(
    tmp_path: Path, soak_factor: int
) -> None:
    rows, kills = ROWS * soak_factor, KILLS * soak_factor
    dice = random.Random(SEED)
    path = write_calls(tmp_path / "calls.csv", rows, CAMPAIGNS)
    faults = Faults.from_json(LOST | {"crm_error": 0.02, "crm_reset_after": 0.02})
    async with rigged(tmp_path, world=WORLD, faults=faults) as rig:
        task = {"config": rig.config(limits=PACE), "files": [str(path)]}
        done = [await kill_at_random(rig, task, dice) for _ in range(kills)]
        assert sum(done) == kills, "the work was done before the last kill"
        final = await rig.resume()
        calm = tmp_path / "calm"
        calm.mkdir()
        async with rigged(calm, world=WORLD) as other:
            expected = await other.sync_file(path)

            assert final.open == 0
            assert final.read == expected.read
            assert final.statuses == expected.statuses
            assert outcomes_held(rig.ledger()) == outcomes_held(other.ledger())
        assert rig.simulator.stats()["live_call_writes"] == 0
        assert_books_balance(final, rig.ledger(), rig.crm())
