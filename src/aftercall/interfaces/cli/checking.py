"""What checks and proves: audit verify, verify-bundle, prove, checkpoint and consistency."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer
from rich.text import Text

from aftercall.domain import instant
from aftercall.domain.acts import CLOCK_TOLERANCE_MS, keys_in
from aftercall.domain.bundle import (
    BundleBroken,
    BundleContent,
    BundleForeign,
    NoBundle,
    check_bundle,
)
from aftercall.domain.note import Checkpoint, Note, hash_text
from aftercall.engine.checkpoints import Misfit, Trust, Verified
from aftercall.engine.proving import compare, latest_checkpoint, prove_row
from aftercall.engine.verifying import verify_log
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.listings import journal_of
from aftercall.interfaces.cli.options import CONFIG, Place
from aftercall.interfaces.cli.runs import print_json, settings_for
from aftercall.interfaces.cli.terminal import plain, print_pieces, say, write_bytes
from aftercall.ports.audit import AuditArchive
from aftercall.wiring import open_audit, trust_of

CHECKPOINT_BYTES_MAX = 65_536

RESTORE = (
    "Compare with a backup; find out who could write to the journal, and keep it as it is for them."
)


def verify(place: Place, keys: Sequence[str], files: Sequence[Path], *, json: bool) -> int:
    """Check the whole trail and say what was found."""
    pinned = [read_note(file) for file in files]
    with place.kept_in_errors():
        trust = trust_of(_key_file(place), keys, pinned)
        with open_audit(journal_of(place)) as archive:
            try:
                found = _verified(archive, trust, given=bool(keys))
            except Misfit as misfit:
                if json:
                    print_json({"ok": False, "problem": str(misfit)})
                    return 1
                raise AftercallError(
                    f"The audit trail does not hold: {misfit}", fix=RESTORE
                ) from None
    if json:
        print_json(_as_json(found, trust))
        return 0
    print_pieces(_view(found, trust))
    for line in _advice(found, trust, place):
        say(line)
    return 0


def _verified(archive: AuditArchive, trust: Trust, *, given: bool) -> Verified:
    """Check a log, of which something is signed if a key was given."""
    found = verify_log(archive, trust)
    if given and not found.signed:
        message = "Nothing in it is signed, not by the key that was given either."
        raise Misfit(message)
    return found


def _key_file(place: Place) -> Path | None:
    """Return where the configured key is; a journal that is given needs no configuration."""
    if place.journal is not None and place.config == CONFIG and not CONFIG.exists():
        return None
    return settings_for(place).audit.key_file


def _view(found: Verified, trust: Trust) -> Iterator[Text]:
    sealed = 0 if found.latest is None else found.latest.size
    yield _line("entries", f"{count(found.entries, 'entry', 'entries')}, each as it was sealed")
    if found.expired:
        yield _line("", f"{found.expired:,} more expired; their hashes stand in the tree")
    if found.opened or found.erased:
        words = f"{found.opened:,} open their commitments, {found.erased:,} were erased"
        yield _line("personal", words)
    seconds = CLOCK_TOLERANCE_MS // 1000
    yield _line("times", f"each within {seconds} s of the checkpoints around it")
    for step in found.steps:
        back = f"from {instant.text(step.from_ms)} to {instant.text(step.to_ms)}"
        yield _line("", f"but where the clock was set back {back}, as an entry says")
    if found.latest is not None:
        yield _line("tree", f"{sealed:,} leaves, root {hash_text(found.latest.root)}")
        newest = instant.text(found.latest.at_ms)
        words = f"{found.checkpoints:,}, {found.signed:,} of them signed, the newest at {newest}"
        yield _line("checkpoints", words)
    for key in found.keys:
        trusted = "" if trust.keys else " (named by the journal itself)"
        yield _line("key", f"{plain(key.text)}{trusted}")
    if found.pinned:
        yield _line("kept", f"{count(found.pinned, 'checkpoint')} from elsewhere, and each fits")


def _line(name: str, words: str) -> Text:
    return Text(f"{'ok' if name else '':<4}{name:<12} {words}")


def _advice(found: Verified, trust: Trust, place: Place) -> Iterator[str]:
    if found.unsealed:
        yield ""
        yield f"note: {count(found.unsealed, 'entry', 'entries')} not sealed yet."
        yield f"next: {place.command('audit', 'seal')}"
    if not found.signed:
        yield ""
        yield (
            "warning: The trail is not signed: whoever can write to the journal could write all of"
            " it anew."
        )
        yield "fix: Make a key, and keep a checkpoint elsewhere from time to time."
        yield f"next: {place.command('audit', 'keygen')}"
    elif not trust.keys:
        yield ""
        yield (
            "warning: The key is the one that the journal itself names: nothing from elsewhere"
            " vouches for it."
        )
        yield "fix: Give the public key that you were handed, with --key."


def _as_json(found: Verified, trust: Trust) -> dict[str, object]:
    latest = found.latest
    return {
        "ok": True,
        "entries": found.entries,
        "expired": found.expired,
        "erased": found.erased,
        "opened": found.opened,
        "unsealed": found.unsealed,
        "checkpoints": found.checkpoints,
        "signed": found.signed,
        "pinned": found.pinned,
        "clock_set_back": [dict(step.details) for step in found.steps],
        "size": 0 if latest is None else latest.size,
        "root": None if latest is None else hash_text(latest.root),
        "sealed_at": None if latest is None else instant.text(latest.at_ms),
        "keys": [key.text for key in found.keys],
        "key_from_elsewhere": bool(trust.keys),
    }


def verify_bundle(bundle: Path, keys: Sequence[str], *, json: bool) -> int:
    """Check a bundle and say what it holds."""
    if not keys:
        message = "is missing: a bundle is checked against the line that audit key has printed."
        raise typer.BadParameter(message, param_hint="--key")
    trust = trust_of(None, keys, [])
    try:
        with bundle.open("rb") as file:
            found = check_bundle(file, trust.keys, trust.verify)
    except BundleBroken as trouble:
        if json:
            print_json({"ok": False, "problem": str(trouble)})
            return 1
        message = f"{bundle} does not hold: {trouble}."
        fix = "Ask for it anew; do not rely on this one."
        if isinstance(trouble, BundleForeign):
            fix = "Ask whoever runs aftercall for that key, and why it is another one."
        if isinstance(trouble, NoBundle):
            message, fix = (
                f"{bundle} is no bundle: {trouble}.",
                "Check it with docs/verify_audit.py.",
            )
        raise AftercallError(message, fix=fix) from None
    except OSError as trouble:
        message = f"{bundle} cannot be read: {trouble.strerror}."
        raise AftercallError(message, fix="Give the file of a bundle.") from None
    if json:
        print_json(_bundle_json(found))
    else:
        print_pieces(_bundle_view(found))
    return 0


def _bundle_view(found: BundleContent) -> Iterator[Text]:
    size = found.checkpoint.size
    words = f"{found.entries:,} of the log's {count(size, 'entry', 'entries')}"
    yield _line("entries", f"{words}, each as it was sealed")
    if not found.hidden:
        yield _line("", "nothing is left out")
    sealed = instant.text(found.checkpoint.at_ms)
    yield _line("checkpoint", f"{plain(found.checkpoint.origin)} at {sealed}")
    for key in found.signers:
        yield _line("key", plain(key.text))
    for stranger in found.strangers:
        words = "has signed, too, as it says; not checked: give its --key"
        yield Text(f"{'-':<4}{'key':<12} {plain(stranger)} {words}")


def _bundle_json(found: BundleContent) -> dict[str, object]:
    return {
        "ok": True,
        "entries": found.entries,
        "hidden": found.hidden,
        "size": found.checkpoint.size,
        "origin": found.checkpoint.origin,
        "sealed_at": instant.text(found.checkpoint.at_ms),
        "keys": [key.text for key in found.signers],
        "keys_not_given": list(found.strangers),
    }


def prove(place: Place, row: int, *, disclose: bool) -> int:
    """Print the inclusion proofs of a row's entries."""
    with place.kept_in_errors(), open_audit(journal_of(place)) as archive:
        print_json(prove_row(archive, row, disclose=disclose))
    return 0


def checkpoint(place: Place, *, every: bool) -> int:
    """Print the newest checkpoint, or all, with an empty line between two."""
    with place.kept_in_errors(), open_audit(journal_of(place)) as archive:
        newest = latest_checkpoint(archive)
        stored = archive.checkpoints() if every else iter([newest])
        for number, one in enumerate(stored):
            write_bytes(("\n" * bool(number) + one.note).encode())
        signed = Note.parse(newest.note).signatures
    if not signed:
        say("", "warning: It is not signed.", f"next: {place.command('audit', 'keygen')}")
    return 0


def consistency(place: Place, old: Path, new: Path) -> int:
    """Print the proof that one checkpoint's log begins another's."""
    notes = [read_note(old), read_note(new)]
    with place.kept_in_errors(), open_audit(journal_of(place)) as archive:
        trust = trust_of(_key_file(place), [], [])
        keys = [*trust.keys, *keys_in(archive.acts())]
        for file, note in zip((old, new), notes, strict=True):
            try:
                note.signers(keys, trust.verify)
            except ValueError as trouble:
                message = f"{file} cannot be trusted: {trouble}."
                raise AftercallError(message, fix="Is it a checkpoint of this journal?") from None
        found = compare(archive, *notes)
    print_json(found.as_json())
    if not found.holds:
        message = (
            f"The log of {found.old.size:,} entries is not the beginning of that of"
            f" {found.new.size:,}: something was changed, put in or taken out."
        )
        raise AftercallError(message, fix=RESTORE)
    return 0


def read_note(file: Path) -> Note:
    """Read a checkpoint from a file; ``-`` is standard input.

    Raises:
        AftercallError: it cannot be read, or holds none.
    """
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as stream:
            note = Note.parse(stream.read(CHECKPOINT_BYTES_MAX).decode())
        Checkpoint.parse(note.text)
    except OSError as trouble:
        message = f"{file} cannot be read: {trouble.strerror}."
        raise AftercallError(message, fix="Give a file with a checkpoint.") from None
    except ValueError as trouble:
        message = f"{file} holds no checkpoint, or one that was changed: {trouble}."
        fix = "Give what audit checkpoint has printed, every byte of it."
        raise AftercallError(message, fix=fix) from None
    return note
