"""What `init` and `check` do."""

import asyncio
import os
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from aftercall.errors import AftercallError
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.runs import settings_for
from aftercall.interfaces.cli.starter import starter_text
from aftercall.interfaces.cli.terminal import out, plain, print_pieces, say
from aftercall.wiring import CheckResult, check_up

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
LABELS = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
NAME_COLUMNS = 8

BAD_TENANT = 75
BAD_CONFIGURATION = 78
OURS = ("journal", "config", "audit")
"""Findings about this side; those about the other side can pass by themselves."""


def init(path: Path, *, force: bool) -> int:
    """Write the starter configuration.

    Raises:
        AftercallError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter_text())
    except FileExistsError:
        message = f"{path} exists already."
        fix = "Give another path, or overwrite it with --force."
        raise AftercallError(message, fix=fix) from None
    except OSError as trouble:
        message = f"{path} cannot be written: {trouble.strerror}."
        raise AftercallError(message, fix="Give a path that can be written.") from None
    out().print(plain(str(path)), soft_wrap=True)
    say(
        "",
        "1. Fill in what is marked >>>: the tenant, its outcome codes, your files' columns.",
        "2. Set the secrets in the environment: CXONE_CLIENT_ID and CXONE_CLIENT_SECRET,",
        "   and AFTERCALL_CRM_SECRET if [crm] has a url. Or name files: ..._FILE.",
        "3. Make the key that signs the audit trail:",
        f"   {Place(config=path).command('audit', 'keygen')}",
        "4. See whether all is in place:",
        "",
        f"next: {Place(config=path).command('check')}",
    )
    return 0


def check(place: Place, contact: str | None) -> int:
    """Print a line for each finding, and a fix below each that is not in order."""
    probe = _probe(contact)
    with place.kept_in_errors():
        settings = settings_for(place)

        async def whole() -> int:
            worst = 0
            # No environment but the process's own: this is where a run would look, too.
            async for finding in check_up(settings, os.environ, probe):
                print_pieces([finding_view(finding)])
                worst = max(worst, _code(finding))
            return worst

        code = asyncio.run(whole())
    if not code:
        say("", f"next: {place.command('plan', 'calls.csv')}")
    return code


def _probe(contact: str | None) -> tuple[str, str] | None:
    if contact is None:
        return None
    campaign, slash, one = contact.partition("/")
    if not (campaign and slash and one):
        message = f"{contact!r} is not of the form CAMPAIGN/CONTACT."
        raise typer.BadParameter(message, param_hint="--contact")
    return campaign, one


def finding_view(finding: CheckResult) -> Table:
    """Return a finding: how it stands, what it is about, and the fix if one is needed."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=4)
    grid.add_column(min_width=NAME_COLUMNS, no_wrap=True)
    grid.add_column(overflow="fold")
    label = Text(LABELS[finding.level], style=STYLES[finding.level])
    grid.add_row(label, finding.name, plain(finding.words))
    if finding.level != "ok" and finding.fix:
        grid.add_row("", "", f"fix: {plain(finding.fix)}")
    return grid


def _code(finding: CheckResult) -> int:
    if finding.level != "fail":
        return 0
    return BAD_CONFIGURATION if finding.name in OURS else BAD_TENANT
