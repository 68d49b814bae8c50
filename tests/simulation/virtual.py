"""Virtual time: one line of events for the whole world, and an event loop that lives on it.

Nothing waits: when no task can go on, time jumps to the next timer or to the next event of the
world. Everything runs in one thread, so the same history takes the same steps each time. The loop
is asyncio's own `BaseEventLoop`; only where it would wait for the operating system is it replaced
(the idea is that of looptime on PyPI).
"""

import asyncio
import heapq
from collections.abc import Callable
from typing import Any

STEPS_PER_SECOND_MAX = 2_500
STEPS_PER_REQUEST = 400
STEPS_MAX = 10_000
IDLE_STEPS_PER_SECOND = 60
"""More steps than this in one virtual second, or in all, with so few requests, are a busy loop."""


READ_SECONDS = 0.001
"""How long a thread takes to read something."""


class Ended(SystemExit):
    """The simulated process is gone: raised through asyncio, which lets nothing else pass."""


class Died(Ended):
    """It was killed."""


class Deadlocked(Ended):
    """Nothing can ever happen again, yet the work is not done."""


class Spinning(Ended):
    """It goes round and round without time passing."""


class Timeline:
    """What happens in the world, in order; it goes on when a process dies.

    Attributes:
        now: virtual seconds since the world began.
        wall_us: what the machine's clock says, microseconds since the epoch, at `now`.
        jumped: when the machine's clock was set last.
    """

    def __init__(self, wall_us: int) -> None:
        self.now = 0.0
        self.jumped = -1e9
        self._wall_us = wall_us
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def now_us(self) -> int:
        """Return what the machine's clock says, in microseconds since the epoch."""
        return self._wall_us + round(self.now * 1_000_000)

    def seconds(self) -> float:
        """Return the monotonic clock."""
        return self.now

    def jump(self, seconds: float) -> None:
        """Set the machine's clock forwards or back."""
        self._wall_us += int(seconds * 1_000_000)
        self.jumped = self.now

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Have `event` happen at `when`."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), self._count, event))

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Have `event` happen some seconds from now."""
        self.at(self.now + seconds, event)

    def advance(self, until: float | None, enough: Callable[[], bool]) -> bool:
        """Let time pass until `until`, or until an event has made it `enough`.

        Returns False if nothing more will ever happen.
        """
        while self._events and (until is None or self._events[0][0] <= until):
            when, _, event = heapq.heappop(self._events)
            self.now = max(self.now, when)
            event()
            if enough():
                return True
        if until is None:
            return False
        self.now = max(self.now, until)
        return True

    def pass_by(self, seconds: float) -> None:
        """Let time pass while no process runs."""
        self.advance(self.now + seconds, lambda: False)


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop on a timeline: one simulated process."""

    def __init__(self, timeline: Timeline, dies_at_step: int | None = None) -> None:
        super().__init__()
        self.steps = 0
        self.requests = 0
        self.troubles: list[BaseException] = []
        self._timeline = timeline
        self._dies_at_step = dies_at_step
        self._begun = timeline.now
        self._selector = self
        self._clock_resolution = 1e-9
        self._second = -1
        self._allowance = 0
        self.set_exception_handler(self._note_trouble)

    def time(self) -> float:
        return self._timeline.now

    def select(self, timeout: float | None) -> list[Any]:
        """Take the place of the operating system's selector."""
        if timeout is None or timeout > 0:
            until = None if timeout is None else self._timeline.now + timeout
            if not self._timeline.advance(until, self._can_go_on):
                raise Deadlocked("nothing is left that could wake a task")
        self._check_spin()
        return []

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        self.steps += 1
        handle = super().call_soon(callback, *args, context=context)
        if self.steps == self._dies_at_step:
            super().call_soon(self._die)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, function: Callable[..., Any], *given: Any
    ) -> "asyncio.Future[Any]":
        """Take the place of threads that read: what they see is of now, and is told a bit later."""
        future: asyncio.Future[Any] = self.create_future()
        tell: Callable[[Any], None]
        try:
            got, tell = function(*given), future.set_result
        except Exception as trouble:  # noqa: BLE001 - it is raised where the result is awaited
            got, tell = trouble, future.set_exception
        self.call_later(READ_SECONDS, lambda: None if future.done() else tell(got))
        return future

    def _can_go_on(self) -> bool:
        return bool(self._ready)  # type: ignore[attr-defined]

    def _check_spin(self) -> None:
        idle = IDLE_STEPS_PER_SECOND * (self._timeline.now - self._begun)
        if self.steps > STEPS_MAX + STEPS_PER_REQUEST * self.requests + idle:
            raise Spinning(f"{self.steps} steps for {self.requests} requests")
        second = int(self._timeline.now)
        if second != self._second:
            self._second = second
            self._allowance = self.steps - STEPS_PER_REQUEST * self.requests
        spent = self.steps - STEPS_PER_REQUEST * self.requests - self._allowance
        if spent > STEPS_PER_SECOND_MAX:
            raise Spinning(f"{spent} steps in one second")

    def _die(self) -> None:
        raise Died("killed between two steps")

    def _process_events(self, events: list[Any]) -> None:
        """Nothing comes from the operating system."""

    def _note_trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        trouble = context.get("exception")
        self.troubles.append(trouble or RuntimeError(str(context.get("message"))))


def abandon(loop: VirtualLoop) -> None:
    """Drop what a killed process was doing, without letting any of it go on."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        coroutine = task.get_coro()
        try:
            coroutine.close()
        except (RuntimeError, Ended, ValueError, BaseExceptionGroup):
            continue
    loop._ready.clear()  # type: ignore[attr-defined]
    loop._scheduled.clear()  # type: ignore[attr-defined]
    loop.close()
