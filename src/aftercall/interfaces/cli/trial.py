"""The commands that need no tenant: simulate and demo."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from pathlib import Path
from typing import Annotated

import typer

from aftercall.interfaces.cli.options import CONFIG

DEMO = Path("demo")

UNCHANGED = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": list[str](),
}
"""The simulator reads its own options, --help included."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(context_settings=UNCHANGED)(simulate)
    app.command()(demo)


def simulate(
    context: typer.Context,
    from_config: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--from-config", help="Be like the tenant of the configuration.")
    ] = False,
    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="PATH", help="The configuration.")
    ] = CONFIG,
) -> int:
    """Serve a simulated tenant and CRM to rehearse with."""
    from aftercall.interfaces.cli import simulating

    try:
        return simulating.simulate(context.args, config if from_config else None)
    except SystemExit as end:  # argparse ends so after --help and after a wrong option
        return end.code if isinstance(end.code, int) else 0


def demo(
    rows: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your own rows in place of the sample.")
    ] = None,
    keep: Annotated[Path, typer.Option(metavar="DIR", help="Where everything is left.")] = DEMO,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of what is random.")] = 0,
) -> int:
    """Run the whole job against a simulated tenant and CRM.

    Nothing leaves this machine.
    """
    from aftercall.interfaces.cli import demonstration

    return demonstration.demo(demonstration.Wanted(rows, keep, seed))
