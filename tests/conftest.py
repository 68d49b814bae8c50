"""Options that all tests share."""

import pytest
from hypothesis import settings

# The same examples each time, and no limit on how long one may take: a busy machine must not
# decide what passes. The long runs (`--soak`) look for new examples.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)

SOAK_FACTOR = 50
"""How much longer the long tests are with ``--soak``, unless ``--soak-factor`` says otherwise."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak", action="store_true", help="run the long tests many times as long (hours)"
    )
    parser.addoption(
        "--soak-factor", type=int, default=SOAK_FACTOR, help="how many times as long, with --soak"
    )


@pytest.fixture(scope="session")
def soak_factor(request: pytest.FixtureRequest) -> int:
    """How many times the usual work a long test is to do."""
    option = request.config.getoption
    return int(option("--soak-factor")) if option("--soak") else 1


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("searching" if config.getoption("--soak") else "repeatable")
