"""Options that several commands share, in groups, and how a command takes a whole group."""

import inspect
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_type_hints

import typer

from aftercall.errors import AftercallError
from aftercall.interfaces.cli.program import NAME, typed

CONFIG = Path("aftercall.toml")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the configuration and the journal are."""

    config: Annotated[
        Path, typer.Option("--config", "-c", metavar="PATH", help="The configuration.")
    ] = CONFIG
    journal: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The journal, in place of the configured one."),
    ] = None

    def overrides(self) -> dict[str, object]:
        """Return what the options say, by key of the configuration."""
        return {"journal.url": None if self.journal is None else f"sqlite:///{self.journal}"}

    def words(self) -> list[str]:
        """Return the options as they are typed, as far as they are not the usual ones."""
        typed = [] if self.config == CONFIG else ["--config", str(self.config)]
        return typed if self.journal is None else [*typed, "--journal", str(self.journal)]

    def command(self, *words: str) -> str:
        """Return the command to type for `words`, with the options of this one."""
        return typed(shlex.join([NAME, *words, *self.words()]))

    @contextmanager
    def kept_in_errors(self) -> Iterator[None]:
        """Add these options to the command that an error suggests to type next."""
        try:
            yield
        except AftercallError as error:
            self.keep_in(error)
            raise

    def keep_in(self, error: AftercallError) -> None:
        """Add these options to the command that `error` suggests to type next."""
        command = error.next_command
        if command == "aftercall init":
            elsewhere = self.config != CONFIG
            error.next_command = shlex.join([*command.split(), *[str(self.config)] * elsewhere])
        elif command.startswith(f"{NAME} "):
            error.next_command = " ".join([command, shlex.join(self.words())]).rstrip()


Kind = Literal["auto", "csv", "jsonl", "json"]
Conflict = Literal["newest", "first", "error"]


@dataclass(frozen=True, slots=True)
class Columns:
    """How the columns of an input are understood."""

    map: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="The column of a field. Repeatable."),
    ] = None
    set: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="One value for all rows. Repeatable."),
    ] = None
    default: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="The value of empty cells. Repeatable."),
    ] = None
    on_conflict: Annotated[
        Conflict | None,
        typer.Option(help="Which of several outcomes of a contact wins.", show_default=False),
    ] = None

    def overrides(self) -> dict[str, object]:
        """Return what the options say, by key of the configuration.

        Raises:
            typer.BadParameter: one is not of the form FIELD=VALUE, or there is no such field.
        """
        found: dict[str, object] = {"rows.on_conflict": self.on_conflict}
        for option, key, given in (
            ("--map", "rows.columns", self.map),
            ("--set", "rows.constants", self.set),
            ("--default", "rows.defaults", self.default),
        ):
            found |= {f"{key}.{name}": value for name, value in _pairs(option, given)}
        return found

    def words(self) -> list[str]:
        """Return the options as they are typed."""
        typed: list[str] = []
        for option, given in (
            ("--map", self.map),
            ("--set", self.set),
            ("--default", self.default),
        ):
            for pair in given or ():
                typed += [option, pair]
        return typed if self.on_conflict is None else [*typed, "--on-conflict", self.on_conflict]


@dataclass(frozen=True, slots=True)
class Reading(Columns):
    """How an input is understood and written, where that cannot be found out."""

    format: Annotated[Kind, typer.Option(help="How the files are written.")] = "auto"
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Their encoding, such as latin-1.")
    ] = "auto"
    delimiter: Annotated[
        str, typer.Option(metavar="CHAR", help="Between two cells: a character, or tab.")
    ] = "auto"

    def form_words(self) -> list[str]:
        """Return the options about the form as they are typed."""
        given = {
            "--format": self.format,
            "--encoding": self.encoding,
            "--delimiter": self.delimiter,
        }
        return [word for pair in given.items() if pair[1] != "auto" for word in pair]


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast, and how much at once."""

    rate: Annotated[
        float | None, typer.Option(metavar="N", help="Requests per second to each campaign.")
    ] = None
    concurrency: Annotated[
        int | None, typer.Option(metavar="N", help="Requests in flight at once.")
    ] = None

    def overrides(self) -> dict[str, object]:
        """Return what the options say, by key of the configuration."""
        return {
            "limits.requests_per_second": self.rate,
            "limits.concurrency": self.concurrency,
        }

    def words(self) -> list[str]:
        """Return the options as they are typed."""
        typed = [] if self.rate is None else ["--rate", f"{self.rate:g}"]
        return (
            typed if self.concurrency is None else [*typed, "--concurrency", f"{self.concurrency}"]
        )


@dataclass(frozen=True, slots=True)
class Output:
    """What is told and waited for, and where the result files go."""

    results: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the result files go.")
    ] = None
    no_results: Annotated[bool, typer.Option("--no-results", help="Write no result files.")] = False
    wait_crm: Annotated[
        bool, typer.Option("--wait-crm", help="Wait until the CRM has heard of everything.")
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False


@dataclass(frozen=True, slots=True)
class Ending(Output):
    """What is told at the end of a run, and whether it is only a rehearsal of one."""

    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Only rehearse: against a simulator, nothing is sent."),
    ] = False
    faults: Annotated[
        bool, typer.Option("--faults", help="With --rehearse: let the usual things go wrong.")
    ] = False
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[=SHARE]",
            help="With --rehearse: let this go wrong, as docs/rehearse.md lists. Repeatable.",
        ),
    ] = None
    seed: Annotated[
        int, typer.Option(metavar="N", help="With --rehearse: which requests go wrong.")
    ] = 0


@dataclass(frozen=True, slots=True)
class Entries:
    """Which audit entries are asked for; what is None is not asked about."""

    run: Annotated[str | None, typer.Option(metavar="RUN", help="Of this run only.")] = None
    campaign: Annotated[str | None, typer.Option(metavar="ID", help="Of this campaign only.")] = (
        None
    )
    contact: Annotated[str | None, typer.Option(metavar="ID", help="Of this contact only.")] = None
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="From a day (UTC) or a time on."),
    ] = None
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="To the end of a day, or before a time."),
    ] = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which CRM events are asked for; what is None is not asked about."""

    endpoint: Annotated[
        str | None, typer.Option(metavar="NAME", help="For this endpoint only.")
    ] = None
    run: Annotated[str | None, typer.Option(metavar="RUN", help="Of this run only.")] = None
    contact: Annotated[str | None, typer.Option(metavar="ID", help="About this contact only.")] = (
        None
    )
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Made from a day (UTC) or a time on.")
    ] = None
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Made to the end of a day, or before a time.")
    ] = None


@dataclass(frozen=True, slots=True)
class Sending:
    """How many CRM events are sent again, and whether they really are."""

    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="The newest N of them at most.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List them, send nothing.")] = False
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False


@dataclass(frozen=True, slots=True)
class Caution:
    """How sure one is of what cannot be undone."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False


class Stands(StrEnum):
    """Where an opt-out may stand."""

    PENDING = "pending"
    NEAR = "near"
    LATE = "late"
    OVERWRITTEN = "overwritten"
    APPLIED = "applied"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Received:
    """Which opt-outs are asked for; what is None is not asked about."""

    status: Annotated[
        list[Stands] | None,
        typer.Option(metavar="STATUS", help="Those that stand so. Repeatable."),
    ] = None
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Received from a day or a time on.")
    ] = None
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Received to the end of a day, or before a time."),
    ] = None
    campaign: Annotated[str | None, typer.Option(metavar="ID", help="Of this campaign only.")] = (
        None
    )
    contact: Annotated[str | None, typer.Option(metavar="ID", help="Of this contact only.")] = None


class FollowUpStates(StrEnum):
    """Where a follow-up may stand."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    IMPOSSIBLE = "impossible"
    WITHDRAWN = "withdrawn"


class FollowUpKinds(StrEnum):
    """What a follow-up may do."""

    DNC_GROUP = "dnc_group"
    TAGS = "tags"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Following:
    """Which follow-ups are asked for; what is None is not asked about."""

    state: Annotated[
        list[FollowUpStates] | None,
        typer.Option(metavar="STATE", help="In this state only. Repeatable."),
    ] = None
    kind: Annotated[
        FollowUpKinds | None, typer.Option(help="Of this kind only.", show_default=False)
    ] = None
    run: Annotated[str | None, typer.Option(metavar="RUN", help="Of this run only.")] = None
    contact: Annotated[str | None, typer.Option(metavar="ID", help="Of this contact only.")] = None


GROUPS = (
    Place,
    Columns,
    Reading,
    Speed,
    Output,
    Ending,
    Entries,
    Chosen,
    Sending,
    Caution,
    Received,
    Following,
)


def grouped(command: Callable[..., Result]) -> Callable[..., Result]:
    """Let typer see the fields of each group that `command` takes as options of their own."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if kind in GROUPS}
    own = [
        parameter
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in groups
    ]
    shared = [option for kind in groups.values() for option in _options(kind)]

    def called(**values: object) -> Result:
        for name, kind in groups.items():
            given = {field.name: values.pop(field.name) for field in fields(kind)}
            values[name] = kind(**given)
        return command(**values)

    signature = inspect.Signature(
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *shared)]
    )
    # What typer reads of a function; `functools.wraps` would show it the wrapped one's parameters.
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__module__ = command.__module__
    called.__signature__ = signature  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in [*own, *shared]}
    return called


def _options(group: type) -> Iterator[inspect.Parameter]:
    hints: Mapping[str, object] = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=hints[field.name],
        )


def _pairs(option: str, given: list[str] | None) -> Iterator[tuple[str, str]]:
    """Yield field and value of each ``FIELD=VALUE``."""
    # Read when a command runs, not when its help is shown.
    from aftercall.domain.disposition import CANONICAL  # noqa: PLC0415

    for pair in given or ():
        name, equals, value = pair.partition("=")
        if not equals or not value:
            message = f"{pair!r} is not of the form FIELD=VALUE."
            raise typer.BadParameter(message, param_hint=option)
        if name not in CANONICAL:
            message = f"There is no field {name!r}. Fields: {', '.join(CANONICAL)}."
            raise typer.BadParameter(message, param_hint=option)
        yield name, value
