"""One request on its way to the tenant: what it is for, and how long it took."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aftercall.domain.freshness import FRESH_SECONDS
from aftercall.engine.session import TRUST
from aftercall.wire.auth import Token
from aftercall.wire.http import HttpRequest
from aftercall.wire.language.refusals import Operation


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one request took: our wait for the pace and the tenant's time, in ms.

    `asked_as` is the id that it was sent under, if that is not the row's own.
    """

    wait_ms: float
    answer_ms: float
    sent_seconds: float
    answered_seconds: float
    status: int | None
    asked_as: str | None = None


def _nobody_waits() -> None:
    """Tell nobody that a request leaves."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One request that is to be sent.

    Attributes:
        build: makes it of a token.
        operation: what it is for.
        read_at: when the contact was read that it writes over; None if it writes over none.
        good_for_seconds: how old that read may be.
        refused: how many tokens were refused for it so far.
        refused_max: with so many refused before, a further refusal is its answer.
        claim: called once it may leave, and before it does: what it does is on disk then.
        leaves: called once it may leave.
    """

    build: Callable[[Token], HttpRequest]
    operation: Operation
    read_at: float | None = None
    good_for_seconds: float = FRESH_SECONDS
    refused: int = 0
    refused_max: int = TRUST.attempts_max
    claim: Callable[[], Awaitable[None]] | None = None
    leaves: Callable[[], None] = _nobody_waits
