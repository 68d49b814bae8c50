"""What all fault tests share."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from .rig import Rig, rigged

Rigged = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
def rig_with(tmp_path: Path) -> Rigged:
    """Start a simulator with given settings, and a journal in a directory of its own."""

    def start(**settings: Any) -> AbstractAsyncContextManager[Rig]:
        return rigged(tmp_path, **settings)

    return start


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A tenant that does what it is asked."""
    async with rigged(tmp_path) as made:
        yield made
