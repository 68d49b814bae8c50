"""The sealer: it puts settled entries under the tree and signs what the log is then.

It works beside a run and never in its way: entries are read and hashed off the journal's writing
thread, some at a time, and what comes of it is stored in one short transaction. What a process
that died has left is sealed by the next one.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from aftercall.domain.acts import Act, ClockStep, Deed, act_entry, key_in_force
from aftercall.domain.commitment import canonical_json
from aftercall.domain.merkle import leaf_hash, root
from aftercall.domain.note import UNSIGNED_ORIGIN, Checkpoint, Note, Signature
from aftercall.domain.tiles import TileKey, grown, subtrees
from aftercall.engine.watched_clock import WatchedClock
from aftercall.errors import ConfigInvalid, JournalError
from aftercall.ports.audit import AuditLog, Seal, Signer

SEAL_SECONDS = 5.0
"""How often a run seals what was settled meanwhile."""

SLICE = 256
"""Entries that are hashed in one go: some two milliseconds, for which requests can wait."""


class Sealer:
    """Seals the entries of one journal; `signer` is None as long as there is no key."""

    def __init__(self, log: AuditLog, signer: Signer | None, clock: WatchedClock) -> None:
        self._log = log
        self._signer = signer
        self._clock = clock
        self._known = False

    async def run(self, done: asyncio.Event) -> None:
        """Seal regularly, and once more when all is done."""
        last = False
        while not last:
            last = done.is_set()
            await self.seal()
            if not last:
                # Not `wait_for`: before Python 3.12 it can lose a cancellation.
                with suppress(TimeoutError):
                    async with asyncio.timeout(SEAL_SECONDS):
                        await done.wait()

    async def seal(self) -> int:
        """Seal all entries that are there and not sealed yet; return how many they were.

        Raises:
            ConfigInvalid: the key was replaced by another one, which is to be used.
            JournalError: the journal could not be read or written.
        """
        await self._introduce()
        return await self._seal_what_is_there(self._signers())

    async def record(self, deed: Deed, *signers: Signer) -> None:
        """Seal what there is, then an act as the entry behind it, under a checkpoint of its own.

        Args:
            deed: the act.
            signers: who signs that; the log's own signer unless it is said.
        """
        # A key that the log does not know yet signs nothing before its own introduction.
        before = () if deed.act is Act.KEY_ADDED else self._signers()
        chosen = signers or self._signers()
        while True:
            await self._seal_what_is_there(before)
            now_ms = self._now_ms()
            sealed = await asyncio.to_thread(self._log.sealed)
            step = await self._step_back(sealed, sealed)
            # Where nothing was there to be sealed, that the clock was set back is told by itself.
            one = (deed, chosen) if step is None else (step, before)
            if await self._store_act(sealed, now_ms, *one) and step is None:
                return

    async def _store_act(
        self, sealed: int, now_ms: int, deed: Deed, signers: Sequence[Signer]
    ) -> bool:
        growth = _Growth(self._log, sealed)
        growth.add([canonical_json(act_entry(deed, now_ms)).encode()])
        done = await self._store(growth, (now_ms, signers), deed)
        if done:
            self._clock.recorded()
        return done

    async def _introduce(self) -> None:
        """Record the key as an entry if the log does not know it yet."""
        if self._known or self._signer is None:
            return
        acts = await asyncio.to_thread(self._log.acts)
        mine = self._signer.key.text
        if key_in_force(acts) != mine:
            before = [str(entry["details"].get("from")) for _, entry in acts if entry["details"]]
            if mine in before:
                message = "The audit key in the configured file was replaced by another one."
                fix = "Finish the replacement, or name the file with the new key."
                command = "aftercall audit keygen --rotate"
                raise ConfigInvalid(message, fix=fix, next_command=command)
            await self.record(Deed(Act.KEY_ADDED, details={"key": mine}))
        self._known = True

    async def _seal_what_is_there(self, signers: Sequence[Signer]) -> int:
        while True:
            # What comes after the time of a checkpoint is not under it, and what is came before.
            at_ms = self._now_ms()
            before = await asyncio.to_thread(self._log.sealed)
            size = await asyncio.to_thread(self._log.stored)
            growth = _Growth(self._log, before)
            for first in range(before, size, SLICE):
                await asyncio.to_thread(growth.take, min(SLICE, size - first))
            grown_by = growth.size - before
            if not grown_by:
                return 0
            deed = await self._step_back(before, size)
            if deed is not None:
                growth.add([canonical_json(act_entry(deed, at_ms)).encode()])
            if await self._store(growth, (at_ms, signers), deed):
                self._clock.recorded()
                return grown_by

    async def _step_back(self, first: int, last: int) -> Deed | None:
        """Return the act that says that the clock was set back, if it was since the last seal.

        It stands under the same checkpoint as the entries from around that time, so that whoever
        checks them knows why their times do not follow each other. That it was set back shows in
        what this process was told, and in the latest time at which any process stored or sealed
        something; what entries say is no evidence for it, since those that were back-dated are to
        be found. Where it is known, they tell how late it was before and how early after: whoever
        stored them may have died since.

        Args:
            first: the leaf of the first entry to seal.
            last: the leaf behind the last one.
        """
        step = self._clock.step_since(await asyncio.to_thread(self._log.clock_ms))
        if step is None:
            return None
        times = await asyncio.to_thread(self._log.times, first, last) or (step.to_ms, step.from_ms)
        widest = ClockStep(max(step.from_ms, times[1]), min(step.to_ms, times[0]))
        return Deed(Act.CLOCK_SET, details=widest.details)

    async def _store(
        self, growth: "_Growth", signed: tuple[int, Sequence[Signer]], deed: Deed | None
    ) -> bool:
        at_ms, signers = signed
        top = await asyncio.to_thread(growth.root)
        origin = signers[0].key.name if signers else UNSIGNED_ORIGIN
        text = Checkpoint(origin, growth.size, top, at_ms).text
        signatures = tuple(
            Signature(one.key.name, one.key.key_id, one.sign(text.encode())) for one in signers
        )
        note = str(Note(text, signatures))
        seal = Seal(growth.before, growth.size, at_ms, note, growth.tiles, deed)
        return await self._log.seal(seal)

    def _signers(self) -> Sequence[Signer]:
        return () if self._signer is None else (self._signer,)

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000


class _Growth:
    """The tiles that change while entries are put under the tree: 32 bytes an entry."""

    def __init__(self, log: AuditLog, before: int) -> None:
        self.before = self.size = before
        self.tiles: dict[TileKey, bytes] = {}
        self._log = log

    def take(self, entries: int) -> None:
        """Add the next entries of the log."""
        self.add(self._log.texts(self.size, entries))

    def add(self, texts: Sequence[bytes]) -> None:
        """Add entries.

        Raises:
            JournalError: the tree as it is kept is damaged.
        """
        hashes = [leaf_hash(text) for text in texts]
        with _telling_damage():
            self.tiles.update(grown(self.size, hashes, self._tile))
        self.size += len(hashes)

    def root(self) -> bytes:
        """Return the root of the grown tree.

        Raises:
            JournalError: the tree as it is kept is damaged.
        """
        with _telling_damage():
            return root(self.size, subtrees(self._tile))

    def _tile(self, level: int, place: int) -> bytes:
        return self.tiles.get((level, place)) or self._log.tile(level, place)


@contextmanager
def _telling_damage() -> Iterator[None]:
    try:
        yield
    except ValueError as trouble:
        message = f"The audit log's tree is damaged: {trouble}."
        fix = "See what is wrong with it; restore the journal from a backup."
        raise JournalError(message, fix=fix, next_command="aftercall audit verify") from None
