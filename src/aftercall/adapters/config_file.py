"""Adding keys to a configuration file as a person would: comments and order stay as they are."""

import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from aftercall.errors import AftercallError

BOM = "\ufeff"
"""What some editors begin a UTF-8 file with; TOML does not know it."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?")


class CannotEdit(AftercallError):
    """The file is written so that keys cannot be added to it safely. Nothing was changed."""


def add_keys(path: Path, tables: Mapping[str, Mapping[str, str]]) -> None:
    """Add texts to tables of the file at `path`, in one step; a link to it stays a link.

    Args:
        path: a TOML file.
        tables: for each table the keys to add and their values; none of them is there yet.

    Raises:
        CannotEdit: it could not be done without touching anything else.
        AftercallError: the file cannot be read or written.
    """
    try:
        # Not `read_text`: it would make every line end in the same way.
        whole = path.read_bytes().decode("utf-8")
        before = whole.removeprefix(BOM)
        after = before
        for table, keys in tables.items():
            after = _with_keys(after, table, keys)
        _check(before, after, tables, path)
        if after != before:
            _replace(path.resolve(), (BOM if before != whole else "") + after)
    except OSError as trouble:
        message = f"{path} cannot be changed: {trouble.strerror}."
        raise AftercallError(message, fix="Name a file that can be read and written.") from None


def _replace(path: Path, text: str) -> None:
    """Put a new text in a file's place, whole or not at all; nothing is left beside it.

    Raises:
        OSError: it cannot be written, or is not meant to be.
    """
    held = path.stat()
    if not held.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        # Its directory might let us all the same; whoever made it read-only would not.
        raise PermissionError(0, "it is read-only")
    number, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(number)
        with suppress(PermissionError):
            os.chown(part, held.st_uid, held.st_gid)
        part.chmod(held.st_mode & 0o777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def lines_of(keys: Mapping[str, str]) -> list[str]:
    """Return keys with their values as lines of TOML."""
    return [f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]


def _with_keys(text: str, table: str, keys: Mapping[str, str]) -> str:
    """Return the text with lines behind the last key of a table, which is begun if need be."""
    if not keys:
        return text
    # Not `splitlines`: it also ends lines where TOML does not. What is added ends as lines here do.
    end = "\r" if "\r\n" in text else ""
    lines = text.split("\n")
    last = lines.pop()
    lines += [f"{last}{end}"] if last else []
    place = _end_of(lines, table)
    added = [f"{line}{end}" for line in lines_of(keys)]
    if place is None:
        gap = [end] if lines and lines[-1].strip() else []
        return "\n".join([*lines, *gap, f"[{table}]{end}", *added, ""])
    return "\n".join([*lines[:place], *added, *lines[place:], ""])


def _end_of(lines: list[str], table: str) -> int | None:
    """Return where the next key of a table would stand; None if there is no such table."""
    place = None
    for number, line in enumerate(lines):
        header = _HEADER.fullmatch(line)
        if header is not None and header[1].strip() == table:
            place = number + 1
        elif place is not None and line.lstrip().startswith("["):
            return place
        elif place is not None and line.strip() and not line.lstrip().startswith("#"):
            place = number + 1
    return place


def _check(before: str, after: str, tables: Mapping[str, Mapping[str, str]], path: Path) -> None:
    """Refuse an edit that changed anything but what it was to add."""
    wanted = tomllib.loads(before)
    for table, keys in tables.items():
        if keys:
            wanted[table] = {**wanted.get(table, {}), **keys}
    try:
        done = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        done = {}
    if done != wanted:
        lines = "\n".join(
            line for table, keys in tables.items() for line in (f"[{table}]", *lines_of(keys))
        )
        message = f"{path} is written so that nothing can be added safely. Add by hand:\n{lines}"
        raise CannotEdit(message, fix="Or give the tables headers of their own, then try again.")


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key)
