"""Where the processor's time of a row goes, stage by stage: ``python -m benchmarks --stages``.

The pipeline runs in a process of its own under a sampling profiler, which looks at all threads
from outside and so slows nothing down that it measures.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.rig import ours

SAMPLES_PER_SECOND = 500
PROFILER = Path(sys.executable).with_name("py-spy")
ROWS = 6000
SMOKE_ROWS = 300

STAGES = (
    ("import of modules", r"<frozen importlib"),
    ("journal thread: SQL and commit", r"aftercall/adapters/journal"),
    ("HTTP: aiohttp", r"aiohttp/|multidict/|yarl/|aftercall/adapters/transport"),
    ("reading and checking the input", r"aftercall/adapters/sources|aftercall/engine/intake"),
    ("audit entries and commitments", r"aftercall/domain/(audit|commitment|merkle)|engine/sealing"),
    ("CRM events", r"aftercall/engine/(couriers|delivery)|aftercall/domain/(webhook|delivery)"),
    ("requests and answers", r"aftercall/wire|aftercall/engine/(reader|tenant|lookups)"),
    ("pace and permits", r"aftercall/engine/(lane|slots|queue)|domain/(pacing|window|easing)"),
    ("turns and decisions", r"aftercall/engine|aftercall/domain"),
    ("sockets of the event loop", r"asyncio/selector_events|asyncio/sslproto"),
    ("the event loop itself", r"asyncio/|selectors\.py|threading\.py"),
)
"""Name and pattern of each stage. A sample belongs to the innermost frame that has a stage of ours;
the event loop and the sockets get what no other frame claims."""

WAITING = re.compile(r"(^|;)(_worker|Writer\._work|Writer\._gather) \([^;]*$")
"""Threads that wait for work in a queue, which the profiler takes for busy ones."""

_COMPILED = tuple((name, re.compile(pattern)) for name, pattern in STAGES)
_LOOP = {"sockets of the event loop", "the event loop itself"}


def stage_of(stack: str) -> str:
    """Return the stage of one sample.

    Args:
        stack: frames from the outermost to the innermost, separated by semicolons.
    """
    loop = None
    for frame in reversed(stack.split(";")):
        for name, pattern in _COMPILED:
            if pattern.search(frame):
                if name not in _LOOP:
                    return name
                loop = loop or name
                break
    return loop or "all else"


def shares(lines: Iterable[str]) -> Mapping[str, float]:
    """Return the share of each stage, the largest first, from a profiler's collapsed stacks."""
    counted: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if WAITING.search(stack):
            continue
        counted[stage_of(stack)] += int(count)
    whole = counted.total()
    return {name: count / whole for name, count in counted.most_common()}


def profiled(rows: int = ROWS) -> Mapping[str, float]:
    """Write rows under the profiler; return the share of each stage.

    Raises:
        RuntimeError: the profiler could not look into the process.
    """
    with tempfile.TemporaryDirectory(prefix="aftercall-bench-") as name:
        stacks = Path(name) / "stacks"
        flags = ["record", "--rate", str(SAMPLES_PER_SECOND), "--format", "raw", "--threads"]
        done = subprocess.run(
            [PROFILER, *flags, "--output", stacks, "--", sys.executable, "-m", __name__, str(rows)],
            cwd=Path(__file__).parents[1],
            env=os.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not stacks.exists():
            message = f"the profiler failed: {done.stderr.strip()}"
            raise RuntimeError(message)
        return shares(stacks.read_text(encoding="utf-8").splitlines())


def table(found: Mapping[str, float]) -> str:
    """Return the shares as lines for people."""
    return "\n".join(f"{name:46} {share:6.1%}" for name, share in found.items())


if __name__ == "__main__":
    from benchmarks.peers import fast_server

    with fast_server() as peer:
        ours(peer, int(sys.argv[1]))
