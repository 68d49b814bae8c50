"""The errors that a user of aftercall can meet.

Each says what happened, what to do about it and, where one helps, the next command to type::

    AftercallError
    ├── ConfigInvalid          the configuration or the environment is wrong            exit 78
    ├── SourceUnreadable       an input cannot be used as given                         exit 2
    ├── Interrupted            a run was stopped on request after a clean drain         exit 130
    ├── Paused                 the run can go on later; no row was failed for it        exit 75
    │   ├── CredentialsRefused     the tenant does not accept who we are
    │   ├── AccessDenied           the tenant knows us and allows nothing
    │   └── TenantUnreachable      nobody answered at the tenant's address
    └── JournalError           the journal cannot be used                               exit 1
        └── JournalBusy            another process is working on it                     exit 75

Answers that a tenant is expected to give (404, 409, 429, ...) are values, not errors: see
`aftercall.domain.outcome`.
"""


class AftercallError(Exception):
    """Something that the user can act on.

    Args:
        message: what happened, in one sentence, with no secret and no personal data.
        fix: what to do about it.
        next_command: what to type next, if one command helps.
    """

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "", next_command: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.next_command = next_command


class ConfigInvalid(AftercallError):
    """The configuration file, a flag or the environment is wrong. Nothing was sent."""

    exit_code = 78


class SourceUnreadable(AftercallError):
    """An input as a whole cannot be read: it is absent, a directory, or lacks a column."""

    exit_code = 2


class Interrupted(AftercallError):
    """The user or the system asked to stop; what was under way has been finished."""

    exit_code = 130


class Paused(AftercallError):
    """Work stopped with rows still open. Nothing is lost; `aftercall resume` goes on."""

    exit_code = 75


class CredentialsRefused(Paused):
    """The token endpoint or the tenant refused the credentials."""


class AccessDenied(Paused):
    """The credentials are valid but allow none of what is asked (a scope is missing)."""


class TenantUnreachable(Paused):
    """The tenant's address does not resolve, does not answer, or answers nonsense."""


class JournalError(AftercallError):
    """The journal cannot be read or written."""


class JournalBusy(JournalError):
    """Another process holds the journal. Two processes never work on one file."""

    exit_code = 75
