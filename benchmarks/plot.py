"""Draws the curves beside their limits: three panels in one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.curves import LIMIT

Round = Sequence[Mapping[str, Any]]
"""The curves of one round, as `benchmarks.curves.measured` gives them."""

COLOURS = {
    "aftercall": "#0b6e4f",
    "plain asyncio and httpx2": "#c1666b",
    "a sequential script": "#8d99ae",
    LIMIT: "#222222",
}


def draw(rounds: Sequence[Round], path: Path) -> None:
    """Draw the medians over the rounds, with the least and the most, into a PNG file."""
    # It takes seconds to import, and nothing else needs it.
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    for number, curves in enumerate(zip(*rounds, strict=True)):
        panel = figure.add_subplot(1, 3, number + 1)
        _panel(panel, curves)
    figure.savefig(path, dpi=110)


def _panel(panel: Any, curves: Sequence[Mapping[str, Any]]) -> None:
    first = curves[0]
    for name in first["series"]:
        values = list(zip(*(curve["series"][name] for curve in curves), strict=True))
        style = "--" if name == LIMIT else "-"
        colour, at = COLOURS[name], first["at"]
        panel.plot(at, [median(one) for one in values], style, color=colour, label=name, marker=".")
        if name != LIMIT:
            low, high = [min(one) for one in values], [max(one) for one in values]
            panel.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
    panel.set(xscale="log", yscale="log", xlabel=first["over"], ylabel=f"{first['unit']} a second")
    panel.set_title(f"over {first['over'].partition(',')[0]}", fontsize=11)
    panel.grid(visible=True, which="major", alpha=0.25)
    panel.set_xticks(first["at"], [f"{value:,}" for value in first["at"]])
    panel.minorticks_off()
    panel.legend(frameon=False, fontsize=8)
