"""The command line itself: its commands, and the one place where errors become exit codes."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from typer.main import get_command

from aftercall.errors import AftercallError
from aftercall.interfaces.cli import (
    crm,
    failures,
    followups,
    history,
    optouts,
    outcomes,
    profiles,
    setup,
    trail,
    trial,
    work,
)

USAGE = {
    "max_content_width": 100,
    "help_option_names": ["--help", "-h"],
    # With a value that is known, typer need not import what it checks values with.
    "default_map": {"help": False},
}

app = typer.Typer(
    name="aftercall",
    add_completion=False,
    no_args_is_help=True,
    # Tracebacks with local variables would show secrets; plain help is quick and can be piped.
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    context_settings=USAGE,
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - only where it is needed

        sys.stdout.write(f"aftercall {version('aftercall')}\n")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done, 1 failure, 2 usage, 4 done with rows refused, "
    "75 go on with resume, 78 configuration, 130 interrupted."
)
def aftercall(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where a defect came up.")] = False,
) -> None:
    """Write call outcomes back to the contact centre, exactly once, and prove it."""
    del version, debug


for group in (setup, work, history, followups, crm, trail, optouts, profiles, outcomes, trial):
    group.add_to(app)


def run() -> None:
    """Run the command that was typed and end with its exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # Python's word for one that was closed before we were started
            stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end
            setattr(sys, name, stream)
        # A terminal that cannot show a letter is no reason to fail.
        stream.reconfigure(errors="replace")
    for one in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) == signal.SIG_DFL:  # nohup has it ignored
            signal.signal(one, _end)
    code = main(sys.argv[1:])
    if any(thread.daemon for thread in threading.enumerate()):
        # It waits for standard input, whose lock it has; Python would crash over that at its end.
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _end(number: int, _: FrameType | None) -> None:
    """End in order, so that what was made for the time being is removed."""
    sys.exit(128 + number)


def main(words: Sequence[str]) -> int:
    """Run a command and return its exit code; every error is told here."""
    try:
        code = _invoke(words)
        sys.stdout.flush()
    except AftercallError as error:
        return failures.tell(error)
    except KeyboardInterrupt:
        return failures.INTERRUPTED
    except BrokenPipeError:
        failures.hush(sys.stdout)
        return failures.NOBODY_READS
    except OSError as error:
        return failures.tell_system(error)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, it is told
        if (told := failures.known(error)) is not None:
            return failures.tell(told)
        if isinstance(error, failures.UsageTrouble):
            return failures.tell_usage(error, _command_in(words))
        return failures.tell_defect(error, debug="--debug" in words)
    return code


_command_of = cache(get_command)
"""Makes a command of functions, once: it takes longer than most commands do."""


def _command_in(words: Sequence[str]) -> str:
    """Return the command that was typed, without what was given to it."""
    path, command = ["aftercall"], _command_of(app)
    for word in words:
        below = getattr(command, "commands", {}).get(word)
        if below is None:
            break
        path.append(word)
        command = below
    return " ".join(path)


def _invoke(words: Sequence[str]) -> int:
    # Not `app()`: it would tell errors in its own way.
    command = _command_of(app)
    try:
        with command.make_context("aftercall", list(words)) as context:
            return int(command.invoke(context) or 0)
    except typer.Exit as end:
        return end.exit_code
