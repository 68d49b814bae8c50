"""Every setting of the simulator."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aftercall.simulator.clock import Clock, SystemClock
from aftercall.simulator.errors import InvalidInputError
from aftercall.simulator.faults import Faults
from aftercall.simulator.limiter import LimitRules, RetryAfterStyle
from aftercall.simulator.tokens import ALL_SCOPES
from aftercall.simulator.world import World

if TYPE_CHECKING:
    from pathlib import Path

_SMALLEST = {
    "port": 0,
    "latency_ms": 0,
    "jitter_ms": 0,
    "crm_latency_ms": 0,
    "token_seconds": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """Settings of a simulated tenant and CRM.

    Attributes:
        host: Loopback address to serve on; any other is refused.
        port: Port to serve on; 0 takes a free one.
        seed: Seed of everything random.
        world: The contacts.
        faults: What goes wrong on purpose.
        limits: Rate limits of the tenant.
        retry_after: Form of Retry-After: "seconds", "date", by turns ("alternate") or "none".
        latency_ms: Milliseconds every tenant request takes.
        jitter_ms: Most random milliseconds on top of it.
        etags: Whether contacts carry an ETag and If-Match is looked at.
        patch_status: Status of a successful PATCH: 204, or 200 with the contact.
        refused_codes: Outcome codes this tenant does not know.
        known_codes: The only outcome codes this tenant knows; empty for any.
        client_id: The known client; None takes any that is not empty.
        client_secret: Its secret; None takes any that is not empty.
        key_id: The known access key (ACD API); None takes any that is not empty.
        key_secret: Its secret; None takes any that is not empty.
        denied: Operations of the ACD API that the access key's user has no permission for:
            "contacts", "disposition", "set-disposition", "dispositions", "classifications" or
            "contact-state-descriptions".
        bearer: A token that is valid for ever.
        likeness: Whether it is made like another tenant, of which it has made up what it was not
            told: every answer says so in a header.
        profile: A profile's file, whose API is spoken as well; None for none.
        scope: Scopes that can be granted, separated by spaces.
        token_seconds: How long a token lives.
        crm_secret: Secret of the webhook signatures, or several ``whsec_`` secrets with white
            space between them; None accepts unsigned events.
        crm_latency_ms: Milliseconds every CRM request takes.
        ledger_file: File the ledger is appended to; None keeps it in memory.
        crm_file: File the received events are appended to; None keeps them in memory.
        clock: Where the time is read.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    world: World = field(default_factory=World)
    faults: Faults = field(default_factory=Faults)
    limits: LimitRules = field(default_factory=LimitRules)
    retry_after: RetryAfterStyle = "alternate"
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    etags: bool = True
    patch_status: int = 204
    refused_codes: frozenset[str] = frozenset()
    known_codes: frozenset[str] = frozenset()
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    key_id: str | None = None
    key_secret: str | None = field(default=None, repr=False)
    denied: frozenset[str] = frozenset()
    bearer: str | None = field(default=None, repr=False)
    likeness: bool = False
    profile: Path | None = None
    scope: str = ALL_SCOPES
    token_seconds: int = 3600
    crm_secret: str | None = field(default=None, repr=False)
    crm_latency_ms: float = 0.0
    ledger_file: Path | None = None
    crm_file: Path | None = None
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise InvalidInputError(f"the simulator serves loopback only, not {self.host}")
        for name, smallest in _SMALLEST.items():
            if getattr(self, name) < smallest:
                raise InvalidInputError(f"{name} must be at least {smallest}")
        if self.patch_status not in (200, 204):
            raise InvalidInputError("patch_status must be 200 or 204")

    def knows(self, code: str) -> bool:
        """Return whether an outcome code is configured for this tenant."""
        return code not in self.refused_codes and (not self.known_codes or code in self.known_codes)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
