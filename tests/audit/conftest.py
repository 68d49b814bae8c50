from collections.abc import Iterator
from pathlib import Path

import pytest

from aftercall.adapters.signing import Ed25519Signer

from .rig import NAME, Copy, Desk, desk, trust


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer.generate(NAME)


@pytest.fixture
def bench(tmp_path: Path, signer: Ed25519Signer) -> Iterator[Desk]:
    """An empty journal at work."""
    with desk(tmp_path / "journal.db", signer) as one:
        yield one


@pytest.fixture
async def small(bench: Desk, signer: Ed25519Signer) -> Copy:
    """A copy of a small trail."""
    await bench.small()
    return Copy(bench.path, trust(signer.key))
