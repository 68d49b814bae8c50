"""What becomes of an attempt to deliver an event: pure functions of its answer and the time."""

from dataclasses import dataclass
from enum import StrEnum

SCHEDULE_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
"""The waits after a failed delivery: about 28 hours in all (Standard Webhooks, "Retries")."""

JITTER_SHARE = 0.1
"""How much is added to a wait at random, so that events which failed together spread out."""

RETRY_AFTER_SECONDS_MAX = 86_400.0
"""A ``Retry-After`` beyond a day is taken for a mistake: the endpoint is tried again then."""

ABOUT_THE_EVENT = frozenset({400, 409, 413, 415, 422})
"""Refusals of one event. They say nothing of the next one: the endpoint works."""

GONE = 410
"""The endpoint asks not to be called any more (Standard Webhooks, "Responses")."""


class EventState(StrEnum):
    """Where an event stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Signal(StrEnum):
    """What an attempt says of the endpoint."""

    UP = "up"
    DOWN = "down"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt.

    Attributes:
        status: the HTTP status; None if no answer came.
        retry_after_seconds: what its ``Retry-After`` asks for, if it has one.
    """

    status: int | None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of the event and of its endpoint.

    Attributes:
        state: where the event stands now.
        due_ms: when a waiting event is tried again.
        signal: what the attempt says of the endpoint.
        pause_seconds: how long the endpoint asked to be left alone, whatever the event.
    """

    state: EventState
    due_ms: int | None
    signal: Signal
    pause_seconds: float = 0.0


def judge(attempt: int, answer: Answer, now_ms: int, chance: float) -> Judgement:
    """Say what becomes of an event whose attempt number `attempt` (from 1) has ended.

    Args:
        attempt: which attempt of the schedule it was.
        answer: what came of it.
        now_ms: the time.
        chance: uniform in [0, 1).
    """
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Judgement(EventState.DELIVERED, None, Signal.UP)
    if status == GONE:
        # Not the event's fault: it goes first when somebody enables the endpoint again.
        return Judgement(EventState.WAITING, now_ms, Signal.GONE)
    asked = min(answer.retry_after_seconds or 0.0, RETRY_AFTER_SECONDS_MAX)
    due_ms = next_delivery_ms(attempt, now_ms, chance, asked)
    state = EventState.DEAD if due_ms is None else EventState.WAITING
    if status in ABOUT_THE_EVENT:
        return Judgement(state, due_ms, Signal.UP)
    return Judgement(state, due_ms, Signal.DOWN, asked)


def next_delivery_ms(
    attempt: int, now_ms: int, chance: float, wait_seconds_min: float = 0.0
) -> int | None:
    """Return when to deliver again after failed attempt `attempt` (from 1); None for never."""
    if attempt > len(SCHEDULE_SECONDS):
        return None
    wait = SCHEDULE_SECONDS[attempt - 1] * (1.0 + JITTER_SHARE * chance)
    return now_ms + int(1000 * max(wait, wait_seconds_min))
