"""The commands that read the journal: runs, show, export."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from pathlib import Path
from typing import Annotated

import typer

from aftercall.domain.status import Status
from aftercall.interfaces.cli.options import Place, grouped

MaybeRun = Annotated[str | None, typer.Argument(metavar="RUN", hidden=True)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OfStatus = Annotated[
    list[Status] | None,
    typer.Option(metavar="STATUS", help="List the rows that have it. Repeatable."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (runs, show, export):
        app.command()(command)


@grouped
def runs(
    place: Place,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many at most.")] = 20,
    *,
    json: Json = False,
) -> int:
    """List the runs in the journal, the newest first."""
    from aftercall.interfaces.cli import listings

    return listings.runs(place, limit, json=json)


@grouped
def show(
    place: Place,
    run: MaybeRun = None,
    status: OfStatus = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Rows at most.")] = 50,
    *,
    json: Json = False,
) -> int:
    """Show the report of a run, or its rows of a status.

    RUN is its id; without one it is the newest run.
    """
    from aftercall.interfaces.cli import listings

    return listings.show(place, run, listings.Asked(tuple(status or ()), limit, json))


@grouped
def export(
    place: Place,
    run: MaybeRun = None,
    results: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the files go.")] = None,
) -> int:
    """Write the result files of a run and print their paths.

    RUN is its id; without one it is the newest run.
    """
    from aftercall.interfaces.cli import listings

    return listings.export(place, run, results)
