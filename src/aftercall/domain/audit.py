"""An audit entry: what is recorded for good about one row settled or one write in doubt."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from aftercall.domain import instant
from aftercall.domain.answer import Observed
from aftercall.domain.commitment import commitments
from aftercall.domain.disposition import Json
from aftercall.domain.status import SETTLED, Status


class Kind(StrEnum):
    """What an entry records."""

    SETTLED = "settled"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row came from.

    Attributes:
        run: the id of the run that read it.
        source: the file's name as it was given, or ``<stdin>``.
        line: where it starts in that file, from 1.
        sha256: the hex digest of that file's bytes; None for a stream.
    """

    run: str
    source: str
    line: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What passed between us and the tenant about one claim of a row.

    All durations are milliseconds. `read_ms` and `write_ms` are the tenant's time, from the
    request leaving to the answer; `wait_ms` is ours, waiting for the pace. `window_ms` is the
    time between the answer of the read and the write leaving.
    """

    before: Observed | None = None
    read_ms: float | None = None
    write_ms: float | None = None
    wait_ms: float = 0.0
    window_ms: float | None = None
    http_status: int | None = None
    request_id: str | None = None

    @property
    def latency_ms(self) -> float | None:
        """The tenant's time for the row: reads and writes together."""
        spent = [part for part in (self.read_ms, self.write_ms) if part is not None]
        return round(sum(spent), 3) if spent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The row that an entry is about. What an invalid row did not give is empty.

    `opt_out_received_ms` is when the clock of an opt-out started, and `call_record` what of the
    call is kept in clear. `personal` is what can be erased, by name; the entry holds only
    commitments to it, made with the row's own random `salt`.
    """

    row: int
    origin: Origin
    campaign: str = ""
    contact: str = ""
    outcome: str = ""
    agent: str = ""
    category: str = ""
    timestamp_ms: int | None = None
    event_id: str | None = None
    attempt: int = 0
    deferrals: int = 0
    deferred_since_ms: int | None = None
    opt_out_received_ms: int | None = None
    call_record: Mapping[str, Json] | None = None
    salt: bytes | None = field(default=None, repr=False)
    personal: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an entry says of its row: the status, the reason code and words for people."""

    status: Status
    reason: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A row that has reached its status, as whoever follows a run is told.

    Attributes:
        run: the run that read it.
        source: the input's name.
        line: where it starts in that input.
        campaign: its campaign; empty if an invalid row did not tell.
        contact: its contact; empty if an invalid row did not tell.
        outcome: its outcome code; empty if an invalid row did not tell.
        status: what became of it.
        reason: a stable code for why.
        message: words for people.
        latency_ms: the tenant's time for it; None if nothing was sent.
    """

    run: str
    source: str
    line: int
    campaign: str
    contact: str
    outcome: str
    status: Status
    reason: str
    message: str
    latency_ms: float | None = None


def settled_as(subject: Subject, finding: Finding, exchange: Exchange | None = None) -> Settled:
    """Return what is told of a row that was settled."""
    return Settled(
        run=subject.origin.run,
        source=subject.origin.source,
        line=subject.origin.line,
        campaign=subject.campaign,
        contact=subject.contact,
        outcome=subject.outcome,
        status=finding.status,
        reason=finding.reason,
        message=finding.words,
        latency_ms=None if exchange is None else exchange.latency_ms,
    )


def audit_entry(
    subject: Subject,
    finding: Finding,
    exchange: Exchange,
    now_ms: int,
    dropped: Collection[str] = (),
) -> dict[str, Json]:
    """Return the entry for a row that was settled, or whose write is in doubt.

    Notes and custom fields are never part of it, only commitments to them. `after` is what a
    write left at the tenant, without the fields that are `dropped`: the tenant takes no such.
    """
    stamp = _moment(subject.timestamp_ms)
    wrote = {
        "outcome_code": subject.outcome,
        **({} if "agent" in dropped else {"agent_id": subject.agent}),
        **({} if "timestamp" in dropped else {"disposition_timestamp": stamp}),
    }
    return {
        "schema": 1,
        "kind": Kind.SETTLED if finding.status in SETTLED else Kind.IN_DOUBT,
        "timestamp": instant.text(now_ms),
        "run_id": subject.origin.run,
        "row_id": subject.row,
        "source": subject.origin.source,
        "source_sha256": subject.origin.sha256,
        "line": subject.origin.line,
        "campaign_id": subject.campaign,
        "contact_id": subject.contact,
        "outcome_code": subject.outcome,
        "category": subject.category,
        "agent_id": subject.agent,
        "disposition_timestamp": stamp,
        "event_id": subject.event_id,
        "opt_out_received_at": _moment(subject.opt_out_received_ms),
        "status": finding.status,
        "reason": finding.reason,
        "message": finding.words,
        "attempt": subject.attempt,
        "deferrals": subject.deferrals,
        "deferred_since": _moment(subject.deferred_since_ms),
        "before": _observed_as_json(exchange.before),
        "after": wrote if finding.status is Status.APPLIED else None,
        "latency_ms": exchange.latency_ms,
        "read_ms": exchange.read_ms,
        "write_ms": exchange.write_ms,
        "wait_ms": exchange.wait_ms,
        "read_to_write_ms": exchange.window_ms,
        "conditional": exchange.before is not None and exchange.before.etag is not None,
        "http_status": exchange.http_status,
        "request_id": exchange.request_id,
        "call_record": subject.call_record,
        "commitments": commitments(subject.salt, subject.personal),
    }


def _observed_as_json(contact: Observed | None) -> Mapping[str, Json] | None:
    if contact is None:
        return None
    return {
        "state": contact.state,
        "outcome_code": contact.outcome,
        "agent_id": contact.agent,
        "disposition_timestamp": _moment(contact.timestamp_ms),
    }


def _moment(ms: int | None) -> str | None:
    return None if ms is None else instant.text(ms)
