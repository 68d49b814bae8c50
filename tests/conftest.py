"""Options that all tests share."""

import pytest

SOAK_FACTOR = 50
"""How much longer the long tests are with ``--soak``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak", action="store_true", help="run the long tests many times as long (hours)"
    )


@pytest.fixture(scope="session")
def soak_factor(request: pytest.FixtureRequest) -> int:
    """How many times the usual work a long test is to do."""
    return SOAK_FACTOR if request.config.getoption("--soak") else 1
