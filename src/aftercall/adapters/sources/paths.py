"""From a path to an open file, or to an error that says which path was meant."""

import difflib
import errno
import os
import stat
from itertools import islice
from pathlib import Path
from typing import Final

from aftercall.adapters.sources.byte_stream import ByteStream
from aftercall.adapters.sources.kinds import kind_by_name
from aftercall.errors import SourceUnreadable

_LOOKED_AT: Final = 10_000  # entries of a directory; enough to be helpful, not to be slow
_SHOWN: Final = 5
_NO_INPUTS: Final = (".db", ".db-wal", ".db-shm", ".lock")


def open_file(path: str) -> ByteStream:
    """Open a file for reading.

    Raises:
        SourceUnreadable: if there is no such file, or it cannot be opened.
    """
    try:
        # Closed by the stream, whose life is longer than this function.
        raw = Path(path).open("rb")  # noqa: SIM115
    except FileNotFoundError as error:
        raise SourceUnreadable(f"There is no file {path}.", fix=_close_names(path)) from error
    except IsADirectoryError as error:
        raise SourceUnreadable(
            f"{path} is a directory, not a file.", fix=_usable_files(path)
        ) from error
    except PermissionError as error:
        raise SourceUnreadable(
            f"{path} may not be read by this user.",
            fix=f"Ask its owner, or see who may read it: ls -l {path}",
        ) from error
    except (OSError, ValueError) as error:
        reason = os.strerror(error.errno or errno.EIO) if isinstance(error, OSError) else error
        raise SourceUnreadable(
            f"{path!r} cannot be opened: {reason}.", fix="Check the path."
        ) from error
    status = os.fstat(raw.fileno())
    # The files of /proc say 0 and still have content, just like a pipe.
    size = status.st_size if stat.S_ISREG(status.st_mode) and status.st_size else None
    return ByteStream(raw, path, size, owned=True)


def _close_names(path: str) -> str:
    wanted = Path(path)
    if not wanted.parent.is_dir():
        return f"The directory {wanted.parent} does not exist; check the path."
    inputs = [name for name in _names(wanted.parent) if not name.endswith(_NO_INPUTS)]
    close = difflib.get_close_matches(wanted.name, inputs, n=3)
    if not close:
        return "Check the path."
    return "Did you mean " + " or ".join(str(wanted.parent / name) for name in close) + "?"


def _usable_files(path: str) -> str:
    usable = sorted(name for name in _names(Path(path)) if kind_by_name(name))
    if not usable:
        return "Name a file; no file in it ends with .csv, .jsonl or .json."
    more = f" and {len(usable) - _SHOWN} more" if len(usable) > _SHOWN else ""
    return f"Name one of its files: {', '.join(usable[:_SHOWN])}{more}."


def _names(directory: Path) -> list[str]:
    """List some names in a directory; none if it may not be looked into."""
    try:
        with os.scandir(directory) as entries:
            return [entry.name for entry in islice(entries, _LOOKED_AT)]
    except OSError:
        return []
