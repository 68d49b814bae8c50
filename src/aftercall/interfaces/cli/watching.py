"""Watches a run from beside it and shows how far it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import chain, repeat
from pathlib import Path

from rich.console import Console
from rich.live import Live

from aftercall.domain.pacing import seconds_at_least
from aftercall.interfaces.cli.progress_text import Gauge, Glance, live_view, plain_line
from aftercall.wiring import Job, Session, open_archive
from aftercall.wiring.values import requests_for, target_of

LIVE_SECONDS = 0.2
LINES_SECONDS = (2.0, 3.0, 5.0, 10.0, 20.0, 30.0)
"""The times between two lines of a log; from the last one on they stay the same."""


class Watcher:
    """Shows how far a job is.

    Args:
        job: the job.
        session: what it is done with.
        console: where it is shown.
    """

    def __init__(self, job: Job, session: Session, console: Console) -> None:
        self._job = job
        self._session = session
        self._console = console
        self._gauge = Gauge(job.run.progress)
        self._live: Live | None = None
        self._stock_taken = False

    @asynccontextmanager
    async def showing(self) -> AsyncIterator[None]:
        """Show it while the block runs."""
        show = self._show_live if self._console.is_terminal else self._show_lines
        task = asyncio.create_task(show())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _take_stock(self) -> None:
        """Once writing begins: count what there is to do, and how long its pace makes it take."""
        progress = self._job.run.progress
        if self._stock_taken or progress.stage != "writing":
            return
        self._stock_taken = True
        settings, plan = self._session.settings, self._job.run.plan
        settled = sum(progress.settled.values())
        # In a thread, with a connection of its own: a million rows take a moment to count.
        rows = await asyncio.to_thread(_open_rows, settings.journal.path)
        self._gauge.total = settled + sum(rows.values())
        profile = target_of(settings).profile
        requests = {
            campaign: requests_for(profile, number, plan.pace(campaign))
            for campaign, number in rows.items()
        }
        left = seconds_at_least(requests, plan.pace, plan.tenant_pace)
        self._gauge.ends = time.monotonic() + left

    async def _show_live(self) -> None:
        # No thread of its own: what it shows is only looked at between two steps of the run.
        with Live(
            console=self._console, auto_refresh=False, transient=True, redirect_stdout=False
        ) as live:
            while True:
                await self._take_stock()
                live.update(live_view(self._look(), self._console.width), refresh=True)
                await asyncio.sleep(LIVE_SECONDS)

    async def _show_lines(self) -> None:
        for pause in _pauses():
            ends = time.monotonic() + pause
            while time.monotonic() < ends:
                await self._take_stock()
                self._look()  # keeps the speed up to date
                await asyncio.sleep(min(1.0, pause))
            self._console.print(plain_line(self._look()), soft_wrap=True)

    def _look(self) -> Glance:
        stopping = self._job.run.halt.thrown
        return self._gauge.look(time.monotonic(), self._job.share_read, stopping=stopping)


def _open_rows(journal: Path) -> Mapping[str, int]:
    with open_archive(journal) as archive:
        return archive.open_rows()


def _pauses() -> Iterator[float]:
    return chain(LINES_SECONDS, repeat(LINES_SECONDS[-1] * 2))
