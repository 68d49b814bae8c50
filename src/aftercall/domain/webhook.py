"""The CRM's events: who wants which, their body and their signature.

The signature follows the Standard Webhooks specification 1.0.0 (standardwebhooks.com): the text
``{id}.{timestamp}.{body}`` under HMAC-SHA-256, in base64, one ``v1,`` entry per secret.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aftercall.domain import instant
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.outcomes import Category

SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks a secret, it is none

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

PERSONAL_FIELDS = ("notes", "custom_fields")
"""What an event carries besides only if that is asked for."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one endpoint of the CRM is told.

    Attributes:
        endpoint: its name.
        categories: only outcomes of these; empty for all.
        campaigns: only of these campaigns; empty for all.
        include: personal data that it is sent as well: ``notes``, ``custom_fields``.
    """

    endpoint: str
    categories: frozenset[Category] = frozenset()
    campaigns: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()

    def wants(self, category: Category, campaign: str) -> bool:
        """Say whether the endpoint is told of an outcome."""
        return (not self.categories or category in self.categories) and (
            not self.campaigns or campaign in self.campaigns
        )


def event_id(run: str, row: int, endpoint: str) -> str:
    """Return the id of a row's event for an endpoint: the same however often it is sent."""
    digest = hashlib.sha256(f"{run}/{row}/{endpoint}".encode()).hexdigest()
    # The row comes first: ids of rows that are settled together lie together in the journal.
    return f"msg_{row:010x}{digest[:16]}"


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
    return _envelope("DISPOSITION_UPDATE", "disposition.updated", entry["timestamp"], data)


def check_body(endpoint: str, now_ms: int) -> str:
    """Return the JSON text of an event that tells of nothing but that it arrived."""
    data: dict[str, Json] = {"endpoint": endpoint, "message": "A test of aftercall; ignore it."}
    return _envelope("ENDPOINT_TEST", "endpoint.test", instant.text(now_ms), data)


def _envelope(name: str, kind: str, timestamp: Json, data: Mapping[str, Json]) -> str:
    event: dict[str, Json] = {
        "event": name,
        "type": kind,
        "source": "CXone_Outbound_Sync",
        "timestamp": timestamp,
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
        "v1," + base64.b64encode(hmac.new(key, text, "sha256").digest()).decode() for key in keys
    )
    return {
        "webhook-id": identifier,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }
