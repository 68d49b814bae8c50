"""Which campaigns of a run the tenant has asked to slow down for longer than the run lasted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from aftercall.domain import instant
from aftercall.domain.report import Report
from aftercall.domain.status import OPEN
from aftercall.wiring import open_archive


def paused_of(journal: Path, report: Report) -> dict[str, datetime]:
    """Return the campaigns with open rows of a run that are paused, and until when."""
    now_ms = instant.to_ms(datetime.now(UTC))
    with open_archive(journal) as archive:
        paused = archive.paused(now_ms * 1000)
    waiting = {tally.campaign for tally in report.tallies if tally.status in OPEN}
    return {name: instant.from_ms(us // 1000) for name, us in paused.items() if name in waiting}


def paused_json(paused: Mapping[str, datetime]) -> dict[str, str]:
    """Return the same as JSON, to the second."""
    return {name: f"{until:%Y-%m-%dT%H:%M:%SZ}" for name, until in paused.items()}
