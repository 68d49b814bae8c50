"""What an endpoint answered, as far as it is kept: its beginning, without what must not be told."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

from aftercall.domain.answer import one_line
from aftercall.domain.disposition import Disposition
from aftercall.domain.masking import without_personal_data
from aftercall.domain.webhook import PERSONAL_FIELDS, SECRET_PREFIX, secret_bytes
from aftercall.wire.masking import masked

BYTES_READ = 2048
CHARACTERS_KEPT = 200


def beginning(answer: bytes, event_body: str, secrets: Sequence[str]) -> str:
    """Return the first characters of an answer on one line.

    Our secrets and the personal data of the event are masked before it is cut, so that no part of
    them is left at the end.

    Args:
        answer: the body of the answer.
        event_body: the JSON text of the event that it is the answer to.
        secrets: what the event was signed with.
    """
    words = masked(one_line(answer[:BYTES_READ].decode(errors="replace")), _spelled(tuple(secrets)))
    # Few events carry personal data: those that do are read.
    if any(f'"{name}"' in event_body for name in PERSONAL_FIELDS):
        words = without_personal_data(words, _told(event_body))
    return words if len(words) <= CHARACTERS_KEPT else words[: CHARACTERS_KEPT - 1] + "…"


@lru_cache(maxsize=8)
def _spelled(secrets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(form for secret in secrets for form in _forms(secret))


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is written, without its prefix, and as the text that it may code."""
    yield from (secret, secret.removeprefix(SECRET_PREFIX))
    with suppress(UnicodeDecodeError):
        yield secret_bytes(secret).decode()


def _told(event_body: str) -> Disposition:
    """Return what an event says of a contact, with the personal data that it carries."""
    data = json.loads(event_body)["data"]
    return Disposition(
        campaign=str(data.get("campaign_id", "")),
        contact=str(data.get("contact_id", "")),
        outcome=str(data.get("outcome_code", "")),
        agent=str(data.get("agent_id", "")),
        notes=data.get("notes"),
        custom_fields=data.get("custom_fields"),
    )
