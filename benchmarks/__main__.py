"""Runs the benchmarks: ``python -m benchmarks [--smoke] [--json FILE]``."""

import argparse
import json
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.measures import flatness, latency_ceiling, pace_used, sequential_ratio
from benchmarks.trail import proof_ms, sealing_share, verify_seconds


@dataclass(frozen=True)
class Figure:
    """One figure: what it is, its values over the rounds, and the bar it is held against."""

    name: str
    bar: str
    values: list[float]


@dataclass(frozen=True)
class Benchmark:
    """How a figure is measured: once per round, a smoke of it with a smaller size."""

    name: str
    bar: str
    measure: Callable[[int], float]
    size: int
    smoke_size: int


MILLION = 1_000_000

BENCHMARKS = (
    Benchmark("against a sequential script, 20 ms latency", ">= 20x", sequential_ratio, 2000, 60),
    Benchmark("of the latency ceiling, 20 ms, 50 in flight", ">= 0.95", latency_ceiling, 6000, 200),
    Benchmark("of the permitted requests, 20 campaigns", ">= 0.94", pace_used, 15, 2),
    Benchmark("cost per row taken in, ten times the rows", "<= 1.10", flatness, 20_000, 500),
    Benchmark("sealing, share of the cost of a row", "<= 0.10", sealing_share, 20_000, 300),
    Benchmark("audit verify, 1,000,000 entries, CPU seconds", "< 60", verify_seconds, MILLION, 300),
    Benchmark("audit prove, 1,000,000 entries, ms, slowest", "< 50", proof_ms, MILLION, 300),
)


def main(arguments: list[str]) -> int:
    """Measure, print a table, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--smoke", action="store_true", help="one small round of each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    rounds = 1 if asked.smoke else asked.rounds
    values: dict[str, list[float]] = {one.name: [] for one in BENCHMARKS}
    for _ in range(rounds):
        for one in BENCHMARKS:
            values[one.name].append(one.measure(one.smoke_size if asked.smoke else one.size))
    figures = [Figure(one.name, one.bar, values[one.name]) for one in BENCHMARKS]
    for figure in figures:
        low, high = min(figure.values), max(figure.values)
        print(
            f"{figure.name:48} {median(figure.values):8.2f}  [{low:.2f}-{high:.2f}]  {figure.bar}"
        )
    print(f"peak memory of this process: {_peak_mib()} MiB")
    if asked.json is not None:
        asked.json.write_text(json.dumps([vars(figure) for figure in figures], indent=2))
    return 0


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
