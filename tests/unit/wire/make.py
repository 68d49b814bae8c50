"""The built-in profile, rows and answers for tests of the wire."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aftercall.adapters.profiles import load_profile
from aftercall.domain import instant
from aftercall.domain.disposition import Disposition
from aftercall.wire.http import HttpResponse
from aftercall.wire.target import Target

PROFILE = load_profile("outbound-v1")
TARGET = Target(PROFILE, "https://acme.niceincontact.com")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOON_MS = instant.to_ms(NOON)

MINIMAL: dict[str, Any] = {
    "name": "blue",
    "auth": [{"style": "client_credentials", "url": "/in"}],
    "read": {"url": "/c/{contact}", "fields": {"state": "s", "outcome": "o"}},
    "states": {"wait": ["BUSY"], "allowed": ["IDLE"]},
    "write": {
        "url": "/c/{contact}",
        "method": "POST",
        "fields": {"o": "outcome", "a": "agent", "n": "notes", "t": "timestamp"},
        "dropped": ["custom_fields"],
    },
}
"""A profile with nothing but what each must have."""


def row(**given: Any) -> Disposition:
    values = {"campaign": "C1", "contact": "P1", "outcome": "INTERESTED", "agent": "A1"}
    return Disposition(**(values | given))


def answered(
    status: int, body: object = b"", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return an answer; a body that is no bytes is sent as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status, dict(headers or {}), sent)
