"""Directories for the time of a command, and what becomes of those whose command was killed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aftercall.adapters.passing_directory import OWNER, passing_directory

LIVE = """\
import os, sys
from aftercall.adapters.passing_directory import passing_directory
with passing_directory("rehearsal") as directory:
    (directory / "journal.db").write_text("personal")
    (directory / "deeper" / "still").mkdir(parents=True)
    (directory / "deeper" / "away").symlink_to(sys.argv[1])
    (directory / "linked.db").symlink_to(sys.argv[1] + "/kept")
    print(directory, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made."""
    made = tmp_path / "tmp"
    made.mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return made


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    made = tmp_path / "outside"
    made.mkdir()
    (made / "kept").write_text("kept")
    return made


@contextmanager
def owner(outside: Path) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Run a process that has such a directory until it is told to end."""
    with subprocess.Popen(
        [sys.executable, "-c", LIVE, str(outside)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(
    place: Path, outside: Path
) -> None:
    with owner(outside) as (killed, left), owner(outside) as (_, alive):
        killed.send_signal(signal.SIGKILL)
        killed.wait(10)
        assert (left / "journal.db").exists()
        with passing_directory("plan") as mine:
            assert not left.exists()
            assert (alive / "journal.db").exists()
            assert set(place.iterdir()) == {alive, mine}
            assert mine.stat().st_mode & 0o077 == 0
    assert list(place.iterdir()) == [], "an orderly end leaves nothing"
    assert (outside / "kept").read_text() == "kept"


def test_what_was_not_made_for_it_is_let_be(place: Path, outside: Path) -> None:
    (outside / OWNER).touch()
    outside.chmod(0o700)
    (place / "aftercall-link").symlink_to(outside)
    (place / "aftercall-file").touch()
    (place / "aftercall-mine").mkdir(mode=0o700)
    for name, mode in (("aftercall-open", 0o755), ("other-dead", 0o700)):
        (place / name).mkdir()
        (place / name / OWNER).touch()
        (place / name).chmod(mode)
    (place / "aftercall-trick").mkdir(mode=0o700)
    (place / "aftercall-trick" / OWNER).symlink_to(outside / "kept")
    stood = set(place.rglob("*"))

    with passing_directory("plan"):
        pass

    assert set(place.rglob("*")) == stood
    assert {path.name for path in outside.iterdir()} == {"kept", OWNER}


def test_a_name_that_is_swapped_for_a_link_leads_nowhere(place: Path, outside: Path) -> None:
    (place / "aftercall-dead").mkdir(mode=0o700)
    (place / "aftercall-dead" / OWNER).touch()
    (place / "aftercall-dead" / "deeper").symlink_to(outside)

    with passing_directory("plan"):
        pass

    assert not os.path.lexists(place / "aftercall-dead")
    assert (outside / "kept").read_text() == "kept"
