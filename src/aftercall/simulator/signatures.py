"""The check of Standard Webhooks signatures, as a receiver does it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

from aftercall.simulator.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOLERANCE_SECONDS = 300
_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix every such secret has
_VERSION = "v1,"


class SignatureError(ValueError):
    """An event is not signed as it should be; the text says what is wrong."""


def signing_keys(secret: str) -> tuple[bytes, ...]:
    """Return the keys of a secret, or of several ``whsec_`` secrets between white space.

    Several are known while one is replaced by another: a receiver takes what either has signed.

    Raises:
        InvalidInputError: If the part after a ``whsec_`` is not base64.
    """
    parts = secret.split()
    if all(part.startswith(_SECRET_PREFIX) for part in parts):
        return tuple(_signing_key(part) for part in parts)
    return (_signing_key(secret),)


def _signing_key(secret: str) -> bytes:
    """Return the key of a secret: ``whsec_`` and base64, or any other text as it is."""
    if not secret.startswith(_SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise InvalidInputError("the CRM secret is not base64 after whsec_") from None


def verify(keys: tuple[bytes, ...], headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Check the signature of an event.

    Args:
        keys: The shared keys, one of which has to fit.
        headers: Headers of the delivery.
        body: Its body as it was sent.
        now: Seconds since 1970.

    Raises:
        SignatureError: If a header is missing, the time is off, or no signature fits.
    """
    try:
        event, sent = headers["webhook-id"], headers["webhook-timestamp"]
        signatures = headers["webhook-signature"].split(" ")
    except KeyError as error:
        raise SignatureError(f"the header {error.args[0]} is missing") from None
    if not (sent.isascii() and sent.isdigit()):
        raise SignatureError("webhook-timestamp must be whole seconds")
    if abs(now - int(sent)) > _TOLERANCE_SECONDS:
        raise SignatureError("webhook-timestamp is too far from now")
    signed = b".".join((event.encode("utf-8", "surrogateescape"), sent.encode(), body))
    given = [one.encode("utf-8", "replace") for one in signatures]
    for key in keys:
        digest = hmac.new(key, signed, hashlib.sha256).digest()
        expected = _VERSION.encode() + base64.b64encode(digest)
        # Every signature is compared: a sender that changes its secret sends the old and the new.
        if any(hmac.compare_digest(expected, one) for one in given):
            return
    raise SignatureError("no signature fits")
