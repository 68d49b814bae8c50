"""What reading a large journal costs: how long commands take that count and list, and its size."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.filling import BATCH, filled
from benchmarks.peers import ENVIRONMENT

COMMAND = Path(sys.executable).with_name("aftercall")
CAMPAIGNS_MAX = 2_000

COMMANDS = {
    "runs": ("runs",),
    "show": ("show",),
    "show --status": ("show", "--status", "failed"),
    "optouts": ("optouts",),
    "crm list": ("crm", "list"),
    "crm list --status": ("crm", "list", "--status", "waiting"),
    "crm list --contact": ("crm", "list", "--contact", "contact-77"),
}
"""What is measured, and the words that are typed for it."""


def reading(size: int) -> Mapping[str, float]:
    """Return the processor's seconds of each command, at a tenth of `size` rows and at `size`.

    A few rows are read once only: nothing can be told from a tenth of them.
    """
    figures: dict[str, float] = {}
    tenth = [(size // 10, " at a tenth")] if size > BATCH else []
    for count, words in (*tenth, (size, "")):
        with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as name:
            path = filled(Path(name), count, min(CAMPAIGNS_MAX, count // 10))
            for command, typed in COMMANDS.items():
                figures[f"{command}{words}, CPU seconds"] = _cpu_seconds(path, typed)
            figures[f"bytes a row{words}"] = path.stat().st_size / count
    return figures


def _cpu_seconds(path: Path, words: tuple[str, ...]) -> float:
    """Return what a command spends, from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [COMMAND, *words, "--journal", path.name],
        cwd=path.parent,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in {0, 4}:
        raise RuntimeError(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
