"""What the sealer seals, and what becomes of keys."""

import asyncio
import json

import pytest

from aftercall.adapters.signing import Ed25519Signer
from aftercall.domain.acts import Act, ClockStep, Deed, Scope
from aftercall.domain.note import UNSIGNED_ORIGIN, Checkpoint, Note
from aftercall.engine.sealing import Sealer
from aftercall.engine.watched_clock import WatchedClock
from aftercall.errors import ConfigInvalid, JournalError
from tests.contract.rig import broken

from .rig import NAME, Clock, Copy, Desk, desk, trust


async def test_without_a_key_the_tree_is_built_and_not_signed(bench: Desk) -> None:
    bench.signer = None
    await bench.small()
    found = Copy(bench.path, trust()).verified()
    assert (found.entries, found.signed, found.checkpoints) == (5, 0, 4)
    assert found.latest is not None
    assert found.latest.origin == UNSIGNED_ORIGIN
    assert found.keys == []


async def test_a_key_that_comes_later_signs_what_was_there_before(
    bench: Desk, signer: Ed25519Signer
) -> None:
    bench.signer = None
    await bench.small()
    bench.signer = signer
    await bench.sealer.seal()
    found = Copy(bench.path, trust(signer.key)).verified()
    assert (found.entries, found.signed, found.checkpoints) == (6, 1, 5)
    assert found.keys == [signer.key]


async def test_a_key_is_introduced_once(bench: Desk, signer: Ed25519Signer) -> None:
    for _ in range(3):
        await bench.sealer.seal()
    ((_, act),) = bench.journal.audit.acts()
    assert (act["kind"], act["details"]) == ("key_added", {"key": signer.key.text})


async def test_a_log_that_stays_unsigned_though_there_is_a_key_does_not_fit(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    bench.signer = None
    await bench.settle("P9")
    await bench.sealer.seal()
    assert "is not signed" in str(Copy(bench.path, trust(signer.key)).misfit())
    assert "is not signed" in str(Copy(bench.path, trust()).misfit())
    bench.signer = signer
    await bench.settle("P10")
    await bench.sealer.seal()
    assert Copy(bench.path, trust(signer.key)).misfit() is None


async def rotated(bench: Desk, old: Ed25519Signer) -> Ed25519Signer:
    new = Ed25519Signer.generate(NAME)
    details = {"from": old.key.text, "key": new.key.text}
    await bench.sealer.record(Deed(Act.KEY_ROTATED, details=details), old, new)
    bench.signer = new
    await bench.settle("P9")
    await bench.sealer.seal()
    return new


async def test_a_rotation_is_signed_by_both_and_each_leads_to_the_other(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    new = await rotated(bench, signer)
    for key in (signer.key, new.key):
        found = Copy(bench.path, trust(key)).verified()
        assert found.keys == [signer.key, new.key]
    *_, rotation, _ = bench.journal.audit.checkpoints()
    assert len(Note.parse(rotation.note).signatures) == 2
    stranger = Ed25519Signer.generate(NAME)
    assert "nothing leads to" in str(Copy(bench.path, trust(stranger.key)).misfit())


async def test_a_key_that_the_old_one_did_not_sign_is_not_trusted(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    new = Ed25519Signer.generate(NAME)
    details = {"from": signer.key.text, "key": new.key.text}
    await bench.sealer.record(Deed(Act.KEY_ROTATED, details=details), new)
    assert "nothing leads to" in str(Copy(bench.path, trust(signer.key)).misfit())
    assert "nothing leads to" in str(Copy(bench.path, trust(new.key)).misfit())
    assert Copy(bench.path, trust(signer.key, new.key)).misfit() is None


async def test_a_key_that_was_replaced_seals_no_more(bench: Desk, signer: Ed25519Signer) -> None:
    await bench.small()
    await rotated(bench, signer)
    bench.signer = signer
    with pytest.raises(ConfigInvalid, match="was replaced"):
        await bench.sealer.seal()


async def test_it_seals_regularly_and_once_more_at_the_end(bench: Desk) -> None:
    await bench.settle("P1")
    done = asyncio.Event()
    running = asyncio.create_task(bench.sealer.run(done))
    async with asyncio.timeout(20):
        while not bench.journal.audit.sealed():  # noqa: ASYNC110 - it is read, as others read it
            await asyncio.sleep(0.001)
    await bench.settle("P2")
    done.set()
    await running
    assert bench.journal.audit.sealed() == 3


async def test_two_sealers_at_once_seal_everything_once(bench: Desk, signer: Ed25519Signer) -> None:
    await bench.rig.admit(*(broken(contact=f"P{number}") for number in range(600)))
    sealers = [bench.sealer for _ in range(2)]
    await asyncio.gather(*(sealer.seal() for sealer in sealers))
    found = Copy(bench.path, trust(signer.key)).verified()
    assert found.unsealed == 0


async def test_a_damaged_tree_is_not_grown(bench: Desk) -> None:
    await bench.small()
    await bench.journal.audit._writer.run(lambda db: db.execute("DELETE FROM audit_tile"))
    await bench.settle("P9")
    with pytest.raises(JournalError, match="damaged") as refusal:
        await bench.sealer.seal()
    assert refusal.value.next_command == "aftercall audit verify"


async def test_an_entry_that_is_missing_is_not_sealed_over(bench: Desk) -> None:
    await bench.small()
    await bench.settle("P9")
    await bench.settle("P10")
    await bench.journal.audit._writer.run(
        lambda db: db.execute("DELETE FROM audit WHERE contact = 'P9'")
    )
    with pytest.raises(JournalError, match="not in the journal any more"):
        await bench.sealer.seal()


async def test_a_checkpoint_says_when_and_how_many(bench: Desk) -> None:
    await bench.small()
    stored = list(bench.journal.audit.checkpoints())
    checkpoints = [Checkpoint.parse(Note.parse(one.note).text) for one in stored]
    assert [one.size for one in checkpoints] == [1, 2, 4, 5, 6]
    assert [one.at_ms - checkpoints[0].at_ms for one in checkpoints] == [0, 0, 5000, 10_000, 15_000]
    assert {one.origin for one in checkpoints} == {NAME}
    assert json.loads(bench.journal.audit.texts(0, 1)[0])["kind"] == "key_added"


HOUR = 3_600_000


async def test_a_clock_that_was_set_back_is_told_and_the_trail_still_fits(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    before = bench.clock.now_ms
    bench.clock.now_ms += 5000
    await bench.settle("P7")  # Not sealed yet when the clock is set.
    bench.clock.now_ms = before - HOUR
    await bench.settle("P8")
    bench.clock.now_ms += 5000
    await bench.sealer.seal()
    await bench.settle("P9")
    await bench.sealer.seal()
    copy = Copy(bench.path, trust(signer.key))
    (step,) = copy.verified().steps
    assert (step.from_ms, step.to_ms) == (before + 5000, before - HOUR)
    *_, (_, act) = bench.journal.audit.acts()
    assert (act["kind"], act["details"]) == ("clock_set", step.details)


async def test_a_clock_that_is_set_back_before_anything_was_sealed_is_told_by_who_saw_it(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    bench.clock.now_ms += 24 * HOUR
    sealer = bench.sealer
    await sealer.seal()
    await bench.settle("P7")
    bench.clock.now_ms -= HOUR
    await bench.settle("P8")
    await sealer.seal()
    (step,) = Copy(bench.path, trust(signer.key)).verified().steps
    assert step.from_ms - step.to_ms == HOUR


async def test_a_clock_that_only_a_process_saw_which_died_before_it_sealed_is_told_by_the_next(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    bench.clock.now_ms += 24 * HOUR
    await bench.settle("P7")
    bench.clock.now_ms -= HOUR
    await bench.sealer.seal()
    bench.clock.now_ms += 5000
    await bench.settle("P8")
    await bench.sealer.seal()
    (step,) = Copy(bench.path, trust(signer.key)).verified().steps
    assert step.from_ms - step.to_ms == HOUR


async def test_how_early_it_was_after_the_step_is_told_although_who_saw_it_died(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    bench.clock.now_ms -= HOUR
    await bench.settle("P7")
    bench.clock.now_ms += 5 * 60_000
    await bench.sealer.seal()
    (step,) = Copy(bench.path, trust(signer.key)).verified().steps
    assert step.to_ms == bench.clock.now_ms - 5 * 60_000


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_wrong_for_a_moment_between_two_seals_is_told(
    bench: Desk, signer: Ed25519Signer, hours: int
) -> None:
    await bench.small()
    clock = WatchedClock(bench.clock)
    sealer = Sealer(bench.journal.audit, signer, clock)
    await sealer.seal()
    bench.clock.now_ms += hours * HOUR
    await bench.settle("P7")
    clock.now_us()  # As whoever settles does.
    bench.clock.now_ms += 1000 - hours * HOUR
    await sealer.seal()
    await bench.settle("P8")
    await sealer.seal()
    (step,) = Copy(bench.path, trust(signer.key)).verified().steps
    assert HOUR - 1000 <= step.from_ms - step.to_ms <= HOUR + 1000


async def test_a_clock_that_is_set_back_again_while_that_is_recorded_is_told_twice() -> None:
    inner = Clock()
    clock = WatchedClock(inner)
    clock.now_us()
    inner.now_ms -= HOUR
    first = clock.step_since(0)
    inner.now_ms -= HOUR
    clock.now_us()
    clock.recorded()
    second = clock.step_since(0)
    assert first is not None
    assert second is not None
    assert first.to_ms - second.to_ms == HOUR
    clock.recorded()
    assert clock.step_since(0) is None


async def test_an_act_behind_a_clock_that_was_set_back_does_not_look_back_dated(
    bench: Desk, signer: Ed25519Signer
) -> None:
    await bench.small()
    bench.clock.now_ms -= HOUR
    await bench.sealer.record(Deed(Act.ERASED, Scope("P9"), "ticket 12"))
    assert len(Copy(bench.path, trust(signer.key)).verified().steps) == 1
    assert [act["kind"] for _, act in bench.journal.audit.acts()][-2:] == ["clock_set", "erased"]
    bench.clock.now_ms += 5000
    await bench.settle("P10")
    await bench.sealer.seal()
    assert len(Copy(bench.path, trust(signer.key)).verified().steps) == 1


async def test_a_key_that_comes_after_a_step_back_signs_nothing_before_itself(
    bench: Desk, signer: Ed25519Signer
) -> None:
    bench.signer = None
    await bench.small()
    bench.clock.now_ms -= HOUR
    bench.signer = signer
    await bench.sealer.seal()
    found = Copy(bench.path, trust(signer.key)).verified()
    assert (len(found.steps), found.signed) == (1, 1)


async def test_an_act_excuses_no_more_than_it_says_and_only_where_it_stands(
    bench: Desk, signer: Ed25519Signer
) -> None:
    """Whoever has the key can say that the clock was set back, but not hide that they did."""
    await bench.small()
    bench.clock.now_ms += 60_000
    now = bench.clock.now_ms
    step = ClockStep(now, now - HOUR)
    assert [step.covers(now + 60_000), step.covers(now - HOUR - 60_000)] == [True, True]
    assert [step.covers(now + 60_001), step.covers(now - HOUR - 60_001)] == [False, False]
    for details, entry_ms in (
        (ClockStep(now, now - HOUR).details, now - 2 * HOUR),
        (ClockStep(now - 2 * HOUR, now - 3 * HOUR).details, now - HOUR),
        ({"from": "then", "to": "now"}, now),
    ):
        path = bench.path.with_name(f"{entry_ms}.db")
        Copy(bench.path, trust()).do("VACUUM INTO ?", str(path))
        with desk(path, signer) as forged:
            forged.sources.update(bench.sources)
            forged.clock.now_ms = entry_ms
            await forged.settle("P9")
            forged.clock.now_ms = now
            deed = Deed(Act.CLOCK_SET, details=details)
            await forged.sealer.record(deed)
            assert Copy(path, trust(signer.key)).misfit() is not None
