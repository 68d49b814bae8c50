"""What `sync`, `resume` and `retry` do, and how their end is told."""

# ruff: noqa: PLC0415 - commands that only look import this too, and need nothing that sends.
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.report import Report, exit_code
from aftercall.domain.status import Status
from aftercall.errors import AftercallError, ConfigInvalid, Interrupted, SourceUnreadable
from aftercall.interfaces.cli import failures
from aftercall.interfaces.cli.list_text import list_warnings
from aftercall.interfaces.cli.next_steps import steps_after
from aftercall.interfaces.cli.options import Columns, Output, Place, Reading, Speed
from aftercall.interfaces.cli.pauses import paused_json, paused_of
from aftercall.interfaces.cli.program import typed
from aftercall.interfaces.cli.report_text import Closing, report_view
from aftercall.interfaces.cli.terminal import (
    escaped,
    plain,
    print_pieces,
    say,
    wide_out,
    write_bytes,
)
from aftercall.settings import Settings, load_settings
from aftercall.wiring import SourceOptions, write_results

if TYPE_CHECKING:
    from aftercall.interfaces.cli.performing import Performance, Performed, Prepare
    from aftercall.wiring import Job, Session

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a command that works on a run."""

    place: Place
    columns: Columns
    speed: Speed
    output: Output

    def settings(self) -> Settings:
        """Return the configuration with the options laid over it.

        Raises:
            ConfigInvalid: anything in it is wrong.
        """
        return settings_for(self.place, self.columns, self.speed)

    def given(self) -> list[str]:
        """Return the options that a resumed run needs again."""
        return [*self.columns.words(), *self.speed.words()]


def settings_for(place: Place, *groups: Columns | Speed) -> Settings:
    """Return the configuration with options laid over it.

    Raises:
        ConfigInvalid: anything in it is wrong.
    """
    overrides = place.overrides()
    for group in groups:
        overrides |= group.overrides()
    return load_settings(place.config, os.environ, overrides)


def sync(files: Sequence[str], request: Request, reading: Reading) -> int:
    """Write the rows of files to the tenant."""
    options = SourceOptions(reading.format, reading.encoding, reading.delimiter)
    return _work(request, lambda session: session.files(files, options), files)


def resume(run: str | None, request: Request) -> int:
    """Go on with a run."""
    return _work(request, lambda session: session.resume(run))


def retry(run: str, statuses: Sequence[str], request: Request) -> int:
    """Try settled rows of a run again."""
    chosen = tuple(Status(status) for status in statuses)
    again = _Again("row", "status", chosen)
    return again.work(request, lambda session: session.retry(run, chosen))


def retry_follow_ups(run: str, states: Sequence[str], request: Request) -> int:
    """Try follow-ups of a run again."""
    chosen = tuple(FollowUpState(state) for state in states)
    again = _Again("follow-up", "state", chosen)
    return again.work(request, lambda session: session.retry_follow_ups(run, chosen))


@dataclass(frozen=True, slots=True)
class _Again:
    """What is tried again: of what, and chosen by which option."""

    what: str
    option: str
    chosen: Sequence[str]

    def work(self, request: Request, prepare: "Prepare") -> int:
        """Do it, and say so if there was nothing to be tried: the report looks the same then."""
        made: list[Job] = []

        def noted(session: "Session") -> "Job":
            made.append(prepare(session))
            return made[0]

        code = _work(request, noted)
        if any(job.reopened == 0 for job in made) and not request.output.json:
            say(
                f"Nothing was tried again: no {self.what} of the run is {' or '.join(self.chosen)}."
                f" --{self.option} chooses others."
            )
        return code


def check_files(files: Sequence[str]) -> None:
    """Check that no input is named twice, and that each name can be written down.

    Raises:
        SourceUnreadable: one has a name that is no text.
        typer.BadParameter: one is named twice.
    """
    seen: set[str] = set()
    for file in files:
        try:
            file.encode()
        except UnicodeEncodeError:
            message = f"{file} cannot be recorded: its name is no UTF-8."
            raise SourceUnreadable(message, fix="Rename it.") from None
        name = STDIN if file == STDIN else str(Path(file).resolve())
        if name in seen:
            what = "standard input (-)" if file == STDIN else file
            message = f"{what} is given twice."
            raise typer.BadParameter(message, param_hint="FILE")
        seen.add(name)


def check_results(output: Output, settings: Settings) -> None:
    """Check, before anything is sent, that the result files can be written at the end.

    Raises:
        ConfigInvalid: they cannot, where the configuration says.
        typer.BadParameter: they cannot, where the option says.
    """
    if output.no_results:
        return
    directory = output.results or settings.results.directory
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except (OSError, ValueError) as trouble:
        why = trouble.strerror if isinstance(trouble, OSError) else "its name cannot be one"
        message = f"The result files cannot be written to {directory}: {why}."
        if output.results is not None:
            raise typer.BadParameter(plain(message), param_hint="--results") from None
        fix = "Set results.directory right, or give --results or --no-results."
        raise ConfigInvalid(message, fix=fix) from None


def _work(request: Request, prepare: "Prepare", files: Sequence[str] = ()) -> int:
    from aftercall.interfaces.cli.performing import Performance

    output = request.output
    try:
        with request.place.kept_in_errors():
            check_files(files)
            settings = request.settings()
            check_results(output, settings)
            performed = run_performance(
                Performance(settings, prepare, quiet=output.quiet, wait_crm=output.wait_crm)
            )
            for words in list_warnings(performed.lists):
                say(f"warning: {plain(words)}")
            written = results_of(performed.report, settings, output)
            paused = paused_of(settings.journal.path, performed.report)
            return tell_end(performed, request, Closing(written, paused=paused))
    except AftercallError as error:
        if output.json:
            print_json({"error": error_json(error), "exit_code": error.exit_code})
        raise


def run_performance(performance: "Performance") -> "Performed":
    """Perform a job; of several errors at once the one that a user can act on is raised.

    Raises:
        AftercallError: it could not be begun, or the journal failed.
    """
    try:
        return performance.run()
    except BaseExceptionGroup as group:
        error = failures.known(group)
        if error is None:
            raise
        raise error from None


def results_of(report: Report, settings: Settings, output: Output) -> dict[str, str]:
    """Write the result files, unless they are not wanted, and return their paths by name.

    Raises:
        AftercallError: the directory cannot be written.
    """
    if output.no_results:
        return {}
    return write_results(settings, report.run, output.results)


def tell_end(performed: "Performed", request: Request, closing: Closing) -> int:
    """Print a run's report and why it ended early if it did; return the exit code."""
    files = dict(closing.files)
    report, trouble = performed.report, performed.trouble
    if trouble is not None and report.state == "finished":
        trouble = None  # It was asked to stop when there was nothing left to do.
    code = code_of(report, trouble)
    steps = steps_after(report, request.place, files, request.given())
    if trouble is not None:
        request.place.keep_in(trouble)
        if isinstance(trouble, Interrupted):
            trouble.next_command = request.place.command("resume", report.run, *request.given())
    if request.output.json:
        error = None if trouble is None else error_json(trouble)
        paused = paused_json(closing.paused)
        extra = {"files": files, "paused": paused, "exit_code": code, "error": error}
        print_json({**report.as_json(), **extra})
    else:
        print_report(report, replace(closing, steps=steps))
    if trouble is not None:
        failures.tell(trouble)
    return code


def code_of(report: Report, trouble: AftercallError | None) -> int:
    """Return the exit code of a run that ended with a report."""
    if trouble is None or not report.reconciles:
        return exit_code(report)
    return trouble.exit_code


def print_report(report: Report, closing: Closing) -> None:
    """Print a report on standard output."""
    print_pieces(report_view(report, closing, wide_out().width))


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON document on standard output."""
    write_bytes(escaped(json.dumps(document, ensure_ascii=False, indent=2)).encode() + b"\n")


def error_json(error: AftercallError) -> dict[str, str]:
    """Return an error as JSON."""
    return {"message": error.message, "fix": error.fix, "next": typed(error.next_command)}
