"""Runs the benchmarks: ``python -m benchmarks [--smoke] [--only NAME] [--record DIRECTORY]``.

With ``--stages`` it tells instead where the processor's time of a row goes.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import crm, curves, journals, nginx, pace, plot, size, stages, throughput, trail

Measure = Callable[[int], Mapping[str, float]]


@dataclass(frozen=True)
class Benchmark:
    """Some figures that are measured together, a smoke of them in the tests.

    Attributes:
        once: they take minutes: they are taken in the first round alone.
    """

    name: str
    measure: Measure
    size: int
    smoke_size: int
    once: bool = False


MILLION = 1_000_000

BENCHMARKS = (
    Benchmark("throughput", throughput.unthrottled, 6000, 100),
    Benchmark("latency", throughput.with_latency, 6000, 200),
    Benchmark("crm", crm.hanging, 6000, 200),
    Benchmark("pace", pace.strict, 20, 1),
    Benchmark("pace", pace.bursting, 20, 1),
    Benchmark("pace", pace.listed, 20, 1),
    Benchmark("size", size.flat_cost, 2000, 100),
    Benchmark("size", size.memory, 100_000, 200, once=True),
    Benchmark("size", size.resumption, MILLION, 3000, once=True),
    Benchmark("audit", trail.sealing, 20_000, 300),
    Benchmark("audit", trail.checking, MILLION, 300, once=True),
    Benchmark("journals", journals.reading, MILLION, 300, once=True),
    Benchmark("start", size.start_up, 10, 2),
)

BARS = {
    "against wrk": ">= 0.10",
    "against plain asyncio and httpx2": ">= 5",
    "against a sequential script, 20 ms": ">= 20",
    "of the latency ceiling, 20 ms, 50 in flight": ">= 0.95",
    "with a CRM that hangs, against a healthy one": ">= 0.95",
    "of a strict window, 1 campaigns": ">= 0.94",
    "of a strict window, 20 campaigns": ">= 0.94",
    "of a strict window, 200 campaigns": ">= 0.94",
    "of a strict window, 200 campaigns at 2 a second": ">= 0.94",
    "of a token bucket, 1 campaigns": ">= 0.99",
    "of a token bucket, 20 campaigns": ">= 0.99",
    "of a token bucket, 200 campaigns": ">= 0.99",
    "rows at 10 requests/s with lists, against without": ">= 1.7",
    "cost per row, ten times the rows": "<= 1.10",
    "peak memory, MiB": "<= 120",
    "more than at a tenth of the rows, MiB": "<= 10",
    "resume after a kill, seconds to a request": "<= 1.0",
    "sealing, share of the cost of a row": "<= 0.10",
    "audit verify, CPU seconds": "< 60",
    "audit prove, slowest, ms": "< 50",
    "audit prove, largest, bytes": "< 2048",
    "--help, seconds": "<= 0.25",
    "runs, CPU seconds": "<= 1.0",
    "show, CPU seconds": "<= 2.0",
    "show --status, CPU seconds": "<= 1.0",
    "optouts, CPU seconds": "<= 1.5",
    "crm list, CPU seconds": "<= 1.0",
    "crm list --status, CPU seconds": "<= 1.0",
    "crm list --contact, CPU seconds": "<= 1.0",
}
"""What each figure must reach; the others are told for information."""


@dataclass
class Figures:
    """The values of each figure over the rounds."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, measured: Mapping[str, float]) -> None:
        """Add what one round measured."""
        for name, value in measured.items():
            self.values.setdefault(name, []).append(value)

    def lines(self) -> list[str]:
        """Return a table: median, spread, bar."""
        return [
            f"{name:50} {median(values):9.2f}  [{min(values):.2f}-{max(values):.2f}]"
            f"  {BARS.get(name, '')}".rstrip()
            for name, values in self.values.items()
        ]


def main(arguments: list[str]) -> int:
    """Measure round by round, print a table, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--smoke", action="store_true", help="one small round of each")
    parser.add_argument("--rounds", type=int, default=3, help="3 unless given")
    names = list(dict.fromkeys(one.name for one in BENCHMARKS))
    parser.add_argument("--only", choices=names, help="the benchmarks of this name alone")
    parser.add_argument("--record", type=Path, help="where performance.json and .png go")
    parser.add_argument("--stages", action="store_true", help="a profile, stage by stage")
    asked = parser.parse_args(arguments)
    if asked.stages:
        print(stages.table(stages.profiled()))
        return 0
    rounds = 1 if asked.smoke else asked.rounds
    figures = Figures()
    for number in range(rounds):
        for one in BENCHMARKS:
            if asked.only in {None, one.name} and not (one.once and number):
                print(f"round {number + 1} of {rounds}: {one.name}", file=sys.stderr)
                figures.add(one.measure(one.smoke_size if asked.smoke else one.size))
    print("\n".join(figures.lines()))
    if asked.record is not None:
        found = [curves.measured(small=asked.smoke) for _ in range(rounds)]
        profile = stages.profiled(stages.SMOKE_ROWS if asked.smoke else stages.ROWS)
        record(asked.record, figures, found, profile)
    return 0


def record(
    directory: Path,
    figures: Figures,
    rounds: Sequence[plot.Round],
    profile: Mapping[str, float],
) -> None:
    """Write the figures, the curves and the profile as JSON, and the curves as a picture."""
    directory.mkdir(parents=True, exist_ok=True)
    found = {
        "taken": {
            "Python": platform.python_version(),
            "cores": os.cpu_count(),
            "server": "nginx" if nginx.PROGRAM else "httptools on uvloop",
        },
        "bars": BARS,
        "figures": figures.values,
        "stages": profile,
        "curves": rounds,
    }
    text = json.dumps(found, indent=1) + "\n"
    directory.joinpath("performance.json").write_text(text, encoding="utf-8")
    plot.draw(rounds, directory / "performance.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
