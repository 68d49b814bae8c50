"""Finding a shorter history that breaks the same thing (delta debugging: Zeller, 1999)."""

from collections.abc import Iterator
from dataclasses import fields, replace

from .history import History
from .play import play

PLAYS_MAX = 400


def shortest(history: History, broken: str, plays_max: int = PLAYS_MAX) -> History:
    """Return the shortest history that can be found which still ends in violation `broken`."""
    plays = 0
    while plays < plays_max:
        for smaller in smaller_ones(history):
            plays += 1
            if plays > plays_max:
                break
            if play(smaller).broken == broken:
                history = smaller
                break
        else:
            break
    return history


def smaller_ones(history: History) -> Iterator[History]:
    """Yield histories with a part left out, large parts first; then calmer settings."""
    lists = ("ends", "faults", "outages", "jumps", "calls", "touches", "held", "inputs")
    for name in lists:
        whole = getattr(history, name)
        size = len(whole)
        while size:
            for start in range(0, len(whole), size):
                fewer = whole[:start] + whole[start + size :]
                if fewer or name != "inputs":  # without an input there is no run to begin
                    yield replace(history, **{name: fewer})
            size //= 2
    for place, rows in enumerate(history.inputs):
        size = len(rows)
        while size:
            for start in range(0, len(rows), size):
                fewer = rows[:start] + rows[start + size :]
                inputs = (*history.inputs[:place], fewer, *history.inputs[place + 1 :])
                yield replace(history, inputs=inputs)
            size //= 2
    yield from _calmer(history)


def _calmer(history: History) -> Iterator[History]:
    usual = History()
    for one in fields(history):
        value = getattr(usual, one.name)
        if (
            one.name != "seed"
            and getattr(history, one.name) != value
            and not isinstance(value, tuple)
        ):
            yield replace(history, **{one.name: value})
