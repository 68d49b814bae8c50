"""The tables of `performance.md`, from what the benchmarks recorded in `performance.json`."""

import json
import operator
from pathlib import Path
from statistics import median
from typing import Any

COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
}


def recorded(path: Path) -> dict[str, Any]:
    """Return what was recorded."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def figures_section(found: dict[str, Any]) -> str:
    """Return a table of the figures that have a bar: median, spread, bar, whether it is reached."""
    taken = found["taken"]
    lines = [
        f"Python {taken['Python']}, {taken['cores']} cores, server: {taken['server']}.",
        "",
        "| figure | median | least - most | must be | reached |",
        "|---|---|---|---|---|",
    ]
    for name, bar in found["bars"].items():
        values = found["figures"].get(name)
        if values is None:
            lines.append(f"| {name} | not taken | | {bar} | |")
            continue
        middle = median(values)
        sign, _, wanted = bar.partition(" ")
        reached = "yes" if COMPARE[sign](middle, float(wanted)) else "**no**"
        spread = f"{min(values):,.2f} - {max(values):,.2f}"
        lines.append(f"| {name} | {middle:,.2f} | {spread} | {bar} | {reached} |")
    return "\n".join(lines)


def stages_section(found: dict[str, Any]) -> str:
    """Return a table of where the processor's time of a row goes."""
    lines = ["| stage | share |", "|---|---|"]
    lines += [f"| {name} | {share:.1%} |" for name, share in found["stages"].items()]
    return "\n".join(lines)
