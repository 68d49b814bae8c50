"""Write call outcomes back to the contact centre, exactly once, and prove it.

The names are imported when they are first used: the command line starts without what it does not
need.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aftercall.domain.audit import Settled
    from aftercall.domain.call_record import CallRecord
    from aftercall.domain.disposition import Disposition
    from aftercall.domain.outcomes import Category
    from aftercall.domain.report import Report
    from aftercall.domain.status import Status
    from aftercall.errors import AftercallError
    from aftercall.library import OpenSession, open, sync  # noqa: A004 - read as aftercall.open
    from aftercall.settings import Settings

__all__ = [
    "AftercallError",
    "CallRecord",
    "Category",
    "Disposition",
    "OpenSession",
    "Report",
    "Settings",
    "Settled",
    "Status",
    "open",
    "sync",
]

_HOMES = {
    "AftercallError": "errors",
    "CallRecord": "domain.call_record",
    "Category": "domain.outcomes",
    "Disposition": "domain.disposition",
    "OpenSession": "library",
    "Report": "domain.report",
    "Settings": "settings",
    "Settled": "domain.audit",
    "Status": "domain.status",
    "open": "library",
    "sync": "library",
}


def __getattr__(name: str) -> object:
    """Import a public name on its first use (PEP 562)."""
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
