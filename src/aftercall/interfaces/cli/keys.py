"""What `audit keygen` and `audit key` do."""

import asyncio
import secrets

import typer

from aftercall.domain.note import VerifierKey, check_name
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.runs import settings_for
from aftercall.interfaces.cli.terminal import out, plain, say
from aftercall.wiring import make_key, rotate_key, trust_of


def keygen(place: Place, name: str) -> int:
    """Make a key and print its public half."""
    try:
        chosen = check_name(name or f"aftercall/{secrets.token_hex(4)}")
    except ValueError as trouble:
        raise typer.BadParameter(str(trouble), param_hint="--name") from None
    with place.kept_in_errors():
        settings = settings_for(place)
        made = asyncio.run(make_key(settings, chosen))
        journal = settings.journal.path.is_file()
    _tell(made)
    say(
        f"The private key is in {plain(str(settings.audit.key_file))}. Back it up, and keep it"
        " from everybody else.",
        "The line above is the public key: give it to whoever is to check the trail.",
        "",
        f"next: {place.command('audit', 'verify') if journal else place.command('check')}",
    )
    return 0


def rotate(place: Place) -> int:
    """Put a new key in the place of the old one."""
    with place.kept_in_errors():
        settings = settings_for(place)
        made = asyncio.run(rotate_key(settings))
    _tell(made)
    say(
        f"{plain(str(settings.audit.key_file))} holds the new key; the old one is gone.",
        "A checkpoint that both have signed leads from one to the other:"
        f" {place.command('audit', 'checkpoint')}",
        "Give the line above to whoever is to check the trail.",
    )
    return 0


def key(place: Place) -> int:
    """Print the public key."""
    with place.kept_in_errors():
        path = settings_for(place).audit.key_file
        found = trust_of(path, [], []).keys
        if not found:
            message = f"There is no key {path}."
            raise AftercallError(message, fix="Make one.", next_command="aftercall audit keygen")
    _tell(found[0])
    return 0


def _tell(key: VerifierKey) -> None:
    out().print(plain(key.text), soft_wrap=True)
