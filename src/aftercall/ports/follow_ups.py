"""What is kept of follow-ups, and the protocols around it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aftercall.domain.follow_ups import (
    FollowUp,
    FollowUpKind,
    FollowUpSettlement,
    FollowUpState,
    Told,
)


class FollowUpDesk(Protocol):
    """Where follow-ups are taken and settled. They come in with the rows, see `Claims.settle`."""

    async def due(
        self, kind: FollowUpKind, most: int, now_ms: int, fresh_ms: int
    ) -> list[FollowUp]:
        """Return up to `most` due follow-ups of a kind, the longest due first.

        As soon as one is due, those that were never sent and are due by `fresh_ms` come with it.
        """
        ...

    async def next_due(self) -> int | None:
        """Return when the next one is due (ms); None if none has a time."""
        ...

    async def take(self, several: Sequence[FollowUp], now_ms: int, *, repeatable: bool) -> bool:
        """Claim follow-ups, durably, right before their request leaves: all or none.

        Returns False, and claims nothing, if one of them was taken, settled or overtaken meanwhile.
        """
        ...

    async def delay(self, several: Sequence[FollowUp], due_ms: int) -> None:
        """Look at follow-ups that wait not before `due_ms`; nothing was sent."""
        ...

    async def give_up(self, several: Sequence[tuple[FollowUp, Told]], now_ms: int) -> None:
        """Store that waiting follow-ups are impossible or withdrawn, with their audit entries."""
        ...

    async def store(self, settlements: Sequence[FollowUpSettlement]) -> None:
        """Store what became of claimed follow-ups, with their audit entries, in one transaction."""
        ...

    async def recover(self, kinds: Collection[FollowUpKind], now_ms: int) -> None:
        """Say what becomes of follow-ups that a dead process or a former run left.

        What was being sent waits again if it may be repeated, else it is unknown. What waits for
        a kind that is not one of `kinds` is impossible. What was parked is due now.
        """
        ...

    async def reopen(self, run: str, states: Collection[FollowUpState], now_ms: int) -> int:
        """Make settled follow-ups of a run due again, with an audit entry each; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class FollowUpFilter:
    """Which follow-ups are asked for; what is None or empty is not asked about."""

    run: str | None = None
    contact: str | None = None
    kind: FollowUpKind | None = None
    states: tuple[FollowUpState, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUpRecord:
    """One follow-up as `aftercall followups` shows it."""

    number: int
    kind: str
    target: str
    state: str
    reason: str
    words: str = field(repr=False)
    attempts: int
    due_ms: int | None
    created_ms: int
    settled_ms: int | None
    run: str
    row: int
    source: str
    line: int
    campaign: str
    contact: str
    outcome: str
    row_status: str


FollowUpCounts = Mapping[str, Mapping[str, int]]
"""Follow-ups by kind and state, without those of which there are none."""


class FollowUpArchive(Protocol):
    """The read side of the follow-ups."""

    def count(self, run: str) -> FollowUpCounts:
        """Count the follow-ups of a run."""
        ...

    def tally(self, asked: FollowUpFilter) -> FollowUpCounts:
        """Count those that are asked for."""
        ...

    def find(self, asked: FollowUpFilter, most: int) -> Sequence[FollowUpRecord]:
        """Return follow-ups, the newest first."""
        ...

    def one(self, number: int) -> FollowUpRecord | None:
        """Return one follow-up; None if there is none of that number."""
        ...
