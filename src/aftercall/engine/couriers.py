"""All couriers of a run, one per endpoint, started, finished and waited for together."""

import asyncio
from collections.abc import Callable, Sequence

from aftercall.engine.delivery import Courier, Line
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Progress
from aftercall.ports import Clock, Outbox


class Couriers:
    """Deliver the events of all endpoints, none of which waits for another."""

    def __init__(
        self, lines: Sequence[Line], outbox: Outbox, clock: Clock, chance: Callable[[], float]
    ) -> None:
        self._couriers = [Courier(line, outbox, clock, chance) for line in lines]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, group: asyncio.TaskGroup, halt: Halt, progress: Progress) -> None:
        """Begin to deliver, as tasks of `group`."""
        for courier in self._couriers:
            task = group.create_task(courier.run(halt, progress), name="courier")
            self._tasks.append(task)

    async def finish(self, seconds_max: float | None, *, wait: bool = False) -> None:
        """Let what can be delivered now be delivered; the rest stays in the outbox.

        Args:
            seconds_max: what is not done by then is broken off, to be tried again; None: never.
            wait: go on until no event waits any more.
        """
        for courier in self._couriers:
            courier.finish(wait=wait)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds_max)
            for task in late:
                task.cancel()
