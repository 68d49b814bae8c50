"""`demo`, whole, as a new user types it."""

import json
import tomllib

from .rig import Desk


def test_the_demo_proves_itself(desk: Desk):
    desk.environment = {"CXONE_CLIENT_ID": "", "CXONE_CLIENT_SECRET": ""}
    desk.rows("mine.csv", *(f"C1,p{n},INTERESTED,a1,,2026-01-02T03:04:05Z" for n in range(8)))
    done = desk.run("demo", "--rows", "mine.csv", "--keep", "kept")
    assert done.returncode == 0
    assert "read 8 = applied 8  ok" in done.stdout
    assert "8 changes for 8 applied rows, the same contacts and outcomes" in done.stdout
    assert "0 writes over a live call, 0 answers of 429" in done.stdout
    assert "heard 8 of 8, each signed" in done.stdout
    kept = desk.path / "kept"
    config = tomllib.loads((kept / "aftercall.toml").read_text())
    assert config["tenant"]["base_url"].startswith("http://127.0.0.1:")
    assert len(json.loads((kept / "audit.json").read_bytes())) == 8
    # What it says to type next works without the simulator.
    for line in done.stdout.splitlines():
        command = line.split()
        if command[:1] == ["aftercall"] and command[1] != "init":
            assert desk.run(*command[1:]).returncode == 0
    again = desk.run("demo", "--rows", "mine.csv", "--keep", "kept")
    assert again.returncode == 0
    assert len(list(kept.glob("*-success.csv"))) == 1


def test_the_demo_takes_nothing_away_for_rows_that_it_cannot_read(desk: Desk):
    kept = desk.path / "kept"
    kept.mkdir()
    for name in (".aftercall-demo", "audit.json"):
        (kept / name).touch()
    done = desk.run("demo", "--rows", "none.csv", "--keep", "kept")
    assert done.returncode == 1
    assert "error: none.csv cannot be read: No such file or directory." in done.stderr
    assert (kept / "audit.json").exists()


def test_the_demo_clears_nothing_that_is_not_its_own(desk: Desk):
    (desk.path / "mine").mkdir()
    (desk.path / "mine" / "letter.txt").write_text("dear")
    done = desk.run("demo", "--keep", "mine")
    assert done.returncode == 1
    assert "no demo made it" in done.stderr
    assert (desk.path / "mine" / "letter.txt").read_text() == "dear"
