"""The command about the tenant's own outcomes."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from typing import Annotated

import typer

from aftercall.interfaces.cli.options import Place, grouped


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    group = typer.Typer(help="Fetch what the tenant calls its outcomes.", no_args_is_help=True)
    group.command("pull")(pull)
    app.add_typer(group, name="outcomes")


@grouped
def pull(
    place: Place,
    dry_run: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--dry-run", help="Show them, change nothing.")
    ] = False,
) -> int:
    """Fetch the tenant's dispositions into the configuration.

    Codes that are there keep their place and category; comments stay. Nothing is written to the
    tenant.
    """
    from aftercall.interfaces.cli import pulling

    return pulling.pull(place, dry_run=dry_run)
