"""The commands about opt-outs: optouts, which lists them by deadline, and optouts acknowledge."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from typing import Annotated

import typer

from aftercall.interfaces.cli.options import Place, Received, grouped


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(optouts)
    group.command("acknowledge")(acknowledge)
    app.add_typer(group, name="optouts")


@grouped
def optouts(
    context: typer.Context,
    place: Place,
    asked: Received,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many at most.")] = 50,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """List opt-outs, the nearest deadline first.

    STATUS is pending, near, late, overwritten, applied or acknowledged; without it, all that were
    not applied in time, or lack a record in a DNC group, and not acknowledged. Exit code 4 says
    that one is near, late or overwritten, listed or not.
    """
    if context.invoked_subcommand is not None:
        return 0
    from aftercall.interfaces.cli import opt_out_listing

    return opt_out_listing.show(place, asked, limit, json=json)


@grouped
def acknowledge(
    rows: Annotated[list[int], typer.Argument(metavar="ROW", hidden=True)],
    place: Place,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who has looked at them.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why that is all.")],
    *,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take an acknowledgement back.")
    ] = False,
) -> int:
    """Record who has looked at opt-outs, and why that is all.

    Only those that were not applied in time, or are held no more, can be acknowledged. ROW is the
    number of a row as optouts lists it; several can be given. NAME and TEXT become part of the
    audit trail, for good.
    """
    from aftercall.interfaces.cli import opt_out_listing

    return opt_out_listing.acknowledge(place, rows, (by, reason), withdraw=withdraw)
