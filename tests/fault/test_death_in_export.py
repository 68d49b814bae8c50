"""An export is killed while it writes: what it leaves is never half of a result file."""

import random
import time
from pathlib import Path

from tests.e2e.rig import Desk, simulated, until

from .rig import SEED

ROWS = 40_000
KILLS = 6


def test_an_export_that_dies_is_made_anew(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    desk = Desk(tmp_path)
    # Rows with an outcome that is none are refused at once, and fill a large file.
    rows = [f"C{n % 40},p{n},{'NO' if n % 4000 else 'INTERESTED'},a1,,2026-01-02T03:04:05Z"
            for n in range(ROWS)]  # fmt: skip
    with simulated("--rate", "0") as tenant:
        desk.configure(tenant.url, rate=1000)
        desk.rows("calls.csv", *rows)
        desk.run("sync", "calls.csv")
    (run,) = [one["run"] for one in desk.json("runs")["runs"]]
    wanted = {file.name: file.read_bytes() for file in tmp_path.glob(f"{run}-*.csv")}
    assert len(wanted) == 2

    def left() -> int:
        return sum(file.stat().st_size for file in tmp_path.glob(f"{run}-failed.csv*"))

    in_mid_file = 0
    for _ in range(KILLS):
        for file in tmp_path.glob(f"{run}-*"):
            file.unlink()
        process = desk.begin("export", run)
        until(left)
        time.sleep(dice.uniform(0.0, 0.1))
        process.kill()
        process.communicate()
        in_mid_file += 0 < left() < len(wanted[f"{run}-failed.csv"])
        for name, whole in wanted.items():
            there = tmp_path / name
            assert not there.exists() or there.read_bytes() == whole, "half a file was left"
    assert in_mid_file, "no export died within a file"
    assert desk.run("export", run).returncode == 0
    assert {name: (tmp_path / name).read_bytes() for name in wanted} == wanted
