"""What the CRM's outbox keeps, and the protocols around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aftercall.domain.delivery import EventState


@dataclass(frozen=True, slots=True)
class Announcement:
    """A CRM event to be stored with the settlement that causes it, for one endpoint."""

    endpoint: str
    event_id: str
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A CRM event that is due.

    Attributes:
        number: its number in the outbox.
        attempt: which attempt of its schedule this will be, from 1.
    """

    number: int
    event_id: str
    body: str = field(repr=False)
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What became of one attempt to deliver an event.

    Attributes:
        number: the event's number in the outbox.
        state: where the event stands now; a waiting one is tried again at `due_ms`.
        words: the answer's status or the failure, for people.
        at_ms: when the attempt began.
        latency_ms: how long it took.
        status: the answer's HTTP status; None if there was no answer.
        answer: the beginning of the answer's body, masked, on one line.
        gone: the endpoint asked not to be called any more: it is disabled.
    """

    number: int
    state: EventState
    due_ms: int | None
    words: str
    at_ms: int
    latency_ms: float = 0.0
    status: int | None = None
    answer: str = ""
    gone: bool = False


class Outbox(Protocol):
    """The events that the CRM is still to hear."""

    async def due_events(self, endpoint: str, events_max: int, now_ms: int) -> Sequence[Delivery]:
        """Return up to `events_max` due events of an endpoint, the longest due first.

        Of one contact's events there is at most one; a disabled endpoint has none.
        """
        ...

    async def owes(self, endpoint: str) -> bool:
        """Say whether events wait for an endpoint that is not disabled."""
        ...

    async def record(self, result: DeliveryResult) -> None:
        """Store what became of an attempt.

        Does nothing to an event that does not wait any more.
        """
        ...


class Redelivery(Protocol):
    """What a person does to the outbox."""

    async def replay(self, numbers: Sequence[int], now_ms: int) -> int:
        """Have events that are dead or delivered delivered again; return how many."""
        ...

    async def enable(self, endpoint: str, now_ms: int) -> int:
        """Let an endpoint be called again, all its waiting events at once.

        Returns how many of them would have been tried later.
        """
        ...


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One CRM event as `aftercall crm list` shows it."""

    number: int
    event_id: str
    endpoint: str
    run: str
    campaign: str
    contact: str
    outcome: str
    state: str
    attempts: int
    due_ms: int | None
    words: str
    created_ms: int
    delivered_ms: int | None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt to deliver an event, see `DeliveryResult`."""

    attempt: int
    at_ms: int
    latency_ms: float
    status: int | None
    words: str
    answer: str


@dataclass(frozen=True, slots=True)
class EventHistory:
    """One CRM event with its body and all that was tried."""

    event: EventRecord
    body: str = field(repr=False)
    attempts: tuple[AttemptRecord, ...]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which CRM events are asked for; what is None is not asked about. Times are ms."""

    state: EventState | None = None
    endpoint: str | None = None
    run: str | None = None
    contact: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class EventTally:
    """How many events of an endpoint are in a state."""

    endpoint: str
    state: str
    events: int


@dataclass(frozen=True, slots=True)
class DisabledEndpoint:
    """An endpoint that is not called until somebody enables it, since when and why."""

    name: str
    disabled_ms: int
    words: str


class EventArchive(Protocol):
    """The read side of the outbox."""

    def count(self, run: str | None = None) -> Mapping[str, int]:
        """Count events by state, of one run or of all."""
        ...

    def tally(self, asked: EventFilter) -> Sequence[EventTally]:
        """Count events by endpoint and state."""
        ...

    def find(self, asked: EventFilter, events_max: int) -> Sequence[EventRecord]:
        """Return events, the newest first."""
        ...

    def history(self, event_id: str) -> EventHistory | None:
        """Return one event and its attempts; None if there is none of that id."""
        ...

    def disabled(self) -> Sequence[DisabledEndpoint]:
        """Return the endpoints that are disabled."""
        ...
