"""The life of a row as one table. What the table does not list is illegal.

Everything that assigns a status goes through `advance`; the diagram in the documentation is drawn
from `TRANSITIONS`.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a row stands. The order is the order in which reports list them."""

    PENDING = "pending"
    WRITING = "writing"
    DEFERRED = "deferred"
    DOUBTFUL = "doubtful"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    SUPERSEDED = "superseded"
    MISSING = "missing"
    INVALID = "invalid"
    REJECTED = "rejected"
    FAILED = "failed"


OPEN = frozenset({Status.PENDING, Status.WRITING, Status.DEFERRED, Status.DOUBTFUL})
"""Still to be worked on."""

DUE = OPEN - {Status.WRITING}
"""Waiting to be claimed."""

SETTLED = frozenset(Status) - OPEN

SUCCESSFUL = frozenset({Status.APPLIED, Status.UNCHANGED, Status.DUPLICATE, Status.SUPERSEDED})
"""Settled, and nobody has to do anything about it."""

REFUSED = frozenset({Status.MISSING, Status.INVALID, Status.REJECTED, Status.FAILED})
"""Settled, and somebody should look at it: exit code 4."""

LANDED = frozenset({Status.APPLIED, Status.UNCHANGED})
"""The tenant holds what the row says."""

HOLDING = OPEN | {Status.APPLIED, Status.UNCHANGED, Status.SUPERSEDED}
"""A row in one of these holds its key: the same disposition fed again is a duplicate."""

NEWER = OPEN | {
    Status.APPLIED,
    Status.UNCHANGED,
    Status.MISSING,
    Status.REJECTED,
    Status.FAILED,
}
"""A row in one of these supersedes older dispositions of its contact.

That the tenant refused it makes no older one true again. Of duplicates the first one counts, and
of superseded rows the one that superseded them.
"""

ADMITTED = frozenset({Status.PENDING, Status.INVALID, Status.DUPLICATE})
"""What a row may be when it enters the journal."""


class Event(StrEnum):
    """What can happen to a row."""

    CLAIM = "claim"
    APPLY = "apply"
    HOLD = "hold"
    SUPERSEDE = "supersede"
    CONFLICT = "conflict"
    MISS = "miss"
    REJECT = "reject"
    EXHAUST = "exhaust"
    DEFER = "defer"
    POSTPONE = "postpone"
    DOUBT = "doubt"
    REOPEN = "reopen"
    REPEAT = "repeat"


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    # A worker takes the row, on disk, before a request of it leaves.
    (Status.PENDING, Event.CLAIM): Status.WRITING,
    (Status.DEFERRED, Event.CLAIM): Status.WRITING,
    (Status.DOUBTFUL, Event.CLAIM): Status.WRITING,
    # A newer disposition of the contact stands in the journal. A doubtful row is read back
    # first: the tenant may hold it already.
    (Status.PENDING, Event.SUPERSEDE): Status.SUPERSEDED,
    (Status.DEFERRED, Event.SUPERSEDE): Status.SUPERSEDED,
    # The configuration calls two dispositions of one contact in a run an error.
    (Status.PENDING, Event.CONFLICT): Status.INVALID,
    # What the tenant said.
    (Status.WRITING, Event.APPLY): Status.APPLIED,
    (Status.WRITING, Event.HOLD): Status.UNCHANGED,
    (Status.WRITING, Event.SUPERSEDE): Status.SUPERSEDED,
    (Status.WRITING, Event.MISS): Status.MISSING,
    (Status.WRITING, Event.REJECT): Status.REJECTED,
    (Status.WRITING, Event.EXHAUST): Status.FAILED,
    # Later again: on a call; nothing was changed; it is unknown whether something was changed
    # (an answer was lost, or the process died).
    (Status.WRITING, Event.DEFER): Status.DEFERRED,
    (Status.WRITING, Event.POSTPONE): Status.PENDING,
    (Status.WRITING, Event.DOUBT): Status.DOUBTFUL,
    # `aftercall retry`, unless the same disposition was fed again meanwhile.
    (Status.FAILED, Event.REOPEN): Status.PENDING,
    (Status.REJECTED, Event.REOPEN): Status.PENDING,
    (Status.MISSING, Event.REOPEN): Status.PENDING,
    (Status.FAILED, Event.REPEAT): Status.DUPLICATE,
    (Status.REJECTED, Event.REPEAT): Status.DUPLICATE,
    (Status.MISSING, Event.REPEAT): Status.DUPLICATE,
}


class IllegalTransition(Exception):
    """The table does not list this event for this status: a defect of aftercall itself."""


def advance(status: Status, event: Event) -> Status:
    """Return the status that `event` leads to from `status`.

    Raises:
        IllegalTransition: the table does not list it.
    """
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        message = f"a row that is {status} cannot {event}"
        raise IllegalTransition(message) from None
