"""The audit trail put together: its key, its sealer, and what is taken out of it."""

import os
import pwd
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.signing import Ed25519Signer, load_signer, verify, write_key
from aftercall.domain.acts import Act, Deed, Hold, Scope, holds, key_in_force
from aftercall.domain.note import Note, VerifierKey
from aftercall.engine.checkpoints import Trust
from aftercall.engine.sealing import Sealer
from aftercall.engine.watched_clock import WatchedClock
from aftercall.errors import AftercallError, ConfigInvalid, JournalError
from aftercall.ports.audit import PersonalData
from aftercall.settings import Settings
from aftercall.wiring.results import rewrite_results

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    Attributes:
        found: what there was.
        rewritten: result files that were written anew, without it.
        failed: result files for which that failed, and why.
    """

    found: PersonalData
    rewritten: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Trail:
    """The audit trail of a journal that this process has opened for work."""

    def __init__(self, settings: Settings, journal: SqliteJournal, sealer: Sealer) -> None:
        self._settings = settings
        self._journal = journal
        self._sealer = sealer
        self._clock = SystemClock()

    async def seal(self) -> int:
        """Seal what is not sealed yet; return how many entries that were."""
        return await self._sealer.seal()

    async def replace_key(self, old: Ed25519Signer, new: Ed25519Signer) -> None:
        """Record that a new key follows an old one, under a checkpoint that both sign."""
        await self._sealer.seal()
        details = {"from": old.key.text, "key": new.key.text}
        await self._sealer.record(Deed(Act.KEY_ROTATED, by=account(), details=details), old, new)

    def key_in_force(self) -> str | None:
        """Return the text of the public key that the log is signed with."""
        return key_in_force(self._journal.audit.acts())

    def holds(self) -> list[Hold]:
        """Return the holds in force."""
        return holds(self._journal.audit.acts())

    async def hold(self, scope: Scope, reason: str) -> Hold:
        """Place a legal hold."""
        await self._sealer.seal()
        await self._sealer.record(Deed(Act.HOLD_PLACED, scope, reason, account()))
        return self.holds()[-1]

    async def release(self, number: int, reason: str) -> Hold:
        """Release a hold.

        Raises:
            JournalError: there is none of that number.
        """
        found = next((hold for hold in self.holds() if hold.number == number), None)
        if found is None:
            message = f"There is no hold {number} in force."
            fix = "Choose one of those listed."
            raise JournalError(message, fix=fix, next_command="aftercall audit hold list")
        await self._sealer.seal()
        details = {"hold": number}
        deed = Deed(Act.HOLD_RELEASED, found.scope, reason, account(), details)
        await self._sealer.record(deed)
        return found

    def held_of(self, scope: Scope) -> PersonalData:
        """Say what there is of a person."""
        return self._journal.keeping.held_of(scope)

    async def erase(self, scope: Scope, reason: str) -> Erased:
        """Erase a person's data, in the journal and in the result files that it knows of.

        Raises:
            JournalError: rows are open, or the data is held.
        """
        deed = Deed(Act.ERASED, scope, reason, account())
        found = await self._journal.keeping.erase(deed, self._now_ms())
        await self._sealer.seal()
        rewritten: list[str] = []
        failed: list[str] = []
        for directory, run in found.results:
            try:
                rewritten += rewrite_results(self._settings, run, Path(directory))
            except (AftercallError, OSError) as trouble:
                failed.append(f"{directory} (run {run}): {trouble}")
        return Erased(found, tuple(rewritten), tuple(failed))

    async def expirable(self, days: int) -> int:
        """Count the entries that `expire` would take out."""
        return self._journal.keeping.expirable(self._now_ms() - days * DAY_MS)

    async def expire(self, days: int) -> int:
        """Take out entries that are older than some days; return how many."""
        await self._sealer.seal()
        now_ms = self._now_ms()
        deed = Deed(Act.EXPIRED, Scope(), "", account(), {"retain_days": days})
        taken = await self._journal.keeping.expire(deed, now_ms - days * DAY_MS, now_ms)
        await self._sealer.seal()
        return taken

    def _now_ms(self) -> int:
        return self._clock.now_us() // 1000


@asynccontextmanager
async def open_trail(settings: Settings) -> AsyncIterator[Trail]:
    """Open the audit trail for work.

    Raises:
        ConfigInvalid: the key cannot be used.
        JournalError: there is no journal, it cannot be opened, or a run works on it.
    """
    path = settings.journal.path
    if not path.is_file():
        message = f"There is no journal at {path}."
        fix = "Run a sync first, or say where the journal is with --journal."
        raise JournalError(message, fix=fix, next_command="aftercall sync calls.csv")
    signer = load_signer(settings.audit.key_file)
    journal = SqliteJournal(path)
    try:
        yield Trail(settings, journal, Sealer(journal.audit, signer, WatchedClock(SystemClock())))
    finally:
        journal.close()


async def make_key(settings: Settings, name: str) -> VerifierKey:
    """Make a key where the configuration says, and seal with it if there is a journal.

    Raises:
        AftercallError: there is a key already, or it cannot be written.
        ValueError: the name is none.
    """
    signer = Ed25519Signer.generate(name)
    write_key(settings.audit.key_file, signer)
    if settings.journal.path.is_file():
        async with open_trail(settings) as trail:
            await trail.seal()
    return signer.key


async def rotate_key(settings: Settings) -> VerifierKey:
    """Put a new key in the place of the old one; the journal records that, signed by both.

    An attempt that was broken off is finished.

    Raises:
        AftercallError: there is no key, or the new one cannot be written.
        JournalError: the journal cannot be opened.
    """
    path = settings.audit.key_file
    fresh_path = path.with_name(f"{path.name}.new")
    old = load_signer(path)
    if old is None:
        message = f"There is no key {path} that could be replaced."
        raise AftercallError(message, fix="Make one.", next_command="aftercall audit keygen")
    if not settings.journal.path.is_file():
        message = f"There is no journal at {settings.journal.path} to record the new key in."
        raise AftercallError(message, fix="Say where it is with --journal, or remove the key file.")
    async with open_trail(settings) as trail:
        in_force = trail.key_in_force()
        # While the log knows the old key alone, a new one was never used, whatever is in its file.
        fresh = None if in_force in {None, old.key.text} else load_signer(fresh_path)
        if fresh is None or in_force != fresh.key.text:
            with suppress(FileNotFoundError):
                fresh_path.unlink()
            fresh = Ed25519Signer.generate(old.key.name)
            write_key(fresh_path, fresh)
            await trail.replace_key(old, fresh)
        fresh_path.replace(path)
    return fresh.key


def trust_of(key_file: Path | None, keys: Sequence[str], pinned: Sequence[Note]) -> Trust:
    """Return what an audit is checked against: keys that are given, else the configured one's.

    Raises:
        ConfigInvalid: a key is none.
    """
    given: list[VerifierKey] = []
    for text in keys:
        try:
            given.append(VerifierKey.parse(text.strip()))
        except ValueError:
            message = f"{text!r} is no public key of an audit trail."
            fix = "Give the line that audit key prints."
            raise ConfigInvalid(message, fix=fix, next_command="aftercall audit key") from None
    if not given and key_file is not None and (signer := load_signer(key_file)) is not None:
        given.append(signer.key)
    return Trust(given, pinned, verify)


def account() -> str:
    """Return the name of the account that this process runs under."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
