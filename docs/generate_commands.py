"""Writes the commands' reference from the command line itself."""

import click
import typer

from aftercall.interfaces.cli.main import app

HEAD = """\
# Commands

<!-- Written by docs/generate.py; do not edit. -->

Data goes to standard output, everything else to standard error. `--json` prints one JSON document.
`NO_COLOR` is respected. The exit codes are listed in [troubleshooting](troubleshooting.md).
"""


def commands_page() -> str:
    """Return the page: every command with its arguments and options."""
    root = typer.main.get_command(app)
    return HEAD + "".join(described(root, "aftercall"))


def described(command: click.Command, name: str) -> list[str]:
    """Return the sections of a command and of those below it."""
    if isinstance(command, click.Group):
        return [
            part
            for word, below in command.commands.items()
            for part in described(below, f"{name} {word}")
        ]
    context = click.Context(command, info_name=name)
    pieces = " ".join(command.collect_usage_pieces(context))
    text = (command.help or "").strip()
    rows = [
        f"| `{spelled(option)}` | {(option.help or '').strip()} |"
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    table = "\n".join(["", "| option | meaning |", "|---|---|", *rows, ""]) if rows else ""
    return [f"\n## `{name}`\n\n```text\n{name} {pieces}\n```\n\n{text}\n{table}"]


def spelled(option: click.Option) -> str:
    """Return an option as it is typed."""
    names = ", ".join(option.opts)
    if option.is_flag:
        return names
    return f"{names} {option.make_metavar(click.Context(click.Command('_')))}"
