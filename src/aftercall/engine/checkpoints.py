"""Checking a log's checkpoints: their signatures, their keys, and the tree that they speak of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from aftercall.domain import instant
from aftercall.domain.acts import CLOCK_TOLERANCE_MS, ClockStep
from aftercall.domain.note import UNSIGNED_ORIGIN, Checkpoint, Note, VerifierKey, Verify
from aftercall.domain.tiles import TreeBuilder
from aftercall.ports.audit import StoredCheckpoint, StoredEntry


class Misfit(ValueError):
    """Something in the log does not fit. Its text says what is the first thing."""


@dataclass(slots=True)
class Verified:
    """What was found in order.

    Attributes:
        entries: entries whose texts are there and fit.
        expired: entries of which the hash alone is left, as an entry of the log says.
        erased: entries whose personal data was erased, as an entry of the log says.
        opened: entries whose personal data is there and is what they committed to.
        unsealed: entries behind the newest checkpoint.
        checkpoints: how many there are.
        signed: how many of them are signed.
        pinned: how many checkpoints that were kept elsewhere fit.
        latest: the newest checkpoint.
        steps: where the clock was set back, as entries of the log say.
        keys: the keys that signed, in the order of their first signature.
    """

    entries: int = 0
    expired: int = 0
    erased: int = 0
    opened: int = 0
    unsealed: int = 0
    checkpoints: int = 0
    signed: int = 0
    pinned: int = 0
    latest: Checkpoint | None = None
    keys: list[VerifierKey] = field(default_factory=list)
    steps: list[ClockStep] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known from elsewhere.

    Attributes:
        keys: public keys that are trusted; the log's own, if there are none.
        pinned: checkpoints that were kept elsewhere, oldest first.
        verify: checks a signature.
    """

    keys: Sequence[VerifierKey]
    pinned: Sequence[Note]
    verify: Verify


class Checkpoints:
    """The stored checkpoints and those kept elsewhere, met one by one as the tree grows."""

    def __init__(self, stored: Iterator[StoredCheckpoint], trust: Trust, found: Verified) -> None:
        self._stored = stored
        self._next = next(stored, None)
        self._trust = trust
        self._found = found
        self._pinned = [(note, _parsed(note, "that was given")) for note in trust.pinned]
        self._pinned.sort(key=lambda pin: pin[1].size)
        self._known = {key.text: key for key in trust.keys}
        self._in_force: str | None = None
        self._signed_by: dict[str, int] = {}
        self._links: list[tuple[str, str]] = []
        self._rotations: dict[int, tuple[str, str]] = {}
        self._steps: dict[int, ClockStep] = {}
        self._odd: tuple[str, list[int]] = ("", [])
        self._before_ms: int | None = None
        self._last: Note | None = None

    def learn(self, leaf: int, key: str, replaced: object) -> None:
        """Note a key that an entry introduces."""
        try:
            self._known.setdefault(key, VerifierKey.parse(key))
        except ValueError:
            message = f"Entry {leaf} introduces a key that is none."
            raise Misfit(message) from None
        self._in_force = key
        if isinstance(replaced, str):
            self._rotations[leaf + 1] = (replaced, key)

    def step_back(self, leaf: int, step: ClockStep | None) -> None:
        """Note that the clock was set back; only the last entry under a checkpoint can say so."""
        if step is None:
            message = f"Entry {leaf} says that the clock was set back, but not from when to when."
            raise Misfit(message)
        self._steps[leaf + 1] = step

    def check_time(self, entry: StoredEntry) -> None:
        """Check that an entry's time lies between those of the checkpoints around it.

        Where it does not, the checkpoint over it has to cover an entry that says why.
        """
        before, after = self._before_ms, self._next
        early = before is not None and entry.at_ms < before - CLOCK_TOLERANCE_MS
        late = after is not None and entry.at_ms > after.at_ms + CLOCK_TOLERANCE_MS
        if early or late:
            when = instant.text(before or 0) if early else instant.text(after.at_ms if after else 0)
            side = "came in after" if early else "was sealed at"
            message = (
                f"{entry.name} says {instant.text(entry.at_ms)}, but {side} {when}:"
                " its time was changed, or a clock was set and nothing says so."
            )
            if after is None:
                raise Misfit(f"{message} If it was, aftercall audit seal records that.")
            first, times = self._odd
            times = [*times, entry.at_ms]
            self._odd = first or message, [min(times), max(times)]

    def meet(self, tree: TreeBuilder) -> None:
        """Check the checkpoints of the tree as it is now."""
        while self._next is not None and self._next.size <= tree.size:
            self._check(self._next, tree)
            self._next = next(self._stored, None)
        while self._pinned and self._pinned[0][1].size == tree.size:
            note, kept = self._pinned.pop(0)
            self._signers(note, kept, "that was given")
            if kept.root != tree.root():
                message = f"The log did not begin like this when it had {kept.size} entries:"
                raise Misfit(f"{message} the checkpoint that was given has another root.")
            self._found.pinned += 1

    def end(self) -> None:
        """Check what only shows when all was read."""
        if self._next is not None:
            message = f"Checkpoint {self._next.number} has more entries than the newest one."
            raise Misfit(message)
        if self._pinned:
            size = self._pinned[0][1].size
            sealed = 0 if self._found.latest is None else self._found.latest.size
            message = (
                f"The checkpoint that was given has {size} entries, the log only {sealed}:"
                " its end was cut off."
            )
            raise Misfit(message)
        trusted = self._trusted()
        for key, number in self._signed_by.items():
            if key not in trusted:
                message = f"Checkpoint {number} is signed by {key}, which nothing leads to from"
                raise Misfit(f"{message} the key that is trusted.")
        if (
            self._last is not None
            and not self._last.signatures
            and (self._trust.keys or self._in_force)
        ):
            raise Misfit("The newest checkpoint is not signed, though there is a key.")

    def _trusted(self) -> set[str]:
        """Return the keys that are trusted, or that rotations lead to from there."""
        trusted = {key.text for key in self._trust.keys} or set(self._known)
        while more := {
            one
            for link in self._links
            for one in link
            if not trusted.isdisjoint(link) and one not in trusted
        }:
            trusted |= more
        return trusted

    def _check(self, stored: StoredCheckpoint, tree: TreeBuilder) -> None:
        which = f"{stored.number}"
        if stored.number != self._found.checkpoints + 1:
            message = f"Checkpoint {self._found.checkpoints + 1} is missing."
            raise Misfit(message)
        try:
            note = Note.parse(stored.note)
        except ValueError as trouble:
            message = f"Checkpoint {which} was changed: {trouble}."
            raise Misfit(message) from None
        checkpoint = _parsed(note, which)
        if (checkpoint.size, checkpoint.at_ms) != (stored.size, stored.at_ms):
            message = f"Checkpoint {which} is stored under another size or time than it says."
            raise Misfit(message)
        if stored.size != tree.size:
            message = f"Checkpoint {which} has fewer entries than the one before it."
            raise Misfit(message)
        signers = self._signers(note, checkpoint, which)
        if checkpoint.root != tree.root():
            message = (
                f"Checkpoint {which} does not fit: the first {stored.size} entries have another"
                " root."
            )
            raise Misfit(message)
        self._check_order(stored)
        for key in signers:
            self._signed_by.setdefault(key.text, stored.number)
            if key not in self._found.keys:
                self._found.keys.append(key)
        link = self._rotations.get(stored.size)
        if link is not None and set(link) <= {key.text for key in signers}:
            self._links.append(link)
        self._before_ms, self._last = stored.at_ms, note
        self._found.checkpoints += 1
        self._found.signed += bool(signers)
        self._found.latest = checkpoint

    def _check_order(self, stored: StoredCheckpoint) -> None:
        """Check that time went on, or that an entry says that it did not."""
        step = self._steps.pop(stored.size, None)
        first, times = self._odd
        before = self._before_ms
        if before is not None and stored.at_ms < before - CLOCK_TOLERANCE_MS:
            first = first or f"Checkpoint {stored.number} is older than the one before it."
            times = [*times, before, stored.at_ms]
        if times and not (step is not None and all(map(step.covers, times))):
            raise Misfit(first)
        if step is not None:
            self._found.steps.append(step)
        self._odd = "", []

    def _signers(self, note: Note, checkpoint: Checkpoint, which: str) -> list[VerifierKey]:
        try:
            signers = note.signers(list(self._known.values()), self._trust.verify)
        except ValueError as trouble:
            message = f"Checkpoint {which} cannot be trusted: {trouble}."
            raise Misfit(message) from None
        names = {key.name for key in signers} or {UNSIGNED_ORIGIN}
        if names != {checkpoint.origin}:
            message = f"Checkpoint {which} is of a log of another name than its signature."
            raise Misfit(message)
        return signers


def _parsed(note: Note, which: str) -> Checkpoint:
    try:
        return Checkpoint.parse(note.text)
    except ValueError as trouble:
        message = f"Checkpoint {which} was changed: {trouble}."
        raise Misfit(message) from None
