"""The commands about follow-ups: what else was done at the tenant, and doing it again."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from enum import StrEnum
from typing import Annotated

import typer

from aftercall.interfaces.cli.options import Following, Output, Place, Speed, grouped

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OneRun = Annotated[str, typer.Argument(metavar="RUN", hidden=True)]
OneNumber = Annotated[int, typer.Argument(metavar="NUMBER", hidden=True)]


class Ended(StrEnum):
    """The states from which a follow-up can be tried again."""

    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    IMPOSSIBLE = "impossible"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    words = "Tags, DNC records and callbacks after outcomes: list them, try them again."
    group = typer.Typer(help=words, no_args_is_help=True)
    group.command("list")(follow_ups_list)
    group.command("show")(follow_ups_show)
    group.command("retry")(follow_ups_retry)
    app.add_typer(group, name="followups")


@grouped
def follow_ups_list(
    place: Place,
    asked: Following,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many at most.")] = 50,
    *,
    json: Json = False,
) -> int:
    """List follow-ups, the newest first.

    STATE is waiting, sending, done, refused, failed, unknown, impossible or withdrawn.
    """
    from aftercall.interfaces.cli import follow_up_listing

    return follow_up_listing.listed(place, asked, limit, json=json)


@grouped
def follow_ups_show(number: OneNumber, place: Place, *, json: Json = False) -> int:
    """Show a follow-up and what the audit trail says of it.

    NUMBER is its number as followups list shows it.
    """
    from aftercall.interfaces.cli import follow_up_listing

    return follow_up_listing.show(place, number, json=json)


@grouped
def follow_ups_retry(
    run: OneRun,
    place: Place,
    speed: Speed,
    output: Output,
    state: Annotated[
        list[Ended] | None,
        typer.Option(
            metavar="STATE",
            help="failed (unless given), refused, unknown or impossible. Repeatable.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Try follow-ups of a run again that were not done.

    RUN is its id. Whether an unknown one was done after all is not found out: look at the tenant
    first, or a callback may be scheduled twice.
    """
    from aftercall.interfaces.cli import runs
    from aftercall.interfaces.cli.options import Columns

    request = runs.Request(place, Columns(), speed, output)
    return runs.retry_follow_ups(run, state or [Ended.FAILED], request)
