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
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How the tenant is spoken to: profile list shows them."),
    ] = None,
    instance: Annotated[
        str | None, typer.Option(metavar="NAME", help="The tenant's instance or area, as na1.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Or its full address, as a gateway's.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> int:
    """Write a commented configuration to start from.

    PATH is where; aftercall.toml unless it is given. On a terminal, without options, it asks which
    tenant one has.
    """
    from aftercall.interfaces.cli import preparing
    from aftercall.interfaces.cli.starter import Answers

    return preparing.init(path, Answers(profile, instance, base_url), force=force)


@grouped
def check(
    place: Place,
    contact: Annotated[
        str | None,
        typer.Option(metavar="CAMPAIGN/CONTACT", help="A contact to read, to see what it tells."),
    ] = None,
    deep: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--deep", help="Look at all lists that the tenant offers, too.")
    ] = False,
    write: Annotated[
        str | None,
        typer.Option(
            metavar="OUTCOME",
            help="With --deep and --contact: write this onto it, a test contact.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Check that everything is in place for a run.

    Nothing is written to the tenant unless --write names an outcome for a test contact.
    """
    from aftercall.interfaces.cli import preparing

    return preparing.check(place, preparing.Wanted(contact, deep, write))
