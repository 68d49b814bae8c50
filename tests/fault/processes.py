"""The crash driver as a process: born or started, killed, resumed; and the file it works on."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .nursery import NURSERY
from .rig import Rig

DRIVER = Path(__file__).with_name("crash_driver.py")
HEADER = "campaign,contact,outcome,agent,timestamp,notes"
CODES = ("INTERESTED", "NOT_INTERESTED", "CALL_BACK", "DO_NOT_CALL", "NO_ANSWER")


def write_calls(path: Path, rows: int, campaigns: int) -> Path:
    """Write a file with trouble in it: duplicates, conflicts, unknown contacts, invalid rows."""
    path.parent.mkdir(exist_ok=True)
    lines = [HEADER]
    for number in range(rows):
        contact = f"gone{number}" if number % 17 == 5 else f"k{number - number % 11 // 10}"
        code = CODES[number % len(CODES)]
        day = 1 + number % 27
        stamp = "yesterday" if number % 23 == 7 else f"2026-01-{day:02d}T10:00:00Z"
        campaign = f"C{(number - number % 11 // 10) % campaigns}"
        lines.append(f"{campaign},{contact},{code},a1,{stamp},note {number}.")
        if number % 13 == 3:
            lines.append(lines[-1])
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


async def start(rig: Rig, task: Mapping[str, Any]) -> Process:
    """Start the driver."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(DRIVER),
        json.dumps(task),
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | rig.environment,
    )


async def drive(
    rig: Rig, files: list[Path], *, tables: Mapping[str, Any] | None = None, **task: object
) -> dict[str, Any] | None:
    """Run the driver to its end; return what it told, None if it was killed.

    Anything else than a kill or an orderly end fails: a traceback above all.
    """
    config = rig.config(**(tables or {}))
    common = {"directory": str(rig.directory), "environment": dict(rig.environment)}
    life = await NURSERY.live(
        {**common, "config": config, "files": [str(path) for path in files], **task}
    )
    if life.killed:
        return None
    assert life.code == 0, life.err[-3000:]
    assert "Traceback" not in life.err
    told: dict[str, Any] = json.loads(life.out)
    return told
