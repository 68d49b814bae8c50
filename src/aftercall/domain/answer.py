"""What a tenant's answer means, as values. Expected answers are not exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aftercall.domain.disposition import Json


def one_line(words: str) -> str:
    """Return `words` on one line: each run of blanks and control characters is one blank."""
    if not words.isprintable():
        words = "".join(each if each.isprintable() else " " for each in words)
    return " ".join(words.split())


@dataclass(frozen=True, slots=True)
class Observed:
    """A contact as the tenant held it when it was read.

    Attributes:
        state: the dialer state, normalised and of bounded length, or None if there is none.
        idle: that state is one of those that may be written over.
        closed: it is one in which the tenant takes no write any more.
        outcome: the outcome code that the contact has, or None.
        agent: the id of the agent, or None.
        notes: the notes, or None.
        timestamp_ms: when that outcome was reached, or None if the tenant did not say.
        stamp_unknown: the tenant did say, but not so that it can be understood.
        stored_ms: when the tenant stored that outcome, if it tells that instead: it says nothing
            of when the outcome was reached.
        custom_fields: further values by name, or None.
        etag: the entity tag to write against (RFC 9110, section 8.8.3), or None.
        told: further ids of the contact at the tenant, by name.
    """

    state: str | None
    outcome: str | None = None
    agent: str | None = None
    notes: str | None = field(default=None, repr=False)
    timestamp_ms: int | None = None
    custom_fields: Mapping[str, Json] | None = field(default=None, repr=False)
    etag: str | None = None
    idle: bool = False
    stamp_unknown: bool = False
    closed: bool = False
    stored_ms: int | None = None
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """The contact was read.

    `outcome_id` is what the tenant calls the row's outcome; None if it takes the code itself.
    """

    contact: Observed
    outcome_id: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The tenant took the write."""


@dataclass(frozen=True, slots=True)
class Stale:
    """The contact changed since it was read (412): nothing was written."""


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such contact in that campaign (404)."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many requests (429): nothing was done; the wait is the tenant's, if it named one."""

    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Busy:
    """It cannot be done now and was not; that is no failure, and it may work later."""

    code: str
    words: str = ""
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The token was not accepted (401): nothing was done."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """The tenant knows us and does not allow this (403)."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The tenant understood and refused for good (400, 409, 422, ...)."""

    code: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """It did not work and certainly changed nothing; it may work later.

    `sent` is False if the request never reached the tenant: that is no failure of the row.
    """

    code: str
    words: str = ""
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The write may have been taken or not: the answer was lost or says nothing certain."""

    code: str
    words: str = ""


ReadAnswer = Found | Absent | Throttled | Busy | Unauthorized | Forbidden | Refused | Unavailable
WriteAnswer = (
    Accepted
    | Stale
    | Absent
    | Throttled
    | Busy
    | Unauthorized
    | Forbidden
    | Refused
    | Unavailable
    | Uncertain
)
