"""One behavioural suite per port, run against every implementation of it."""

import pytest

pytest.register_assert_rewrite(
    "contract.archive_contract",
    "contract.claims_contract",
    "contract.follow_ups_contract",
    "contract.intake_contract",
    "contract.outbox_contract",
    "contract.pacing_contract",
    "contract.recovery_contract",
    "contract.rig",
    "contract.settle_contract",
)
