"""Writes the commands' reference from the command line itself."""

from typing import Any

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


def described(command: Any, name: str) -> list[str]:
    """Return the sections of a command and of those below it."""
    below = getattr(command, "commands", {}).items()
    parts = [part for word, one in below for part in described(one, f"{name} {word}")]
    if below and not command.invoke_without_command:
        return parts
    # Not click's own classes: typer may bring a click of its own along.
    context = command.context_class(command, info_name=name)
    pieces = " ".join(command.collect_usage_pieces(context))
    text = (command.help or "").strip()
    records = [
        option.get_help_record(context)
        for option in command.params
        if option.param_type_name == "option" and not option.hidden
    ]
    rows = [f"| `{cell(names)}` | {cell(meaning)} |" for names, meaning in records]
    table = "\n".join(["", "| option | meaning |", "|---|---|", *rows, ""]) if rows else ""
    return [f"\n## `{name}`\n\n```text\n{name} {pieces}\n```\n\n{text}\n{table}", *parts]


def cell(text: str) -> str:
    """Return text for a table's cell, which a bar would end."""
    return " ".join(text.split()).replace("|", "\\|")
