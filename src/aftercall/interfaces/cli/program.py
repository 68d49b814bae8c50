"""What this program is called where it is typed."""

import os
import shlex
import sys
from pathlib import Path

NAME = "aftercall"


def program() -> str:
    """Return what to type for this program: its name if the shell finds it, else its path."""
    import shutil  # noqa: PLC0415 - only where something is told: --help stays quick

    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return f"{_path(Path(sys.executable))} -m {NAME}"
    found = shutil.which(NAME)
    if started.name != NAME or (found is not None and started.resolve() == Path(found).resolve()):
        return NAME
    return _path(started)


def typed(command: str) -> str:
    """Return a command of ours as it can be typed here."""
    if command.startswith(f"{NAME} "):
        return program() + command.removeprefix(NAME)
    return command


def _path(file: Path) -> str:
    """Return a path, a relative one if it lies below the directory one is in."""
    words = os.path.relpath(file)
    return shlex.quote(str(file.absolute()) if words.startswith(os.pardir) else words)
