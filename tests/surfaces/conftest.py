"""What the tests of every surface share."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from .rig import SURFACES, SurfaceRig, on_surface

On = Callable[..., AbstractAsyncContextManager[SurfaceRig]]


@pytest.fixture(params=SURFACES)
def on(request: pytest.FixtureRequest, tmp_path: Path) -> On:
    """Start a tenant that speaks one of the languages."""

    def start(**settings: Any) -> AbstractAsyncContextManager[SurfaceRig]:
        return on_surface(request.param, tmp_path, **settings)

    return start
