"""What is made of a journal without talking to the tenant: reports and result files."""

import os
from functools import partial
from pathlib import Path

from aftercall.adapters.journal.sqlite import note_results, open_archive
from aftercall.adapters.results import ResultFiles
from aftercall.domain.opt_outs import Terms
from aftercall.domain.report import Report
from aftercall.engine.overview import AuditTrail, find_run, report_of
from aftercall.ports import Archive, AuditFilter, RunRecord
from aftercall.settings import Settings


def report_at(path: Path, run: str, terms: Terms) -> Report:
    """Return the report of a run in the journal at `path`; `terms` say which opt-outs are late.

    Raises:
        JournalError: there is no such journal or run.
    """
    trail = AuditTrail(partial(open_archive, path), AuditFilter(run=run))
    with open_archive(path) as archive, archive.one_instant():
        return report_of(archive, run, terms, trail)


def write_results(settings: Settings, run: str, directory: Path | None = None) -> dict[str, str]:
    """Write the result files of a run and return their paths by name.

    The journal notes where they are, so that what is erased later is erased there, too; not if
    whoever writes them may only read the journal.

    Raises:
        JournalError: there is no such run.
        AftercallError: the directory cannot be written.
    """
    path = settings.journal.path
    where = settings.results.directory if directory is None else directory
    with open_archive(path) as archive:
        record = find_run(archive, run)
        if os.access(path, os.W_OK):
            note_results(path, record.run, where.absolute())
        return _files(archive, record, where).write()


def rewrite_results(settings: Settings, run: str, directory: Path) -> list[str]:
    """Write those result files of a run anew that are still there; return their paths.

    Raises:
        JournalError: there is no such run.
        OSError: one cannot be written.
    """
    with open_archive(settings.journal.path) as archive:
        record = find_run(archive, run)
        return _files(archive, record, directory).rewrite()


def _files(archive: Archive, record: RunRecord, directory: Path) -> ResultFiles:
    rows = partial(archive.rows, record.run)
    follows = bool(archive.follow_ups.count(record.run))
    return ResultFiles(directory, record.run, record.sources, rows, follows)
