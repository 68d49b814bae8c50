"""An export is killed while it writes: what it leaves is never half of a result file."""

import random
import time
from pathlib import Path

from tests.e2e.rig import Desk, simulated

from .rig import SEED

ROWS = 1500
KILLS = 6


def test_an_export_that_dies_is_made_anew(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    desk = Desk(tmp_path)
    rows = [f"C{n % 40},p{n},{'INTERESTED' if n % 3 else 'NO'},a1,,2026-01-02T03:04:05Z"
            for n in range(ROWS)]  # fmt: skip
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url, rate=1000)
        desk.rows("calls.csv", *rows)
        desk.run("sync", "calls.csv")
    (run,) = [one["run"] for one in desk.json("runs")["runs"]]
    wanted = {file.name: file.read_bytes() for file in tmp_path.glob(f"{run}-*.csv")}
    assert wanted
    for _ in range(KILLS):
        for name in wanted:
            (tmp_path / name).unlink(missing_ok=True)
        process = desk.begin("export", run)
        time.sleep(dice.uniform(0.2, 0.8))
        process.kill()
        process.communicate()
        for name, whole in wanted.items():
            left = tmp_path / name
            assert not left.exists() or left.read_bytes() == whole, "half a file was left"
    assert desk.run("export", run).returncode == 0
    assert {name: (tmp_path / name).read_bytes() for name in wanted} == wanted
