"""Secrets: read from the environment, or from files named there, and never shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from aftercall.domain.webhook import secret_bytes
from aftercall.errors import ConfigInvalid
from aftercall.settings.crm import SIGNING_VARIABLE
from aftercall.wire.language.sign_in import VARIABLES, series

SecretText = SecretStr
"""Text that no `repr`, log or traceback shows; `get_secret_value` does."""


KEY_BYTES_MIN = 16
"""Shorter keys can be guessed; Standard Webhooks asks for 24 bytes and more of new ones."""

ROTATE = "aftercall crm rotate-secret"


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Why a secret cannot be used: its variable, and why; no words if it is not set at all."""

    name: str
    words: str = ""


def load_credentials(
    environment: Mapping[str, str], ways: Sequence[Sequence[str]]
) -> Mapping[str, SecretText]:
    """Read what one of several ways of signing in needs: the first that lacks the least.

    Args:
        environment: the environment's variables.
        ways: the names of the credentials (`VARIABLES`) that each way needs.

    Raises:
        ConfigInvalid: something is missing or malformed; names every such variable.
    """
    way = min(ways, key=lambda way: sum(not _is_set(name, environment) for name in way))
    read = {name: _read_line(VARIABLES[name], environment) for name in way}
    flaws = [value for value in read.values() if isinstance(value, _Flaw)]
    if flaws:
        raise _invalid(flaws, [other for other in ways if other != way])
    return {name: value for name, value in read.items() if isinstance(value, SecretText)}


def _is_set(name: str, environment: Mapping[str, str]) -> bool:
    variable = VARIABLES[name]
    return variable in environment or f"{variable}_FILE" in environment


def load_crm_secrets(
    environment: Mapping[str, str], name: str = SIGNING_VARIABLE
) -> tuple[SecretText, ...]:
    """Read the secrets that sign the events of one of the CRM's endpoints.

    There is one, or while rotating several, with white space between them.

    Args:
        environment: the environment's variables.
        name: the variable that holds them, or with ``_FILE`` behind it names their file.

    Raises:
        ConfigInvalid: there is none, or one is malformed or too short.
    """
    text = _read(name, environment)
    if isinstance(text, _Flaw):
        raise _invalid([text], made_by=ROTATE)
    secrets = tuple(text.get_secret_value().split())
    try:
        keys = [secret_bytes(secret) for secret in secrets]
    except ValueError as error:
        raise _invalid([_Flaw(name, str(error))], made_by=ROTATE) from None
    if not all(keys):
        raise _invalid([_Flaw(name, "nothing follows whsec_")], made_by=ROTATE)
    if min(map(len, keys)) < KEY_BYTES_MIN:
        words = f"a secret has less than {KEY_BYTES_MIN} bytes, and could be guessed"
        raise _invalid([_Flaw(name, words)], made_by=ROTATE)
    return tuple(SecretText(secret) for secret in secrets)


def _read(name: str, environment: Mapping[str, str]) -> SecretText | _Flaw:
    """Return the value of a variable or the content of the file that it names."""
    named = f"{name}_FILE"
    if name in environment and named in environment:
        return _Flaw(name, f"{named} is set as well; set one of the two")
    if named not in environment:
        value = environment.get(name)
        if value is None:
            return _Flaw(name)
        return SecretText(value) if value.strip() else _Flaw(name, "is empty")
    if not environment[named]:
        return _Flaw(named, "is empty; it must name a file")
    try:
        content = Path(environment[named]).read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        return _Flaw(named, f"{environment[named]} cannot be read: {error.strerror}")
    except ValueError:
        return _Flaw(named, "the file is not UTF-8 text")
    return SecretText(content) if content else _Flaw(named, "the file is empty")


def _read_line(name: str, environment: Mapping[str, str]) -> SecretText | _Flaw:
    value = _read(name, environment)
    if isinstance(value, _Flaw) or value.get_secret_value().isprintable():
        return value
    return _Flaw(name, "holds a line break or another control character")


def _invalid(
    flaws: list[_Flaw], others: Sequence[Sequence[str]] = (), made_by: str = ""
) -> ConfigInvalid:
    missing = [flaw.name for flaw in flaws if not flaw.words]
    told = [f"{flaw.name}: {flaw.words}" for flaw in flaws if flaw.words]
    if missing:
        told.insert(0, f"{series(missing)} {'are' if missing[1:] else 'is'} not set")
    names = [flaw.name.removesuffix("_FILE") for flaw in flaws]
    files = series([f"{name}_FILE" for name in names])
    fix = f"Set {series(names)} in the environment, or name files with {files}."
    for way in others:
        fix += f" Instead you can set {series([VARIABLES[name] for name in way])}."
    if made_by:
        fix += f" {made_by} makes a good one."
    return ConfigInvalid(f"{'; '.join(told)}.", fix=fix, next_command=made_by)
