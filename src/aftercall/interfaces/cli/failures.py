"""Errors as a person is shown them: what happened, what to do about it, what to type next."""

import os
import sys
import traceback
from typing import IO, Protocol, runtime_checkable

from aftercall.errors import AftercallError, Interrupted
from aftercall.interfaces.cli.program import typed

FAILURE = 1
INTERRUPTED = 130
NOBODY_READS = 141
"""What a shell reports for a program that its pipe's reader has left (128 + SIGPIPE)."""


@runtime_checkable
class UsageTrouble(Protocol):
    """What the parser of the command line raises, wherever its class lies."""

    exit_code: int
    ctx: object

    def format_message(self) -> str:
        """Return what is wrong."""
        ...


def tell(error: AftercallError) -> int:
    """Print an error on standard error and return its exit code."""
    _print(told(error))
    return error.exit_code


def told(error: AftercallError) -> list[str]:
    """Return the lines that say what happened, what to do, and what to type next."""
    # The message may list several things, each on a line of its own.
    first, *more = [_clean(line) for line in error.message.split("\n")]
    label = "stopped" if isinstance(error, Interrupted) else "error"
    lines = [f"{label}: {_sentence(first)}", *more]
    if error.fix:
        lines.append(f"fix: {_sentence(_clean(error.fix))}")
    if error.next_command:
        lines.append(f"next: {_clean(typed(error.next_command))}")
    return lines


def known(error: BaseException) -> AftercallError | None:
    """Return the error that a user can act on within the group that tasks have raised."""
    if isinstance(error, AftercallError):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(known, error.exceptions)), None)
    return None


def tell_usage(error: UsageTrouble, command: str) -> int:
    """Print what is wrong with how `command` was typed, and return the exit code."""
    message = error.format_message().strip()
    # What the parser itself refuses knows no command.
    path = getattr(error.ctx, "command_path", command)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{message}\n")
        return error.exit_code
    lines = [f"error: {_sentence(_clean(message))}", f"next: {_clean(typed(f'{path} --help'))}"]
    _print(lines)
    return error.exit_code


def tell_system(error: OSError) -> int:
    """Print what the system refused, and return the exit code."""
    hush(sys.stdout)  # It may be standard output that is full: what is left is not tried again.
    name = f": {error.filename}" if error.filename else ""
    _print([_clean(f"error: {error.strerror or type(error).__name__}{name}")])
    return FAILURE


def tell_defect(error: Exception, *, debug: bool) -> int:
    """Print that aftercall itself went wrong, and return the exit code.

    The message of an unexpected error may repeat anything; only its kind is shown.
    """
    place = ""
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}"  # noqa: PTH119
    lines = [
        f"error: {type(error).__name__}{place}: this is a defect of aftercall.",
        "fix: Nothing that was settled is lost. Please report it with the output of --debug.",
    ]
    if debug:
        # Without local variables, which could hold a secret or a person's data.
        lines = [
            line for text in traceback.format_tb(error.__traceback__) for line in [text.rstrip()]
        ] + lines
    _print(lines)
    return FAILURE


def hush(stream: IO[str]) -> None:
    """Point a stream nowhere, so that nothing is written at exit that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _print(lines: list[str]) -> None:
    try:
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()
    except OSError:
        hush(sys.stderr)  # There is nobody left to tell.


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _sentence(text: str) -> str:
    """Return `text` with a stop at its end."""
    end = "" if text.endswith((".", "?", "!", ":", ")")) else "."
    return text + end
