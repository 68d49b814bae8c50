"""Whether it is the tenant that fails, not a row: then the run pauses and fails no row."""

from aftercall.domain.answer import (
    Absent,
    Accepted,
    Forbidden,
    Found,
    ReadAnswer,
    Refused,
    Stale,
    Unauthorized,
    Unavailable,
    Uncertain,
    WriteAnswer,
)
from aftercall.engine.halt import Halt
from aftercall.errors import AccessDenied, TenantUnreachable
from aftercall.ports import Clock
from aftercall.wire.language.refusals import Needs

OUTAGE_SECONDS = 60.0
OUTAGE_ANSWERS = 5
"""So many failures in a row, over so long a time, with no good answer between: an outage."""

DENIED_ANSWERS = 5
"""So many 403 or 401 before anything was ever allowed: it is not about these contacts."""


class Health:
    """Judges the tenant by all rows' answers together."""

    def __init__(self, halt: Halt, clock: Clock, needs: Needs) -> None:
        self._halt = halt
        self._needs = needs
        self._clock = clock
        self._failures = 0
        self._good_at = clock.seconds()
        self._allowed = {"read": False, "write": False}
        self._denied = {"read": 0, "write": 0}

    def note(self, operation: str, got: ReadAnswer | WriteAnswer) -> None:
        """Take an answer to a ``read`` or a ``write`` into account; stop the run if need be."""
        match got:
            case Unavailable(words=words) | Uncertain(words=words):
                self._count_failure(words)
            case Found() | Accepted() | Stale() | Absent() | Refused():
                self._failures = 0
                self._good_at = self._clock.seconds()
                if not isinstance(got, Absent):
                    self._allowed[operation] = True
            case Forbidden(words):
                self._count_denial(operation, f"(403): {words or 'no reason given'}")
            case Unauthorized():
                # Its tokens are good for other requests; else the session had given up.
                self._count_denial(operation, "(401), whatever the token")
            case _:
                pass

    def suspects_scope(self, operation: str) -> bool:
        """Say whether a 403 may be about all contacts: none was ever allowed yet."""
        return not self._allowed[operation]

    def _count_failure(self, words: str) -> None:
        if self._failures == 0:
            self._good_at = self._clock.seconds()
        self._failures += 1
        down = self._clock.seconds() - self._good_at
        if self._failures >= OUTAGE_ANSWERS and down >= OUTAGE_SECONDS:
            message = f"The tenant has not answered properly for {down:.0f} s: {words}"
            fix = "Nothing is lost: go on when it is back."
            self._halt.throw(TenantUnreachable(message, fix=fix, next_command="aftercall resume"))

    def _count_denial(self, operation: str, words: str) -> None:
        if self._allowed[operation]:
            return
        self._denied[operation] += 1
        if self._denied[operation] >= DENIED_ANSWERS:
            doing = "read contacts" if operation == "read" else "write dispositions"
            message = f"The tenant allows us to {doing} nowhere {words}"
            need = self._needs.read if operation == "read" else self._needs.write
            fix = f"Have {need} granted to these credentials. No row was failed for it."
            self._halt.throw(AccessDenied(message, fix=fix, next_command="aftercall check --deep"))
