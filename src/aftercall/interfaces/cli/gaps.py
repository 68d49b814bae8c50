"""What `audit gaps` does: which call records lack which of the fields that the law asks for."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.text import Text

from aftercall.domain.call_record import ITEMS, RULE
from aftercall.domain.disposition import Json
from aftercall.engine.gaps import Gaps, gaps_of
from aftercall.engine.overview import find_run
from aftercall.interfaces.cli.audit import filter_of
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.listings import journal_of
from aftercall.interfaces.cli.options import Entries, Place
from aftercall.interfaces.cli.runs import print_json
from aftercall.interfaces.cli.tables import table
from aftercall.interfaces.cli.terminal import plain, print_pieces, say
from aftercall.wiring import open_archive

INDENT = "    "

CAMPAIGNS_SHOWN = 5
"""Campaigns that are named beside a field; the JSON document names all."""

SOURCE = "16 CFR 310.5(a)(2), Telemarketing Sales Rule; 89 FR 26760 (16 April 2024)"


def show(place: Place, asked: Entries, rows_max: int, *, json: bool) -> int:
    """List what call records lack; 4 if any lacks anything."""
    wanted = filter_of(asked)
    with place.kept_in_errors(), open_archive(journal_of(place)) as archive:
        if asked.run is not None:
            find_run(archive, asked.run)
        found = gaps_of(archive, wanted, rows_max)
    code = 4 if found.lacking else 0
    if json:
        print_json({**_as_json(found), "exit_code": code})
        return code
    print_pieces(_view(found))
    lacking = found.calls - found.complete
    if lacking > len(found.listed):
        say(f"{len(found.listed):,} of {count(lacking, 'call')}: --limit N for more.")
    if lacking:
        (first, _), _ = _in_order(found)[0]
        say(
            "feed the same rows again with these columns: they complete what is recorded;",
            "a value that is the same for all rows can be given once, under [rows.constants]:",
            f"next: {place.command('sync', 'calls.csv', '--set', f'{first}=...')}",
        )
    return code


def _view(found: Gaps) -> Iterator[RenderableType]:
    lacking = found.calls - found.complete
    line = Text(count(found.calls, "call"), style="bold")
    words = f": {found.complete:,} with a complete record, {lacking:,} without"
    yield line.append(words if found.calls else "", style="not bold")
    if not lacking:
        return
    yield Text()
    rows = [
        (name, f"{RULE}{ITEMS[name]}", f"{sum(calls.values()):,}", _campaigns(calls, found.calls))
        for name, calls in _by_field(found).items()
    ]
    yield table(("missing field", "asked for by", ">calls", "campaigns"), rows)
    yield Text()
    for one in found.listed:
        place = f"{plain(one.source)}:{one.line}"
        block = Text(f"row {one.row}", style="bold")
        block.append(f"  {place}  {plain(one.campaign)}  {plain(one.contact)}", style="not bold")
        every = len(one.missing) == len(rows) > 1
        lacks = "all of these" if every else ", ".join(one.missing)
        yield block.append(f"\n{INDENT}lacks {lacks}", style="not bold")


def _by_field(found: Gaps) -> Mapping[str, Mapping[str, int]]:
    """Return how many calls of each campaign lack a field, in the order of the rule's items."""
    fields: dict[str, dict[str, int]] = {}
    for (name, campaign), calls in _in_order(found):
        fields.setdefault(name, {})[campaign] = calls
    return fields


def _campaigns(calls: Mapping[str, int], total: int) -> str:
    """Say in which campaigns a field is missing, and how often if that differs."""
    if sum(calls.values()) == total:
        return "every call"
    names = [f"{plain(name) or '-'} {number:,}" for name, number in calls.items()]
    more = len(names) - CAMPAIGNS_SHOWN
    return ", ".join(names[:CAMPAIGNS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _in_order(found: Gaps) -> list[tuple[tuple[str, str], int]]:
    """Return the counts in the order of the rule's items, then by campaign."""
    places = {name: place for place, name in enumerate(ITEMS)}
    return sorted(found.lacking.items(), key=lambda one: (places[one[0][0]], one[0][1]))


def _as_json(found: Gaps) -> dict[str, Json]:
    return {
        "rule": SOURCE,
        "calls": found.calls,
        "complete": found.complete,
        "missing": [
            {"field": name, "item": ITEMS[name], "campaign": campaign, "calls": calls}
            for (name, campaign), calls in _in_order(found)
        ],
        "entries": [
            {
                "row": one.row,
                "run": one.run,
                "source": one.source,
                "line": one.line,
                "campaign": one.campaign,
                "contact": one.contact,
                "missing": list(one.missing),
            }
            for one in found.listed
        ],
    }
