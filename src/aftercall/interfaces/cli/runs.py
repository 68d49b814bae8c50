"""What `sync`, `resume` and `retry` do, and how their end is told."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from aftercall.domain.report import Report, exit_code
from aftercall.domain.status import Status
from aftercall.errors import AftercallError, Interrupted
from aftercall.interfaces.cli import failures
from aftercall.interfaces.cli.next_steps import steps_after
from aftercall.interfaces.cli.options import Columns, Output, Place, Reading, Speed
from aftercall.interfaces.cli.performing import Performance, Performed, Prepare
from aftercall.interfaces.cli.report_text import Closing, report_view
from aftercall.interfaces.cli.terminal import print_pieces, wide_out, write_bytes
from aftercall.settings import Settings, load_settings
from aftercall.wiring import SourceOptions, write_results

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
    check_files(files)
    options = SourceOptions(reading.format, reading.encoding, reading.delimiter)
    return _work(request, lambda session: session.files(files, options))


def resume(run: str | None, request: Request) -> int:
    """Go on with a run."""
    return _work(request, lambda session: session.resume(run))


def retry(run: str, statuses: Sequence[str], request: Request) -> int:
    """Try settled rows of a run again."""
    chosen = tuple(Status(status) for status in statuses)
    return _work(request, lambda session: session.retry(run, chosen))


def check_files(files: Sequence[str]) -> None:
    """Check that no input is named twice.

    Raises:
        typer.BadParameter: one is.
    """
    seen: set[str] = set()
    for file in files:
        name = STDIN if file == STDIN else str(Path(file).resolve())
        if name in seen:
            what = "standard input (-)" if file == STDIN else file
            message = f"{what} is given twice."
            raise typer.BadParameter(message, param_hint="FILE")
        seen.add(name)


def _work(request: Request, prepare: Prepare) -> int:
    output = request.output
    try:
        with request.place.kept_in_errors():
            settings = request.settings()
            performed = _performed(Performance(settings, prepare, quiet=output.quiet))
            return tell_end(performed, request, results_of(performed.report, settings, output))
    except AftercallError as error:
        if output.json:
            print_json({"error": error_json(error), "exit_code": error.exit_code})
        raise


def _performed(performance: Performance) -> Performed:
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


def tell_end(performed: Performed, request: Request, files: Mapping[str, str]) -> int:
    """Print a run's report and why it ended early if it did; return the exit code."""
    report, trouble = performed.report, performed.trouble
    if trouble is not None and report.state == "finished":
        trouble = None  # It was asked to stop when there was nothing left to do.
    code = code_of(report, trouble)
    steps = steps_after(report, request.place, files, request.given())
    if trouble is not None:
        request.place.keep_in(trouble)
        if isinstance(trouble, Interrupted):
            trouble.next_command = shlex.join(
                ["aftercall", "resume", report.run, *request.given(), *request.place.words()]
            )
    if request.output.json:
        error = None if trouble is None else error_json(trouble)
        extra = {"files": dict(files), "exit_code": code, "error": error}
        print_json({**report.as_json(), **extra})
    else:
        print_report(report, Closing(files, steps))
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
    write_bytes(json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n")


def error_json(error: AftercallError) -> dict[str, str]:
    """Return an error as JSON."""
    return {"message": error.message, "fix": error.fix, "next": error.next_command}
