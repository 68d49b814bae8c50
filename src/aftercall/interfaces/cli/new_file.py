"""Files that a command makes for the user to edit."""

from pathlib import Path

from aftercall.errors import AftercallError


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file; over one that is there only by `force`.

    Raises:
        AftercallError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as trouble:
        message = f"{path} cannot be written: {trouble.strerror}."
        raise AftercallError(message, fix="Give a path that can be written.") from None


def check_free(path: Path, *, force: bool) -> None:
    """Check that a file may be written, before anybody is asked what is to stand in it.

    Raises:
        AftercallError: there is one already.
    """
    if path.exists() and not force:
        raise _exists(path)


def _exists(path: Path) -> AftercallError:
    message = f"{path} exists already."
    return AftercallError(message, fix="Give another path, or overwrite it with --force.")
