"""The whole contract of a journal.

An implementation is held to it by one class with one fixture::

    class TestPostgresJournal(JournalContract):
        @pytest.fixture
        def store(self) -> Store: ...
"""

from .archive_contract import ArchiveContract
from .audit_contract import AuditContract
from .claims_contract import ClaimsContract
from .follow_ups_contract import FollowUpsContract
from .intake_contract import IntakeContract
from .opt_outs_contract import AcknowledgementsContract, CallRecordsContract, OptOutsContract
from .outbox_contract import OutboxContract
from .pacing_contract import PacingContract
from .recovery_contract import RecoveryContract
from .settle_contract import SettleContract


class JournalContract(
    IntakeContract,
    ClaimsContract,
    SettleContract,
    RecoveryContract,
    PacingContract,
    OutboxContract,
    ArchiveContract,
    AuditContract,
    OptOutsContract,
    AcknowledgementsContract,
    CallRecordsContract,
    FollowUpsContract,
):
    """Everything that a journal promises through its ports."""
