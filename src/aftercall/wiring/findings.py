"""What a check-up finds: how something stands, and what to do about it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding: what was looked at, how it stands, and what to do about it."""

    name: str
    level: Literal["ok", "warn", "fail"]
    words: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """How far a check-up goes.

    Attributes:
        contact: the campaign and id of a contact to read; None for one that no tenant has.
        deep: look at the tenant's lists, and at all that it tells of the contact.
        write: the outcome to write onto the contact; None changes nothing.
    """

    contact: tuple[str, str] | None = None
    deep: bool = False
    write: str | None = None
