"""Plain tables: no frames, aligned, readable when piped."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

Cell = str | Text


def table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    """Return a table; a header that starts with ``>`` aligns right, the last column may wrap."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for place, header in enumerate(headers):
        right = header.startswith(">")
        last = place == len(headers) - 1
        made.add_column(
            header.removeprefix(">"),
            justify="right" if right else "left",
            no_wrap=right or not last,
            overflow="fold" if last else "ellipsis",
        )
    for row in rows:
        made.add_row(*row)
    return made
