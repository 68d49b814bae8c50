"""Secrets: read from the environment, or from files named there, and never shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from aftercall.domain.webhook import secret_bytes
from aftercall.errors import ConfigInvalid
from aftercall.settings.crm import SIGNING_VARIABLE

SecretText = SecretStr
"""Text that no `repr`, log or traceback shows; `get_secret_value` does."""

CLIENT_ID = "CXONE_CLIENT_ID"
CLIENT_SECRET = "CXONE_CLIENT_SECRET"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to the tenant."""

    client_id: str
    client_secret: SecretText


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Why a secret cannot be used: its variable, and why; no words if it is not set at all."""

    name: str
    words: str = ""


def load_credentials(environment: Mapping[str, str]) -> Credentials:
    """Read the tenant's client id and secret.

    Raises:
        ConfigInvalid: one or both are missing or malformed; names every such variable.
    """
    client_id = _read_line(CLIENT_ID, environment)
    client_secret = _read_line(CLIENT_SECRET, environment)
    if isinstance(client_id, _Flaw) or isinstance(client_secret, _Flaw):
        raise _invalid([flaw for flaw in (client_id, client_secret) if isinstance(flaw, _Flaw)])
    return Credentials(client_id.get_secret_value(), client_secret)


def load_crm_secrets(
    environment: Mapping[str, str], name: str = SIGNING_VARIABLE
) -> tuple[SecretText, ...]:
    """Read the secrets that sign the events of one of the CRM's endpoints.

    There is one, or while rotating several, with white space between them.

    Args:
        environment: the environment's variables.
        name: the variable that holds them, or with ``_FILE`` behind it names their file.

    Raises:
        ConfigInvalid: there is none, or one is malformed.
    """
    text = _read(name, environment)
    if isinstance(text, _Flaw):
        raise _invalid([text])
    secrets = tuple(text.get_secret_value().split())
    try:
        keys = [secret_bytes(secret) for secret in secrets]
    except ValueError as error:
        raise _invalid([_Flaw(name, str(error))]) from None
    if not all(keys):
        raise _invalid([_Flaw(name, "nothing follows whsec_")])
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


def _invalid(flaws: list[_Flaw]) -> ConfigInvalid:
    missing = [flaw.name for flaw in flaws if not flaw.words]
    told = [f"{flaw.name}: {flaw.words}" for flaw in flaws if flaw.words]
    if missing:
        told.insert(0, f"{' and '.join(missing)} {'are' if missing[1:] else 'is'} not set")
    names = [flaw.name.removesuffix("_FILE") for flaw in flaws]
    files = " and ".join(f"{name}_FILE" for name in names)
    return ConfigInvalid(
        f"{'; '.join(told)}.",
        fix=f"Set {' and '.join(names)} in the environment, or name files with {files}.",
    )
