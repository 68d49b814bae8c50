"""The outcome matrix: which outcome codes a tenant has, and what each one means."""

import difflib
import re
from collections.abc import Mapping
from enum import StrEnum

CODE = re.compile(r"[A-Z_]{3,20}")
"""The form of an outcome code, the same for every tenant."""


class Category(StrEnum):
    """What an outcome code means for the person who was called."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    CALLBACK = "callback"
    OPT_OUT = "opt_out"
    UNREACHABLE = "unreachable"


OutcomeMatrix = Mapping[str, Category]


def nearest_code(code: str, matrix: OutcomeMatrix) -> str | None:
    """Return the configured code that `code` was probably meant to be, if there is one."""
    wanted = re.sub(r"[^A-Z]+", "_", code.upper()).strip("_")
    if wanted in matrix:
        return wanted
    close = difflib.get_close_matches(wanted, list(matrix), n=1, cutoff=0.7)
    return close[0] if close else None
