"""What `init` and `check` do."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from aftercall.adapters.profiles import load_profile
from aftercall.domain.disposition import is_identifier
from aftercall.interfaces.cli.first_steps import first_steps
from aftercall.interfaces.cli.guiding import asked, flaw_of
from aftercall.interfaces.cli.new_file import check_free, write_new
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.profiling import is_untouched
from aftercall.interfaces.cli.runs import settings_for
from aftercall.interfaces.cli.starter import Answers, starter_text
from aftercall.interfaces.cli.terminal import out, plain, print_pieces, say
from aftercall.settings import ONLY_ENDPOINT, Tenant
from aftercall.wire.profile import Profile
from aftercall.wiring import CheckResult, Probe, check_up

DEFAULT_PROFILE: str = Tenant.model_fields["profile"].default

STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}
LABELS = {"ok": "ok", "warn": "warn", "fail": "FAIL"}
NAME_COLUMNS = 8

BAD_TENANT = 75
BAD_CONFIGURATION = 78
OURS = ("journal", "config", "audit")
"""Findings about this side; those about the other side can pass by themselves."""


def init(path: Path, given: Answers, *, force: bool) -> int:
    """Write the starter configuration; check it if it is whole and the secrets are there.

    Raises:
        AftercallError: there is a file already, it cannot be written, or the profile is none.
        typer.BadParameter: the tenant cannot be where it is said to be.
    """
    check_free(path, force=force)
    flaw = flaw_of(given)
    if flaw is not None:
        hint = "--base-url" if given.base_url is not None else "--instance"
        raise typer.BadParameter(flaw, param_hint=hint)
    answers = asked(given)
    # What is wrong with the profile is better told now than by the first run.
    profile = load_profile(answers.profile or DEFAULT_PROFILE)
    write_new(path, starter_text(answers), force=force)
    out().print(plain(str(path)), soft_wrap=True)
    place = Place(config=path)
    whole = (answers.instance or answers.base_url) and not is_untouched(answers.profile)
    if whole and _has_secrets(profile):
        say("", "The tenant is filled in and the secrets are set; this is how it stands:", "")
        return check(place, Wanted(None, deep=False, write=None))
    say("", *first_steps(place, profile, answers), "", f"next: {place.command('check')}")
    return 0


def _has_secrets(profile: Profile) -> bool:
    """Say whether the environment holds all that one way of signing in needs."""
    return any(
        all(name in os.environ or f"{name}_FILE" in os.environ for name in auth.variables)
        for auth in profile.auth
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of `check`: a contact to look at, how deep, and an outcome to write onto it."""

    contact: str | None
    deep: bool
    write: str | None

    def probe(self) -> Probe:
        """Return how far the check-up is to go.

        Raises:
            typer.BadParameter: the contact is malformed, or nothing says what is to be written.
        """
        if self.write is not None and not (self.deep and self.contact):
            message = "needs --deep and --contact: the test contact that it is written onto."
            raise typer.BadParameter(message, param_hint="--write")
        return Probe(_contact(self.contact), self.deep, self.write)


def check(place: Place, wanted: Wanted) -> int:
    """Print a line for each finding, and a fix below each that is not in order."""
    probe = wanted.probe()
    with place.kept_in_errors():
        settings = settings_for(place)
        if probe.write is not None and probe.write not in settings.outcomes:
            message = f"{probe.write} is not listed under [outcomes]."
            raise typer.BadParameter(message, param_hint="--write")

        names = (f"crm.{name}" for name in settings.crm.all_endpoints() if name != ONLY_ENDPOINT)
        columns = max(NAME_COLUMNS, *map(len, names), 0)

        async def whole() -> int:
            worst = 0
            # No environment but the process's own: this is where a run would look, too.
            async for finding in check_up(settings, os.environ, probe):
                print_pieces([finding_view(finding, columns)])
                worst = max(worst, _code(finding))
            return worst

        code = asyncio.run(whole())
    if not code:
        say("", f"next: {place.command('plan', 'calls.csv')}")
    return code


def _contact(contact: str | None) -> tuple[str, str] | None:
    if contact is None:
        return None
    campaign, slash, one = contact.partition("/")
    if not (campaign and slash and one):
        message = f"{contact!r} is not of the form CAMPAIGN/CONTACT."
        raise typer.BadParameter(message, param_hint="--contact")
    if not (is_identifier(campaign) and is_identifier(one)):
        message = f"{contact!r} holds what no id can hold."
        raise typer.BadParameter(message, param_hint="--contact")
    return campaign, one


def finding_view(finding: CheckResult, columns: int) -> Table:
    """Return a finding: how it stands, what it is about, and the fix if one is needed.

    Its name is given so many columns.
    """
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=4)
    grid.add_column(min_width=columns, no_wrap=True)
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
