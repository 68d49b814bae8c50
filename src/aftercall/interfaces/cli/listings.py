"""What `runs`, `show` and `export` do."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aftercall.adapters.journal.sqlite.connection import is_held
from aftercall.domain.opt_outs import Terms
from aftercall.domain.status import Status
from aftercall.engine.overview import find_run, follow_ups_open
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.listing_text import (
    row_json,
    rows_view,
    run_json,
    run_line,
    runs_view,
)
from aftercall.interfaces.cli.next_steps import steps_after
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.pauses import paused_json, paused_of
from aftercall.interfaces.cli.report_text import Closing
from aftercall.interfaces.cli.runs import print_json, print_report, settings_for
from aftercall.interfaces.cli.terminal import out, plain, print_pieces, say, wide_out
from aftercall.ports import RunRecord
from aftercall.settings import OptOuts, load_settings
from aftercall.wiring import open_archive, report_at, write_results
from aftercall.wiring.opt_outs import terms_of


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows `show` is to list, and how."""

    statuses: Sequence[Status]
    rows_max: int
    json: bool


def journal_of(place: Place) -> Path:
    """Return where the journal is; a path that is given needs no configuration.

    Raises:
        ConfigInvalid: the configuration that names it is absent or wrong.
    """
    if place.journal is not None:
        return place.journal
    return load_settings(place.config, os.environ).journal.path


def runs(place: Place, runs_max: int, *, json: bool) -> int:
    """List runs."""
    with place.kept_in_errors():
        path = journal_of(place)
        with open_archive(path) as archive:
            total = archive.count_runs()
            held = is_held(path)
            lines = [
                run_line(
                    one,
                    archive.standings(one.run),
                    held=held,
                    follows=follow_ups_open(archive.follow_ups.count(one.run)),
                )
                for one in archive.runs(most=runs_max)
            ]
    if json:
        print_json({"runs": [run_json(line) for line in lines], "total": total})
        return 0
    print_pieces(runs_view(lines, wide_out().width))
    if total > len(lines):
        say(f"and {count(total - len(lines), 'older run')}: --limit {total}")
    if not total:
        say("There are no runs yet.", f"next: {place.command('sync', 'calls.csv')}")
    return 0


def show(place: Place, run: str | None, asked: Asked) -> int:
    """Show a run's report, or its rows."""
    with place.kept_in_errors():
        path = journal_of(place)
        with open_archive(path) as archive:
            record = find_run(archive, run)
        if asked.statuses:
            return _show_rows(path, record, asked, place)
        report = report_at(path, record.run, _terms(place))
        if report.state == "paused" and is_held(path):
            report = replace(report, state="running")
        paused = paused_of(path, report)
    if asked.json:
        print_json({**report.as_json(), "paused": paused_json(paused)})
    else:
        print_report(report, Closing({}, steps_after(report, place, {}), paused))
    return 0


def _terms(place: Place) -> Terms:
    """Return how long opt-outs may take; a journal that is given needs no configuration."""
    if place.journal is not None and not place.config.exists():
        return terms_of(OptOuts(), {})
    settings = load_settings(place.config, os.environ)
    return terms_of(settings.opt_outs, settings.outcomes)


def _show_rows(path: Path, record: RunRecord, asked: Asked, place: Place) -> int:
    statuses = frozenset(asked.statuses)
    with open_archive(path) as archive:
        standings = archive.standings(record.run)
        rows = archive.first_rows(record.run, statuses, asked.rows_max)
    total = sum(standings.get(status, 0) for status in statuses)
    names = {source.number: source.name for source in record.sources}
    if asked.json:
        listed = [row_json(row, names) for row in rows]
        print_json({"run": record.run, "total": total, "rows": listed})
        return 0
    print_pieces(rows_view(rows, names))
    if total > len(rows):
        everything = place.command("export", record.run)
        say(f"{len(rows):,} of {count(total, 'row')}: --limit N for more, or all of them in files:")
        say(f"next: {everything}")
    elif not total:
        say(f"Run {plain(record.run)} has no row that is {' or '.join(sorted(statuses))}.")
    return 0


def export(place: Place, run: str | None, directory: Path | None) -> int:
    """Write a run's result files."""
    with place.kept_in_errors():
        settings = settings_for(place)
        with open_archive(settings.journal.path) as archive:
            record = find_run(archive, run)
        files = write_results(settings, record.run, directory)
    console = out()
    for path in files.values():
        console.print(plain(path), soft_wrap=True)
    if not files:
        say(f"Run {plain(record.run)} has no rows.")
    return 0
