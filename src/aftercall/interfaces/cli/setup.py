"""The commands that prepare: init and check."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from pathlib import Path
from typing import Annotated

import typer

from aftercall.interfaces.cli.options import CONFIG, Place, grouped


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (init, check):
        app.command()(command)


def init(
    path: Annotated[Path, typer.Argument(metavar="PATH", hidden=True)] = CONFIG,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> int:
    """Write a commented configuration to start from.

    PATH is where; aftercall.toml unless it is given.
    """
    from aftercall.interfaces.cli import preparing

    return preparing.init(path, force=force)


@grouped
def check(
    place: Place,
    contact: Annotated[
        str | None,
        typer.Option(metavar="CAMPAIGN/CONTACT", help="A contact to read, to see its ETag."),
    ] = None,
) -> int:
    """Check that everything is in place for a run.

    Nothing is written to the tenant.
    """
    from aftercall.interfaces.cli import preparing

    return preparing.check(place, contact)
