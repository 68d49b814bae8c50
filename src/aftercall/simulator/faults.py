"""What can go wrong on purpose, and the seeded decision whether it does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from aftercall.simulator.chance import chance
from aftercall.simulator.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultKind(StrEnum):
    """Every way the simulated services can misbehave."""

    RESET_BEFORE = "reset_before"
    """Tenant: the connection is closed without an answer; nothing was changed."""
    RESET_AFTER = "reset_after"
    """Tenant: the change is committed, then the connection is closed without an answer."""
    ERROR_BEFORE = "error_before"
    """Tenant: 503 before anything was looked at."""
    ERROR_AFTER_COMMIT = "error_after_commit"
    """Tenant: 500 although the change is committed."""
    SLOW = "slow"
    """Tenant: the change is committed at once, the answer comes late."""
    SLOW_BEFORE = "slow_before"
    """Tenant: the delay comes first, then the commit and the answer."""
    GARBAGE = "garbage"
    """Tenant: 200 with a body that is no JSON (a login page for PATCH); nothing was changed."""
    TRUNCATED = "truncated"
    """Tenant: the JSON body breaks off before its Content-Length; a PATCH is committed."""
    UNAUTHORIZED = "unauthorized"
    """Tenant: all tokens are revoked and the answer is 401; nothing was changed."""
    CONFLICT = "conflict"
    """Tenant: somebody touches the contact just before a PATCH with If-Match, hence 412."""
    THROTTLE = "throttle"
    """Tenant: 429 with Retry-After although the rate was kept; nothing was changed."""
    HUGE = "huge"
    """Tenant: an answer of many megabytes; a PATCH is committed."""
    REDIRECT = "redirect"
    """Tenant: 302 to an address no client may follow; nothing was changed."""
    LIST_GAPS = "list_gaps"
    """List of contacts: every other one is left out."""
    LIST_SHORT = "list_short"
    """List of contacts: it ends half-way."""
    LIST_ORDER = "list_order"
    """List of contacts: it comes in another order."""
    LIST_TWICE = "list_twice"
    """List of contacts: every other one comes a second time, as if it were free."""
    LIST_STRANGERS = "list_strangers"
    """List of contacts: every other one is somebody else, who is free."""
    LIST_BLANKS = "list_blanks"
    """List of contacts: of every other one only the id is told."""
    TOKEN_DOWN = "token_down"  # noqa: S105 - the name of a fault
    """Token endpoint: 503."""
    TOKEN_SLOW = "token_slow"  # noqa: S105 - the name of a fault
    """Token endpoint: the answer comes late."""
    CRM_RESET_BEFORE = "crm_reset_before"
    """CRM: the connection is closed without an answer, the event is not taken."""
    CRM_ERROR = "crm_error"
    """CRM: 500, the event is not taken."""
    CRM_THROTTLE = "crm_throttle"
    """CRM: 429 with Retry-After, the event is not taken."""
    CRM_SLOW = "crm_slow"
    """CRM: the event is taken at once, the answer comes late."""
    CRM_RESET_AFTER = "crm_reset_after"
    """CRM: the event is taken, then the connection is closed without an answer."""
    CRM_REDIRECT = "crm_redirect"
    """CRM: 302 to an address no client may follow, the event is not taken."""
    CRM_HUGE = "crm_huge"
    """CRM: the event is taken, the answer has many megabytes."""
    CRM_GONE = "crm_gone"
    """CRM: 410 for this event for ever; 1 means for all events. Not bounded by the limit."""


_TOKEN_KINDS = (FaultKind.TOKEN_DOWN, FaultKind.TOKEN_SLOW)
_CRM_KINDS = (
    FaultKind.CRM_RESET_BEFORE,
    FaultKind.CRM_ERROR,
    FaultKind.CRM_THROTTLE,
    FaultKind.CRM_SLOW,
    FaultKind.CRM_RESET_AFTER,
    FaultKind.CRM_REDIRECT,
    FaultKind.CRM_HUGE,
)
_LIST_KINDS = tuple(kind for kind in FaultKind if kind.value.startswith("list_"))
_ELSEWHERE = ("token_", "crm_", "list_")
_TENANT_KINDS = tuple(kind for kind in FaultKind if not kind.value.startswith(_ELSEWHERE))


_WHOLE_SETTINGS = frozenset({"fault_limit", "huge_bytes", "seed"})
_SETTINGS = _WHOLE_SETTINGS | {"slow_seconds", "crm_down_seconds"}


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults happen how often.

    Attributes:
        probabilities: Kind to probability (0..1); kinds left out never happen.
        fault_limit: Most faults one contact, or one CRM event, or the token endpoint in a row
            suffers, so that runs end; 0 means no bound.
        slow_seconds: Length of the delay of the slow kinds.
        huge_bytes: Size of the answer of the kind "huge".
        crm_down_seconds: The CRM answers 503 for so long after these faults take effect.
        seed: Seed of the decisions; None takes the seed of the simulator.
    """

    probabilities: Mapping[FaultKind, float] = field(default_factory=dict)
    fault_limit: int = 2
    slow_seconds: float = 5.0
    huge_bytes: int = 64 * 1024 * 1024
    crm_down_seconds: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        known = {FaultKind(kind): float(value) for kind, value in self.probabilities.items()}
        for kind, probability in known.items():
            if not 0.0 <= probability <= 1.0:
                raise InvalidInputError(f"the probability of {kind.value} must lie between 0 and 1")
        object.__setattr__(self, "probabilities", MappingProxyType(known))
        if min(self.fault_limit, self.slow_seconds, self.huge_bytes, self.crm_down_seconds) < 0:
            raise InvalidInputError("fault settings must not be negative")

    def replaced_from(self, data: Mapping[str, Any]) -> Faults:
        """Return faults with the kinds of a JSON object and, where it has them, its settings.

        Args:
            data: Kind names with probabilities, next to any of the other attributes' names.
                Kinds left out stop; settings left out stay as they are.

        Raises:
            ValueError: If a name is unknown or a value out of range.
        """
        kinds: dict[FaultKind, float] = {}
        changes: dict[str, Any] = {}
        for name, value in data.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInputError(f"the fault setting {name} must be a number")
            if name in _WHOLE_SETTINGS and not isinstance(value, int):
                raise InvalidInputError(f"the fault setting {name} must be a whole number")
            if name in _SETTINGS:
                changes[name] = value
            elif name in list(FaultKind):
                kinds[FaultKind(name)] = value
            else:
                raise InvalidInputError(f"there is no fault setting {name}")
        return replace(self, probabilities=kinds, **changes)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Faults:
        """Build faults from one flat JSON object, see ``replaced_from``."""
        return cls().replaced_from(data)


class FaultDice:
    """Decides whether a request suffers a fault, the same way in every run.

    The decision is a pure function of the seed, the kind and the how-manieth request of its
    method this is for the contact. Requests that the rate limit or a missing token turned away
    are not rolled for, because their number depends on timing.
    """

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.counts: Counter[FaultKind] = Counter()
        self._seed = seed if faults.seed is None else faults.seed
        self._tenant = self._active(_TENANT_KINDS)
        self._unconditional = tuple(e for e in self._tenant if e[0] is not FaultKind.CONFLICT)
        self._list = self._unconditional + self._active(_LIST_KINDS)
        self._token = self._active(_TOKEN_KINDS)
        self._crm = self._active(_CRM_KINDS)
        # Keyed by hash: a million contacts must not cost a million kept strings.
        self._seen: dict[int, int] = {}
        self._suffered: dict[int, int] = {}

    def for_contact(
        self, method: str, campaign: str, contact: str, *, conditional: bool
    ) -> FaultKind | None:
        """Return the fault of this GET or PATCH, if any.

        Args:
            method: "GET" or "PATCH".
            campaign: Identifier of the campaign.
            contact: Identifier of the contact.
            conditional: Whether a conflict could hit, which needs a PATCH with If-Match.
        """
        kinds = self._tenant if conditional else self._unconditional
        return self._roll(kinds, method, (campaign, contact))

    def for_list(self, campaign: str, first: str) -> FaultKind | None:
        """Return the fault of this list of contacts, if any; it counts for its first contact."""
        return self._roll(self._list, "LIST", (campaign, first))

    def for_token(self) -> FaultKind | None:
        """Return the fault of this token request, if any."""
        subject = ("", "token")
        fault = self._roll(self._token, "POST", subject)
        if fault is None:
            self._suffered.pop(hash(subject), None)
        return fault

    def for_event(self, event: str) -> FaultKind | None:
        """Return the fault of this delivery of a CRM event, if any."""
        gone = self.faults.probabilities.get(FaultKind.CRM_GONE, 0.0)
        if gone > 0.0 and chance(self._seed, FaultKind.CRM_GONE.value, event) < gone:
            self.counts[FaultKind.CRM_GONE] += 1
            return FaultKind.CRM_GONE
        return self._roll(self._crm, "POST", ("crm", event))

    def _active(self, kinds: tuple[FaultKind, ...]) -> tuple[tuple[FaultKind, float], ...]:
        given = self.faults.probabilities
        return tuple((kind, given[kind]) for kind in kinds if given.get(kind, 0.0) > 0.0)

    def _roll(
        self, kinds: tuple[tuple[FaultKind, float], ...], method: str, subject: tuple[str, str]
    ) -> FaultKind | None:
        if not kinds:
            return None
        request_key = hash((method, subject))
        number = self._seen[request_key] = self._seen.get(request_key, 0) + 1
        suffered = self._suffered.get(hash(subject), 0)
        if 0 < self.faults.fault_limit <= suffered:
            return None
        for kind, probability in kinds:
            if chance(self._seed, kind.value, method, *subject, number) < probability:
                self._suffered[hash(subject)] = suffered + 1
                self.counts[kind] += 1
                return kind
        return None
