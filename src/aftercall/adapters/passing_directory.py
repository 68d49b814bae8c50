"""A directory for the time of one command, which the next one removes if the command was killed.

What a command puts there may be personal, such as a copy of the journal. An orderly end removes it;
SIGKILL cannot. So each directory holds a file that its owner keeps locked; the kernel lets go of it
when the owner ends, however that happens. Nothing else says that an owner is gone: the number of a
process may be another's by then, or one of another container's.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "aftercall-"
OWNER = "aftercall.owner"
"""The file in it that its owner keeps locked."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def passing_directory(kind: str) -> Iterator[Path]:
    """Make a directory that only we can read, and remove it and its leftovers of dead owners.

    Args:
        kind: what it is for; a part of its name.

    Raises:
        OSError: there can be none.
    """
    remove_leftovers(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{kind}-") as made:
        directory = Path(made)
        # Locked before it has its name: whoever finds it there finds it locked.
        draft = directory / f"{OWNER}.new"
        owner = os.open(draft, _FILE | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with suppress(OSError):  # Where nothing can be locked nothing is removed, either.
                fcntl.flock(owner, fcntl.LOCK_EX)
            draft.rename(directory / OWNER)
            yield directory
        finally:
            os.close(owner)


def remove_leftovers(place: Path) -> None:
    """Remove the directories in `place` whose owners are dead; what cannot be removed stays.

    Only what `passing_directory` has made is looked at: directories of this user's that nobody else
    can enter, with the file of their owner in them. No link is followed: all that is done is done
    to what was opened, by its handle.
    """
    with suppress(OSError):
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in _names(handle):
                if name.startswith(PREFIX):
                    with suppress(OSError):
                        _remove_if_left(handle, name)
        finally:
            os.close(handle)


def _remove_if_left(place: int, name: str) -> None:
    directory = os.open(name, _DIRECTORY, dir_fd=place)
    try:
        facts = os.fstat(directory)
        if facts.st_uid != os.geteuid() or facts.st_mode & _OTHERS:
            return
        owner = os.open(OWNER, _FILE, dir_fd=directory)
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _empty(directory)
        finally:
            os.close(owner)
    finally:
        os.close(directory)
    os.rmdir(name, dir_fd=place)


def _empty(directory: int) -> None:
    """Remove what is in a directory, the owner's file last: until then it can be tried again."""
    for name in sorted(_names(directory), key=lambda one: one == OWNER):
        facts = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):
            shutil.rmtree(name, dir_fd=directory)
        else:
            os.unlink(name, dir_fd=directory)


def _names(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]
