"""The CRM's events: their body, their signature and the days over which they are tried.

The signature follows the Standard Webhooks specification 1.0.0 (standardwebhooks.com): the text
``{id}.{timestamp}.{body}`` under HMAC-SHA-256, in base64, one ``v1,`` entry per secret.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence

from aftercall.domain.disposition import Disposition, Json

SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks a secret, it is none

SCHEDULE_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""The waits after a failed delivery: about 30 hours in all, as the specification suggests."""

PUBLIC_FIELDS = (
    "run_id",
    "campaign_id",
    "contact_id",
    "outcome_code",
    "category",
    "agent_id",
    "disposition_timestamp",
    "event_id",
    "status",
    "reason",
    "latency_ms",
)
"""The fields of an audit entry that an event carries."""


def event_id(run: str, row: int) -> str:
    """Return the id of a row's event: the same however often it is built or sent."""
    return f"msg_{hashlib.sha256(f'{run}/{row}'.encode()).hexdigest()[:26]}"


def event_body(
    entry: Mapping[str, Json], disposition: Disposition, include: Sequence[str] = ()
) -> str:
    """Return the JSON text of the event for an applied row.

    Args:
        entry: its audit entry.
        disposition: what was written.
        include: body fields that were asked for: ``notes``, ``custom_fields``.
    """
    data: dict[str, Json] = {name: entry[name] for name in PUBLIC_FIELDS}
    if "notes" in include:
        data["notes"] = disposition.notes
    if "custom_fields" in include:
        data["custom_fields"] = disposition.custom_fields
    event: dict[str, Json] = {
        "event": "DISPOSITION_UPDATE",
        "type": "disposition.updated",
        "source": "CXone_Outbound_Sync",
        "timestamp": entry["timestamp"],
        "data": data,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def secret_bytes(secret: str) -> bytes:
    """Return the key that a configured secret stands for.

    ``whsec_`` and base64, as the specification writes secrets; any other text is its own bytes.

    Raises:
        ValueError: what follows ``whsec_`` is not base64.
    """
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        message = "what follows whsec_ is not base64"
        raise ValueError(message) from None


def sign(identifier: str, now_ms: int, body: str, keys: Sequence[bytes]) -> dict[str, str]:
    """Return the headers that prove who sent `body`: one signature per key."""
    stamp = str(now_ms // 1000)
    text = f"{identifier}.{stamp}.{body}".encode()
    signatures = (
        "v1," + base64.b64encode(hmac.digest(key, text, "sha256")).decode() for key in keys
    )
    return {
        "webhook-id": identifier,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def next_delivery_ms(
    attempt: int, now_ms: int, chance: float, retry_after_seconds: float | None = None
) -> int | None:
    """Return when to deliver again after failed attempt `attempt` (from 1); None for never.

    Up to a tenth is added at random; the CRM's own ``Retry-After`` is kept if it is longer.
    """
    if attempt > len(SCHEDULE_SECONDS):
        return None
    wait = SCHEDULE_SECONDS[attempt - 1] * (1.0 + 0.1 * chance)
    return now_ms + int(1000 * max(wait, retry_after_seconds or 0.0))
