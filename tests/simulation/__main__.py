"""Play histories: `python -m tests.simulation SEED` one, `--count N` many.

A seed that breaks something prints what, and the shortest history that can be found which breaks
the same. The exit code is 1 then.
"""

# ruff: noqa: T201 - it is a command
import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator

from .play import Outcome, play, play_seed
from .shrink import shortest


def explained(outcome: Outcome) -> str:
    """Return what a broken history has broken, with the shortest history that breaks the same."""
    assert outcome.broken is not None
    small = shortest(outcome.history, outcome.broken)
    told = play(small).violations or outcome.violations
    lines = [f"seed {outcome.history.seed} breaks: {outcome.broken}"]
    lines += [f"  {one.name}: {one.words}" for one in told[:3]]
    lines += [f"the shortest history found (of size {small.size}):", small.told()]
    return "\n".join(lines)


def outcomes(first: int, count: int, processes: int) -> Iterator[Outcome]:
    seeds = range(first, first + count)
    if processes == 1:
        yield from map(play_seed, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(play_seed, seeds, chunksize=50)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", default=0, help="the (first) seed")
    parser.add_argument("--count", type=int, default=1, help="how many histories")
    parser.add_argument("--processes", type=int, default=1, help="how many at a time")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so long")
    parser.add_argument("--keep-going", action="store_true", help="past a seed that is broken")
    given = parser.parse_args()
    begun = time.monotonic()
    fired: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    spoken: Counter[str] = Counter()
    played = requests = steps = broken = 0
    for outcome in outcomes(given.seed, given.count, given.processes):
        played += 1
        spoken[outcome.history.surface] += 1
        fired.update(outcome.fired)
        ends.update(outcome.ends)
        statuses.update(outcome.statuses)
        requests += outcome.requests
        steps += outcome.steps
        if outcome.broken:
            broken += 1
            print(explained(outcome), flush=True)
            if not given.keep_going:
                return 1
        if given.minutes and time.monotonic() - begun > 60 * given.minutes:
            break
    spent = time.monotonic() - begun
    print(f"{played} histories from seed {given.seed} in {spent:.0f} s, {broken} broken")
    print(f"{requests} requests, {steps} steps, {sum(fired.values())} faults")
    for name, counted in (
        ("spoken", spoken),
        ("processes", ends),
        ("faults", fired),
        ("rows", statuses),
    ):
        print(f"{name}: " + ", ".join(f"{what} {n}" for what, n in counted.most_common()))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
