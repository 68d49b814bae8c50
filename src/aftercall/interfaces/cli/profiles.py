"""The commands about profiles: how tenants' APIs are spoken."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from pathlib import Path
from typing import Annotated

import typer

OneProfile = Annotated[str, typer.Argument(metavar="PROFILE", hidden=True)]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Look at, check and write profiles: how a tenant's API is spoken.",
        no_args_is_help=True,
    )
    for command in (list_, show, check, new, schema):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="profile")


def list_() -> int:
    """List the profiles that come with aftercall."""
    from aftercall.interfaces.cli import profiling

    return profiling.list_all()


def show(profile: OneProfile) -> int:
    """Print a profile as it is written, to read or to start from.

    PROFILE is a name from profile list, or the path of a file.
    """
    from aftercall.interfaces.cli import profiling

    return profiling.show(profile)


def check(profile: OneProfile) -> int:
    """Check a profile's file and show what it says.

    The requests of a sample row are shown, too.

    PROFILE is the path of a file, or a name. Nothing is sent.
    """
    from aftercall.interfaces.cli import profiling

    return profiling.check(profile)


def new(
    path: Annotated[Path, typer.Argument(metavar="PATH", hidden=True)],
    *,
    like: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="Start from this profile.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> int:
    """Write a commented profile to start from.

    PATH is where, such as gateway.toml.
    """
    from aftercall.interfaces.cli import profiling

    return profiling.new(path, like, force=force)


def schema() -> int:
    """Print the JSON Schema of profiles, for editors."""
    from aftercall.interfaces.cli import profiling

    return profiling.schema()
