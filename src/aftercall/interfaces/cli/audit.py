"""What `audit export` does: entries as they were stored, streamed to wherever they should go."""

import csv
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from aftercall.adapters.sources import guard_cell
from aftercall.domain.call_record import NAMES, PERSONAL
from aftercall.domain.disposition import Json
from aftercall.domain.note import Note
from aftercall.engine.overview import find_run
from aftercall.engine.proving import bundle_of, latest_checkpoint
from aftercall.errors import AftercallError
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.listings import journal_of
from aftercall.interfaces.cli.moments import moment_of
from aftercall.interfaces.cli.options import Entries, Place
from aftercall.interfaces.cli.terminal import UNSAFE, escaped, plain, say
from aftercall.ports import AuditFilter
from aftercall.wiring import open_archive, open_audit

MODE = 0o600
"""The trail names contacts: nobody but its owner reads it."""

ENTRY = '{"leaf":'
"""How the line of an entry begins in a bundle."""

Format = Literal["json", "jsonl", "csv", "bundle"]

OBSERVED = ("state", "outcome_code", "agent_id", "disposition_timestamp")

COLUMNS = (
    "schema", "kind", "timestamp", "run_id", "row_id", "source", "source_sha256", "line",
    "campaign_id", "contact_id", "outcome_code", "category", "agent_id",
    "disposition_timestamp", "event_id", "opt_out_received_at", "status", "reason", "message",
    "attempt", "deferrals", "deferred_since",
    *(f"before.{name}" for name in OBSERVED),
    *(f"after.{name}" for name in OBSERVED[1:]),
    "latency_ms", "read_ms", "write_ms", "wait_ms", "read_to_write_ms", "conditional",
    "http_status", "request_id", "by", "details", "follow_up.action", "follow_up.target",
    *(f"call_record.{name}" for name in NAMES if name not in PERSONAL),
    *(f"commitments.{name}" for name in ("notes", "custom_fields", *sorted(PERSONAL))),
)  # fmt: skip
"""The columns of a CSV. Fixed, so that exports can be put together; a test compares entries."""

_CONTROL = re.compile(f"[\x00-\x1f{UNSAFE}]")


def filter_of(asked: Entries) -> AuditFilter:
    """Return what the journal is asked.

    Raises:
        typer.BadParameter: a date is none.
    """
    return AuditFilter(
        run=asked.run,
        campaign=asked.campaign,
        contact=asked.contact,
        from_ms=None if asked.since is None else moment_of("--from", asked.since),
        until_ms=None if asked.until is None else moment_of("--to", asked.until, days=1),
    )


def export(place: Place, asked: Entries, form: Format, target: Path | None) -> int:
    """Write audit entries."""
    wanted = filter_of(asked)
    if form == "bundle":
        return _export_bundle(place, wanted, target)
    with place.kept_in_errors(), open_archive(journal_of(place)) as archive:
        if asked.run is not None:
            find_run(archive, asked.run)
        entries = archive.entries(wanted)
        if target is None:
            written = write_entries(entries, form, sys.stdout.buffer)
        else:
            with replaced(target) as file:
                written = write_entries(entries, form, file)
    if target is not None:
        say(f"{plain(str(target))}: {count(written, 'entry', 'entries')}")
    return 0


def _export_bundle(place: Place, wanted: AuditFilter, target: Path | None) -> int:
    """Write the sealed entries with what proves them."""
    with place.kept_in_errors(), open_audit(journal_of(place)) as archive:
        sealed = latest_checkpoint(archive)
        written = 0

        def counted() -> Iterator[bytes]:
            nonlocal written
            for line in bundle_of(archive, wanted):
                written += line.startswith(ENTRY)
                yield f"{line}\n".encode()

        lines = counted()
        if target is None:
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
            return 0
        with replaced(target) as file:
            file.writelines(lines)
    log = count(sealed.size, "sealed entry", "sealed entries")
    say(f"{plain(str(target))}: {written:,} of the log's {log}, and what proves them")
    if not Note.parse(sealed.note).signatures:
        say("warning: The trail is not signed, so nobody can check this bundle.")
        say("fix: Make a key, then export it again.")
        say(f"next: {place.command('audit', 'keygen')}")
    return 0


def write_entries(entries: Iterable[str], form: Format, file: BinaryIO) -> int:
    """Write entries in a format and return how many they were."""
    written = 0

    def counted() -> Iterator[str]:
        nonlocal written
        for entry in entries:
            written += 1
            yield escaped(entry)

    pieces = {"jsonl": _as_lines, "csv": _as_csv}.get(form, _as_array)
    file.writelines(piece.encode(errors="backslashreplace") for piece in pieces(counted()))
    file.flush()
    return written


@contextmanager
def replaced(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write to that takes the place of `target` once it is whole.

    Raises:
        AftercallError: it cannot be written.
    """
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        try:
            # Opened with its mode and without following links; a path cannot be.
            with open(os.open(part, flags, MODE), "wb") as file:  # noqa: PTH123
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as trouble:
        message = f"{target} cannot be written: {trouble.strerror}."
        raise AftercallError(message, fix="Give another file with --out.") from None


def _as_array(entries: Iterator[str]) -> Iterator[str]:
    before = "[\n"
    for entry in entries:
        yield before + entry
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _as_lines(entries: Iterator[str]) -> Iterator[str]:
    return (f"{entry}\n" for entry in entries)


def _as_csv(entries: Iterator[str]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for entry in entries:
        cells = flattened(json.loads(entry))
        writer.writerow([_cell(cells.get(column, "")) for column in COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(text: str) -> str:
    return guard_cell(_CONTROL.sub(" ", text))


def flattened(entry: Mapping[str, Json]) -> dict[str, str]:
    """Return an entry as texts by column; what lies within another is named with a dot."""
    cells: dict[str, str] = {}
    for name, value in entry.items():
        if name == "details":
            cells[name] = json.dumps(value, ensure_ascii=False)
        elif isinstance(value, Mapping):
            inner = flattened(value)
            cells |= {f"{name}.{below}": text for below, text in inner.items()}
        elif value is not None:
            cells[name] = value if isinstance(value, str) else json.dumps(value)
    return cells
