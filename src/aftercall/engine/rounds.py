"""Turns over campaigns: each gets a few rows' worth of time, then the next one's turn comes.

A small campaign waits seconds behind a big one, not hours: every campaign that is due has its own
turn, and the turns run side by side, each at its own pace.
"""

import asyncio
import heapq
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from aftercall.domain.audit import Finding, Settled, settled_as
from aftercall.domain.freshness import Reads
from aftercall.domain.pacing import Pace
from aftercall.domain.settlement import Claim
from aftercall.domain.status import SETTLED, Status
from aftercall.engine.halt import Halt
from aftercall.engine.lane import Lane
from aftercall.engine.writer import Writer
from aftercall.ports import Claims, Clock

TURNS_MAX = 256
"""Campaigns that are worked on side by side; the others wait for their turn in a queue."""

UNTOLD_MAX = 200
"""So many rows may wait until somebody listens who is told of them; then no turn begins."""

ALONE = Reads()
"""Each contact is read by itself."""

log = logging.getLogger("aftercall")


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How much one turn may take.

    Attributes:
        rows: rows at the most.
        seconds: about how long, at the campaign's pace.
        patience_seconds: rows due later than this are left for `aftercall resume`.
        reads: how contacts are read.
    """

    rows: int = 50
    seconds: float = 1.0
    patience_seconds: float = 900.0
    reads: Reads = ALONE

    def rows_at(self, pace: Pace) -> int:
        """Return how many rows one turn takes at a pace, each with its write and its read."""
        listed = self.reads.list_size(pace.spacing_us)
        paced = pace.per_second * self.seconds / (1 + 1 / listed)
        return max(1, min(self.rows, max(math.ceil(paced), listed)))


class Rounds:
    """Hands turns to campaigns until no row is due soon, or the run is stopped."""

    def __init__(
        self,
        claims: Claims,
        writer: Writer,
        lane_for: Callable[[str], Lane],
        limits: TurnLimits,
        watch: "Watch",
    ) -> None:
        self._claims = claims
        self._writer = writer
        self._lane_for = lane_for
        self._limits = limits
        self._watch = watch
        self._lanes: dict[str, Lane] = {}
        self._next_ms: dict[str, int] = {}
        self._later: list[tuple[int, str]] = []
        self._ready: deque[str] = deque()
        self._queued: set[str] = set()
        self._turns = 0
        self._rows = 0
        self._untold = 0
        self._wake = asyncio.Event()
        self._on_call: set[int] = set()

    @property
    def on_call(self) -> int:
        """How many rows wait for the end of a call."""
        return len(self._on_call)

    @property
    def lanes(self) -> dict[str, Lane]:
        """The lanes of the campaigns that had a turn."""
        return self._lanes

    async def lane_of(self, campaign: str) -> Lane:
        """Return the lane of a campaign for other requests than its rows', which share its pace."""
        lane = self._lanes.get(campaign)
        if lane is None:
            lane = self._lanes[campaign] = self._lane_for(campaign)
            # Slots are given to the latest epoch only, which a turn raises, if one of no rows.
            now_ms = self._watch.clock.now_us() // 1000
            await lane.book.take_over(partial(self._claims.take_turn, campaign, 0, now_ms))
        return lane

    def due(self, campaign: str, due_ms: int) -> None:
        """Note that a row of `campaign` is due at `due_ms`, or once its lane is open again."""
        lane = self._lanes.get(campaign)
        if lane is not None:
            due_ms = max(due_ms, lane.opens_us // 1000)
        known = self._next_ms.get(campaign)
        if known is None or due_ms < known:
            self._next_ms[campaign] = due_ms
            heapq.heappush(self._later, (due_ms, campaign))
            self._wake.set()

    async def run(self) -> None:
        """Work until nothing is due soon or the run is stopped; what is begun is finished."""
        self._watch.halt.listen(self._wake.set)
        for campaign, due_ms in (await self._claims.due()).items():
            self.due(campaign, due_ms)
        async with asyncio.TaskGroup() as group:
            while (wait := self._start_turns(group)) is not None:
                self._wake.clear()
                # Not `wait_for`: before Python 3.12 it loses a cancellation that comes in the same
                # step as the event, and the group that a failed turn has cancelled never ends.
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._wake.wait()

    def _start_turns(self, group: asyncio.TaskGroup) -> float | None:
        """Start the turns that are due; return how long to wait, None if all is done."""
        now_ms = self._watch.clock.now_us() // 1000
        while self._later and self._later[0][0] <= now_ms:
            due_ms, campaign = heapq.heappop(self._later)
            # An entry that is no longer the campaign's earliest is a leftover; a busy campaign
            # comes back when its turn ends.
            if self._next_ms.get(campaign) == due_ms and campaign not in self._queued:
                self._queued.add(campaign)
                self._ready.append(campaign)
        while self._ready and self._may_start():
            campaign = self._ready.popleft()
            self._next_ms.pop(campaign, None)
            self._turns += 1
            group.create_task(self._turn(campaign, group), name=f"turn {campaign}")
        if self._turns or self._rows:
            return self._until_next(now_ms)
        if self._watch.halt.thrown or not self._next_ms:
            return None
        wait = self._until_next(now_ms)
        return None if wait > self._limits.patience_seconds else wait

    def _may_start(self) -> bool:
        told = self._untold < UNTOLD_MAX
        return told and self._turns < TURNS_MAX and not self._watch.halt.thrown

    def _until_next(self, now_ms: int) -> float:
        """Return the seconds until a waiting campaign is due, a long time if none is."""
        if not self._later or self._watch.halt.thrown:
            return self._limits.patience_seconds
        return max(0.001, (self._later[0][0] - now_ms) / 1000)

    async def _turn(self, campaign: str, group: asyncio.TaskGroup) -> None:
        lane = self._lanes.get(campaign)
        if lane is None:
            lane = self._lanes[campaign] = self._lane_for(campaign)
        now_ms = self._watch.clock.now_us() // 1000
        turn = await lane.book.take_over(
            partial(self._claims.take_turn, campaign, self._limits.rows_at(lane.book.pace), now_ms)
        )
        await self._watch.told(turn.settled)
        door = _Door(len(turn.claims))
        for claim in turn.claims:
            self._rows += 1
            group.create_task(self._row(claim, lane, door), name=f"row {claim.row}")
        # The answers are awaited by the rows' own tasks, however long they take; the campaign's
        # next turn starts while the last rows wait to be read, so that no slot goes unused.
        await door.open.wait()
        self._turns -= 1
        self._queued.discard(campaign)
        if turn.due_ms is not None:
            self.due(campaign, turn.due_ms)
        if campaign in self._next_ms:
            heapq.heappush(self._later, (self._next_ms[campaign], campaign))
        self._wake.set()

    async def _row(self, claim: Claim, lane: Lane, door: "_Door") -> None:
        begun = door.knock()
        settlement = await self._writer.work(claim, lane, begun)
        self._on_call.discard(claim.row)
        if settlement is not None and settlement.status is Status.DEFERRED:
            self._on_call.add(claim.row)
        if settlement is None:
            log.warning("row %d was claimed anew; what was found out is dropped", claim.row)
        elif settlement.status in SETTLED:
            finding = Finding(settlement.status, settlement.reason, settlement.words)
            await self._tell(settled_as(claim.subject, finding, settlement.exchange))
        elif settlement.due_ms is not None:
            self.due(claim.disposition.campaign, settlement.due_ms)
        self._rows -= 1
        if not self._rows:
            self._wake.set()

    async def _tell(self, row: Settled) -> None:
        self._untold += 1
        await self._watch.told([row])
        self._untold -= 1
        if self._untold == UNTOLD_MAX - 1:
            self._wake.set()


@dataclass(frozen=True, slots=True)
class Watch:
    """What stops the rounds, and who is told of rows that have reached their status."""

    halt: Halt
    clock: Clock
    told: Callable[[Sequence[Settled]], Awaitable[None]]


class _Door:
    """Opens when most of a turn's rows are being read."""

    def __init__(self, rows: int) -> None:
        self.open = asyncio.Event()
        self._left = rows
        self._enough = rows * 2 // 5
        if not rows:
            self.open.set()

    def knock(self) -> Callable[[], None]:
        """Return what a row calls, as often as it likes, once its read has left."""
        called = False

        def begun() -> None:
            nonlocal called
            if not called:
                called = True
                self._left -= 1
                if self._left <= self._enough:
                    self.open.set()

        return begun
