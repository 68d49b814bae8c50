"""The questions that `init` asks on a terminal: which tenant one has."""

import sys
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.table import Table

from aftercall.adapters.profiles import built_in_names, load_profile
from aftercall.interfaces.cli.profiling import write_profile
from aftercall.interfaces.cli.starter import Answers
from aftercall.interfaces.cli.terminal import err, plain, say
from aftercall.settings import Tenant

OWN = "your own file"
WHERE = "Where is it: the instance or area (na1), or the full address (https://...)"


def asked(given: Answers) -> Answers:
    """Return what the options say, else what a person at the terminal answers.

    Raises:
        AftercallError: a profile that is wanted to start from cannot be written.
    """
    if given != Answers() or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return given
    names = built_in_names()
    say("Which tenant do you have?", "")
    err().print(_menu(names))
    say("")
    usual = str(names.index("outbound-v1") + 1)
    profile = typer.prompt("Number", default=usual, value_proc=_choice, err=True)
    if profile == OWN:
        profile = _own_file()
    where = typer.prompt(WHERE, value_proc=_address, err=True)
    key = "base_url" if "://" in where else "instance"
    return Answers(profile, **{key: where})


def flaw_of(answers: Answers) -> str | None:
    """Return what is wrong with where a tenant is said to be; None if nothing is."""
    where = {"instance": answers.instance, "base_url": answers.base_url}
    given = {name: value for name, value in where.items() if value is not None}
    if not given:
        return None
    try:
        Tenant.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # A message that is not ours begins with its kind.
        return str(first["msg"]).removeprefix("Value error, ")
    return None


def _menu(names: tuple[str, ...]) -> Table:
    menu = Table.grid(padding=(0, 2, 0, 0))
    menu.add_column(no_wrap=True)
    menu.add_column(no_wrap=True)
    menu.add_column()
    for number, name in enumerate(names, 1):
        menu.add_row(f"  {number}", name, plain(load_profile(name).about))
    menu.add_row(f"  {len(names) + 1}", OWN, "a gateway, or another API")
    return menu


def _choice(typed: str) -> str:
    """Return the profile of a number or a name; `OWN` for the last number."""
    answers = (*built_in_names(), OWN)
    words = typed.strip()
    if words in answers:
        return words
    if words.isdecimal() and 1 <= int(words) <= len(answers):
        return answers[int(words) - 1]
    raise typer.BadParameter(f"Give a number from 1 to {len(answers)}.")


def _own_file() -> str:
    """Ask for a file of one's own, and write one to start from if there is none."""
    name: str = typer.prompt("Its path, such as ./gateway.toml", value_proc=_toml_path, err=True)
    path = Path(name)
    words = f"There is no {plain(name)}. Shall one be written to start from?"
    if not path.exists() and typer.confirm(words, default=True, err=True):
        write_profile(path, None, force=False)
    return name


def _toml_path(typed: str) -> str:
    if not typed.strip().endswith(".toml"):
        raise typer.BadParameter("It must end with .toml.")
    return typed.strip()


def _address(typed: str) -> str:
    words = typed.strip()
    flaw = flaw_of(Answers(base_url=words) if "://" in words else Answers(instance=words))
    if flaw is not None:
        raise typer.BadParameter(f"It {flaw}.")
    return words
