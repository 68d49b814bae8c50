"""The commands that talk to the tenant: sync, resume, retry, and plan, which only looks."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from enum import StrEnum
from typing import Annotated

import typer

from aftercall.interfaces.cli.options import Columns, Ending, Output, Place, Reading, Speed, grouped

Files = Annotated[list[str], typer.Argument(metavar="FILE", hidden=True)]
MaybeRun = Annotated[str | None, typer.Argument(metavar="RUN", hidden=True)]
OneRun = Annotated[str, typer.Argument(metavar="RUN", hidden=True)]


class Retried(StrEnum):
    """The statuses that `retry` can try again."""

    FAILED = "failed"
    REJECTED = "rejected"
    MISSING = "missing"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (plan, sync, resume, retry):
        app.command()(command)


@grouped
def plan(
    files: Files,
    place: Place,
    reading: Reading,
    speed: Speed,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,  # noqa: FBT002
) -> int:
    """Say what sync would do; sends nothing, stores nothing.

    FILE is a CSV, JSON Lines or JSON file, or - for standard input.
    """
    from aftercall.interfaces.cli import planning

    return planning.plan(files, planning.Request(place, speed, json), reading)


@grouped
def sync(files: Files, place: Place, reading: Reading, speed: Speed, output: Ending) -> int:
    """Write the outcomes in files to the tenant, each exactly once.

    FILE is a CSV, JSON Lines or JSON file, or - for standard input. Stop with Ctrl-C; go on with
    resume. A file fed again writes nothing twice.
    """
    from aftercall.interfaces.cli import runs

    request = runs.Request(place, reading, speed, output)
    if output.rehearse or output.faults or output.fault:
        from aftercall.interfaces.cli import mischief, rehearsing

        return rehearsing.rehearse(files, request, reading, mischief.mischief_of(output))
    return runs.sync(files, request, reading)


@grouped
def resume(
    place: Place, columns: Columns, speed: Speed, output: Output, run: MaybeRun = None
) -> int:
    """Go on with a run that has open rows.

    RUN is its id; without one it is the newest run.
    """
    from aftercall.interfaces.cli import runs

    return runs.resume(run, runs.Request(place, columns, speed, output))


@grouped
def retry(
    run: OneRun,
    place: Place,
    speed: Speed,
    output: Output,
    status: Annotated[
        list[Retried] | None,
        typer.Option(
            metavar="STATUS",
            help="failed (unless given), rejected or missing. Repeatable.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Try failed rows of a run again.

    RUN is its id.
    """
    from aftercall.interfaces.cli import runs

    return runs.retry(
        run, status or [Retried.FAILED], runs.Request(place, Columns(), speed, output)
    )
