"""What `crm rotate-secret` does: a new secret, and what to do with it, step by step."""

import base64
import os
import secrets
from dataclasses import dataclass

from aftercall.domain.webhook import SECRET_PREFIX
from aftercall.errors import ConfigInvalid
from aftercall.interfaces.cli.deliveries import NO_CRM
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.runs import print_json, settings_for
from aftercall.interfaces.cli.terminal import out, plain, say
from aftercall.settings import load_crm_secrets
from aftercall.wiring import configured

SECRET_BYTES = 32
"""The specification asks for 24 to 64 (Standard Webhooks, "Signature scheme")."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Where the secrets of an endpoint lie, how many there are now, and who else uses them."""

    endpoint: str
    variable: str
    file: str | None
    in_use: int
    shared: tuple[str, ...] = ()


def rotate(place: Place, name: str | None, *, json: bool) -> int:
    """Print a new secret, and on standard error what to do with it."""
    with place.kept_in_errors():
        ring = _keyring(place, name)
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    if json:
        print_json(
            {
                "endpoint": ring.endpoint,
                "secret": secret,
                "variable": ring.variable,
                "file": ring.file,
                "in_use": ring.in_use,
                "shared_with": list(ring.shared),
            }
        )
        return 0
    out().print(secret, soft_wrap=True)
    say(*_steps(ring, place))
    return 0


def _keyring(place: Place, name: str | None) -> Keyring:
    """Find out where the secrets of an endpoint lie.

    Raises:
        ConfigInvalid: there is no such endpoint, or several and none was named.
    """
    settings = settings_for(place)
    known = configured(settings, () if name is None else (name,))
    if not known:
        raise ConfigInvalid(NO_CRM, fix="Give the address of its webhook as crm.url.")
    if len(known) > 1:
        listed = ", ".join(known)
        message = "There are several endpoints, each with its own secret."
        raise ConfigInvalid(message, fix=f"Name the one whose secret is to change: {listed}.")
    (found,) = known
    variable = known[found].signing_env or ""
    file = os.environ.get(f"{variable}_FILE")
    try:
        in_use = len(load_crm_secrets(os.environ, variable))
    except ConfigInvalid:
        in_use = 0  # There is none yet, or one that cannot be used: this is the way to a good one.
    every = configured(settings).items()
    shared = tuple(one for one, its in every if its.signing_env == variable and one != found)
    return Keyring(found, variable, file, in_use, shared)


def _steps(ring: Keyring, place: Place) -> list[str]:
    checking = place.command("crm", "test", "--endpoint", ring.endpoint)
    head = f"Above is a new secret for the endpoint {ring.endpoint}. It is stored nowhere."
    if ring.in_use == 0:
        return [
            head,
            "",
            "1. Give it to the CRM.",
            f"2. Put it where the secret of this endpoint belongs: {_place(ring)}.",
            "3. See that the CRM takes what is signed with it:",
            f"   next: {checking}",
        ]
    lines = [head, ""]
    if ring.shared:
        others = ", ".join(map(plain, ring.shared))
        lines += [f"note: {ring.variable} is also the secret of {others}: each must take it.", ""]
    if ring.in_use > 1:
        lines += [
            f"note: {ring.in_use} secrets are in use: an earlier rotation was not finished.",
            "      Events are signed with each of them; take out those that the CRM has dropped.",
            "",
        ]
    return [
        *lines,
        "1. Give it to the CRM beside the old one, which it goes on accepting.",
        f"2. Put it in front of the old one, with a space or a line break: {_place(ring)}.",
        "   From the next command on events are signed with both.",
        "3. See that the CRM takes them:",
        f"   next: {checking}",
        "4. Once the CRM has dropped the old one, take it out here as well.",
    ]


def _place(ring: Keyring) -> str:
    if ring.file is not None:
        return f"the file {plain(ring.file)}, which {ring.variable}_FILE names"
    return f"{ring.variable} in the environment, or the file that {ring.variable}_FILE names"
