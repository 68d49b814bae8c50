"""What the tests of the installed command share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .rig import Desk, Tenant, simulated


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    """A simulator without a limit."""
    with simulated("--rate", "0") as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A directory without a configuration."""
    return Desk(tmp_path)


@pytest.fixture
def office(tenant: Tenant, desk: Desk) -> Desk:
    """A directory with a configuration for the simulator."""
    desk.configure(tenant.url)
    return desk
