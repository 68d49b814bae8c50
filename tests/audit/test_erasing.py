"""What was erased is in none of the journal's files, even while it is open."""

from pathlib import Path

from aftercall.domain.acts import Act, Deed, Scope

from .rig import Copy, Desk, trust

PRIVATE = "Zoë said call 0555-1234"


def files_with(path: Path, words: str) -> set[str]:
    files = path.parent.glob(f"{path.name}*")
    return {file.name for file in files if words.encode() in file.read_bytes()}


async def test_the_write_ahead_log_is_emptied(bench: Desk) -> None:
    for number in range(20):
        await bench.settle(f"P{number}", notes=f"{PRIVATE} {number}" * (number + 1) ** 2)
    assert "journal.db-wal" in files_with(bench.path, PRIVATE)
    for number in range(20):
        deed = Deed(Act.ERASED, Scope(f"P{number}"), "ticket 12")
        await bench.journal.keeping.erase(deed, bench.clock.now_ms)
    assert files_with(bench.path, PRIVATE) == set()


async def test_an_erased_person_leaves_a_trail_that_fits(bench: Desk) -> None:
    await bench.small()
    assert bench.signer is not None
    released = Deed(Act.HOLD_RELEASED, Scope("P1"), "settled", details={"hold": 5})
    await bench.sealer.record(released)
    deed = Deed(Act.ERASED, Scope("P1"), "ticket 12")
    await bench.journal.keeping.erase(deed, bench.clock.now_ms)
    await bench.sealer.seal()
    found = Copy(bench.path, trust(bench.signer.key)).verified()
    assert (found.erased, found.opened) == (1, 2)


async def test_an_erasure_that_is_not_sealed_yet_leaves_a_trail_that_fits(bench: Desk) -> None:
    await bench.settle("P1", notes=PRIVATE)
    await bench.sealer.seal()
    await bench.journal.keeping.erase(
        Deed(Act.ERASED, Scope("P1"), "ticket 12"), bench.clock.now_ms
    )
    assert bench.signer is not None
    found = Copy(bench.path, trust(bench.signer.key)).verified()
    assert (found.erased, found.unsealed) == (1, 1)


async def test_an_expiry_that_is_not_sealed_yet_leaves_a_trail_that_fits(bench: Desk) -> None:
    await bench.settle("P1", notes=PRIVATE)
    await bench.sealer.seal()
    deed = Deed(Act.EXPIRED, details={"retain_days": 0})
    assert await bench.journal.keeping.expire(deed, bench.clock.now_ms + 1, bench.clock.now_ms)
    assert bench.signer is not None
    copy = Copy(bench.path, trust(bench.signer.key))
    found = copy.verified()
    assert (found.expired, found.unsealed) == (1, 1)
    copy.do("UPDATE audit SET entry = replace(entry, 'leaves', 'leafs') WHERE number = 3")
    assert copy.misfit() == "Entry 2 does not say what expired: it was changed."
