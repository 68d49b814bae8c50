"""What `plan` does: the forecast of a run as a person or a program reads it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import RenderableType
from rich.text import Text

from aftercall.domain.freshness import FRESH_SECONDS
from aftercall.interfaces.cli.figures import count, duration
from aftercall.interfaces.cli.options import Place, Reading, Speed
from aftercall.interfaces.cli.reasons import words_of
from aftercall.interfaces.cli.runs import check_files, print_json, settings_for
from aftercall.interfaces.cli.tables import table
from aftercall.interfaces.cli.terminal import plain, print_pieces, say
from aftercall.wiring import Forecast, SourceOptions, plan_files

CAMPAIGNS_SHOWN = 10

OLD_READS = (
    "by the profile a contact may have been read {:g} s before it is written, not 2 s: only the"
    " tenant's ETag keeps a call that begins meanwhile from being written over."
)


@dataclass(frozen=True, slots=True)
class Request:
    """The options of the command."""

    place: Place
    speed: Speed
    json: bool


def plan(files: Sequence[str], request: Request, reading: Reading) -> int:
    """Print what a run over files would do."""
    check_files(files)
    options = SourceOptions(reading.format, reading.encoding, reading.delimiter)
    with request.place.kept_in_errors():
        settings = settings_for(request.place, reading, request.speed)
        forecast = asyncio.run(plan_files(settings, files, options))
    if request.json:
        print_json(asdict(forecast))
        return 0
    for words in forecast.unused:
        say(f"note: {plain(words)}")
    if forecast.read_good_for_seconds > FRESH_SECONDS:
        say(f"note: {OLD_READS.format(forecast.read_good_for_seconds)}")
    print_pieces(forecast_view(forecast))
    given = [*reading.words(), *reading.form_words(), *request.speed.words()]
    say("", "Nothing was sent and nothing was stored.")
    say(f"next: {plain(request.place.command('sync', *files, *given))}")
    return 0


def forecast_view(forecast: Forecast) -> Iterator[RenderableType]:
    """Yield a forecast piece by piece."""
    counts = [f"{name} {rows:,}" for name, rows in forecast.counts.items() if rows]
    yield Text(f"read {forecast.read:,} = {' + '.join(counts) or '0'}", style="bold")
    if forecast.opt_outs:
        yield Text(f"{count(forecast.opt_outs, 'opt-out')} would be written first.")
    if forecast.partial:
        told = count(forecast.partial, "opt-out")
        yield Text(f"Of {told} a part of the call record is wrong; it would be left out.")
    if forecast.follow_ups:
        told = ", ".join(f"{kind} {number:,}" for kind, number in forecast.follow_ups.items())
        yield Text(
            f"Follow-ups once rows are written: {told}; a rehearsal shows which can be done."
        )
    if forecast.problems:
        rows = [
            (f"{number:,}", plain(words_of(code))) for code, number in forecast.problems.items()
        ]
        yield Text()
        yield table((">invalid", "why"), rows)
    if forecast.first_problems:
        yield Text()
        places = [
            (plain(f"{source}:{line}"), plain(message))
            for source, line, message, *_ in forecast.first_problems
        ]
        yield table(("first of them", "what is wrong"), places)
    if forecast.campaigns:
        yield Text()
        yield from _campaigns(forecast)
        yield Text()
        requests = count(forecast.requests, "request")
        least = duration(forecast.seconds)
        together = forecast.contacts_per_read
        if together > 1:
            # A contact that its list does not tell of takes one more.
            yield Text(f"Up to {together} contacts are read with one request.")
        most = "About" if together > 1 else "At most"
        yield Text(f"{most} {requests}, in {least} at the configured pace.", style="bold")


def _campaigns(forecast: Forecast) -> Iterator[RenderableType]:
    most = sorted(forecast.campaigns, key=lambda one: (-one.rows, one.campaign))
    rows = [
        (plain(one.campaign), f"{one.rows:,}", f"{one.requests:,}", duration(one.seconds))
        for one in most[:CAMPAIGNS_SHOWN]
    ]
    yield table(("campaign", ">rows", ">requests", ">at least"), rows)
    rest = most[CAMPAIGNS_SHOWN:]
    if rest:
        more = count(len(rest), "more campaign")
        yield Text(f"and {more}: {count(sum(one.rows for one in rest), 'row')}")
