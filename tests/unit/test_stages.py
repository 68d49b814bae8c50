"""A profile's samples are told by stage."""

import re
from pathlib import Path

import pytest
from benchmarks.__main__ import main
from benchmarks.stages import STAGES, shares, stage_of, table

LOOP = "run (asyncio/runners.py:190);Handle._run (asyncio/events.py:80)"
ROW = "Rounds._row (aftercall/engine/rounds.py:200);Writer.work (aftercall/engine/writer.py:60)"


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (f"{LOOP};{ROW}", "turns and decisions"),
        (f"{LOOP};{ROW};digest (hmac.py:10)", "turns and decisions"),
        (f"{LOOP};{ROW};Lane.grant (aftercall/engine/lane.py:9)", "pace and permits"),
        (f"{LOOP};{ROW};ClientSession._request (aiohttp/client.py:9)", "HTTP: aiohttp"),
        (
            f"{LOOP};{ROW};_request (aiohttp/client.py:9);write (asyncio/selector_events.py:1)",
            "HTTP: aiohttp",
        ),
        (f"{LOOP};_read_ready (asyncio/selector_events.py:9)", "sockets of the event loop"),
        (LOOP, "the event loop itself"),
        (
            "run (threading.py:9);_settle (aftercall/adapters/journal/sqlite/claims.py:9)",
            "journal thread: SQL and commit",
        ),
        ("<module> (somewhere.py:1)", "all else"),
    ],
)
def test_a_sample_belongs_to_the_innermost_stage_of_ours(stack: str, stage: str) -> None:
    assert stage_of(stack) == stage


def test_shares_add_up_to_the_whole() -> None:
    waiting = "run (threading.py:9);_worker (concurrent/futures/thread.py:9) 99"
    found = shares([f"{LOOP};{ROW} 3", f"{LOOP} 1", waiting, "<module> (x.py:1) 4"])

    assert list(found) == ["all else", "turns and decisions", "the event loop itself"]
    assert sum(found.values()) == pytest.approx(1.0)
    assert table(found).splitlines()[0].endswith("50.0%")


def test_every_part_of_ours_that_is_named_exists() -> None:
    root = Path(__file__).parents[2] / "src"
    files = [file.relative_to(root).as_posix() for file in root.rglob("*.py")]
    for name, pattern in STAGES:
        if "aftercall" in pattern:
            assert any(re.search(pattern, file) for file in files), name


def test_a_benchmark_that_there_is_not_is_no_empty_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "nonsense"])

    assert "choose from" in capsys.readouterr().err
