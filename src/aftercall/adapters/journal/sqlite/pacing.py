"""The limiter and the fence: one row per campaign."""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from aftercall.adapters.journal.sqlite.rows import run_number
from aftercall.adapters.journal.sqlite.statements import statement
from aftercall.adapters.journal.sqlite.writer import Writer
from aftercall.domain.pacing import Pace, Slots, reserve
from aftercall.domain.report import CampaignPace

TENANT = ""
"""The name under which the tenant as a whole is paced."""


class SqlitePacing:
    """Reservations of request slots, durable before the first of them is used."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def reserve(self, campaign: str, epoch: int, pace: Pace, now_us: int) -> Slots | None:
        """Reserve the campaign's next block of slots; None if another worker has taken it over."""

        def store(db: sqlite3.Connection) -> Slots | None:
            if campaign == TENANT:
                db.execute(statement("add_campaign"), {"campaign": campaign})
            kept = db.execute(statement("campaign_pace"), {"campaign": campaign}).fetchone()
            if kept is None or kept["epoch"] != epoch:
                return None
            start_us = max(now_us, kept["paused_until_us"])
            slots, tat_us = reserve(kept["tat_us"], start_us, pace.block, pace.spacing_us)
            values = {"campaign": campaign, "epoch": epoch, "tat_us": tat_us}
            db.execute(statement("set_tat"), values)
            return slots

        return await self._writer.run(store)

    async def pause(self, campaign: str, until_us: int) -> None:
        """Give no slot of the campaign before `until_us`."""
        values = {"campaign": campaign, "until_us": until_us}
        await self._writer.run(lambda db: db.execute(statement("set_pause"), values).rowcount)

    async def note_pace(self, run: str, figures: Sequence[CampaignPace], worked_ms: int) -> None:
        """Add requests and working time to what the run's report says."""

        def store(db: sqlite3.Connection) -> None:
            number = run_number(db, run)
            for figure in figures:
                db.execute(statement("note_pace"), {"run": number, **asdict(figure)})
            db.execute(statement("note_work"), {"run": number, "worked_ms": worked_ms})

        await self._writer.run(store)
