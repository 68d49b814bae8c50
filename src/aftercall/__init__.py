"""Write call outcomes back to the contact centre, exactly once, and prove it.

The names are imported when they are first used: the command line starts without what it does not
need.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from aftercall.first_use import imported_from

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
    "AftercallError": "aftercall.errors",
    "CallRecord": "aftercall.domain.call_record",
    "Category": "aftercall.domain.outcomes",
    "Disposition": "aftercall.domain.disposition",
    "OpenSession": "aftercall.library",
    "Report": "aftercall.domain.report",
    "Settings": "aftercall.settings",
    "Settled": "aftercall.domain.audit",
    "Status": "aftercall.domain.status",
    "open": "aftercall.library",
    "sync": "aftercall.library",
}


_first_use = imported_from(__name__, _HOMES, globals())


def __getattr__(name: str) -> object:
    """Import a public name, or look the version up, on its first use."""
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    return _first_use(name)
