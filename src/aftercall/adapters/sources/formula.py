"""Cells that a spreadsheet would run as a formula, made harmless and made themselves again.

A spreadsheet takes a cell for a formula if it starts with one of `= + - @`, a tab or a carriage
return; a quote in front makes it text. A cell that already has quotes there gets one more, which
is what makes the two functions exact inverses for every text.
"""

import re
from typing import Final

_RISKY: Final = re.compile(r"'*[=+\-@\t\r]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r]")


def guard_cell(text: str) -> str:
    """Put a quote before a cell that a spreadsheet, or `unguard_cell`, would change."""
    return "'" + text if _RISKY.match(text) else text


def unguard_cell(text: str) -> str:
    """Take off the quote that `guard_cell` has put there: the exact inverse of it."""
    return text[1:] if _GUARDED.match(text) else text
