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
        message = f"{path} exists already."
        fix = "Give another path, or overwrite it with --force."
        raise AftercallError(message, fix=fix) from None
    except OSError as trouble:
        message = f"{path} cannot be written: {trouble.strerror}."
        raise AftercallError(message, fix="Give a path that can be written.") from None
