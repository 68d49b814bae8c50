"""What `optouts` and `optouts acknowledge` do."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import tzinfo
from itertools import islice

import typer

from aftercall.domain.follow_ups import OPEN as OPEN_FOLLOW_UPS
from aftercall.domain.follow_ups import FollowUpState
from aftercall.domain.opt_outs import PRESSING, UNSETTLED, OptOut, OptOutFilter, Standing
from aftercall.domain.status import OPEN, Status
from aftercall.interfaces.cli.figures import count
from aftercall.interfaces.cli.follow_up_listing import FIXES
from aftercall.interfaces.cli.moments import moment_of
from aftercall.interfaces.cli.opt_out_text import Board, opt_outs_json, opt_outs_view
from aftercall.interfaces.cli.options import Place, Received
from aftercall.interfaces.cli.runs import print_json, settings_for
from aftercall.interfaces.cli.terminal import print_pieces, say, wide_out
from aftercall.wiring import open_archive
from aftercall.wiring.opt_outs import Word, judged, now_ms, terms_of, unsure
from aftercall.wiring.opt_outs import acknowledge as store

WORDS_MAX = 500


def filter_of(asked: Received, zone: tzinfo) -> OptOutFilter:
    """Return what the journal is asked; a day is one of `zone`.

    Raises:
        typer.BadParameter: a date is none.
    """
    since, until = asked.since, asked.until
    return OptOutFilter(
        campaign=asked.campaign,
        contact=asked.contact,
        since_ms=None if since is None else moment_of("--since", since, zone=zone),
        until_ms=None if until is None else moment_of("--until", until, days=1, zone=zone),
    )


def show(place: Place, asked: Received, rows_max: int, *, json: bool) -> int:
    """List opt-outs."""
    wanted = frozenset(map(Standing, asked.status or ())) or UNSETTLED
    with place.kept_in_errors():
        settings = settings_for(place)
        terms, at_ms = terms_of(settings.opt_outs, settings.outcomes), now_ms()
        wanted_rows = filter_of(asked, terms.calendar.zone)
        with open_archive(settings.journal.path) as archive, archive.one_instant():
            counts, listed = _counted(unsure(archive, wanted_rows, terms, at_ms), wanted, rows_max)
            counts[Standing.APPLIED] += archive.count_opt_outs(wanted_rows) - counts.total()
            if Standing.APPLIED in wanted:
                every = judged(archive, wanted_rows, terms, at_ms)
                listed = list(islice((one for one in every if one.standing in wanted), rows_max))
    code = 4 if any(counts[standing] for standing in PRESSING) else 0
    board = Board(listed, counts, terms, at_ms, settings.opt_outs.time_zone)
    if json:
        print_json({**opt_outs_json(board), "exit_code": code})
        return code
    print_pieces(opt_outs_view(board, wide_out().width))
    total = sum(counts[standing] for standing in wanted)
    if total > len(listed):
        say(f"{len(listed):,} of {count(total, 'opt-out')}: --limit N for more.")
    _say_next(place, listed)
    return code


def _counted(
    found: Iterable[OptOut], wanted: Collection[Standing], most: int
) -> tuple[Counter[Standing], list[OptOut]]:
    """Count opt-outs by how they stand, and keep the first of those that are wanted."""
    counts: Counter[Standing] = Counter()
    listed: list[OptOut] = []
    for one in found:
        counts[one.standing] += 1
        if one.standing in wanted and len(listed) < most:
            listed.append(one)
    return counts, listed


def _say_next(place: Place, listed: Sequence[OptOut]) -> None:
    """Say what can be done about what is listed."""
    unsettled = [one for one in listed if one.standing in UNSETTLED]
    if any(map(_goes_on, unsettled)):
        say("go on with what is open:", f"next: {place.command('resume')}")
    rows = [one.row for one in unsettled if not one.fate.landed]
    for run in dict.fromkeys(row.run for row in rows if row.status is Status.FAILED):
        say("try the failed ones again:", f"next: {place.command('retry', run)}")
    for run, state in _records_ended(unsettled):
        command = place.command("followups", "retry", run, "--state", state.value)
        say(f"DNC records {state.value}: {FIXES[state]}", f"next: {command}")
    stuck = [one for one in unsettled if not _goes_on(one)]
    lacking = [one for one in stuck if one.row.lacking or not one.fate.landed]
    if lacking:
        words = "feed a corrected opt-out of the contact, or record why nothing more is to be done:"
        say(words, _acknowledging(place, lacking[0]))
    late = [one for one in stuck if one not in lacking]
    if late:
        say("the tenant holds what came late; record why it did:", _acknowledging(place, late[0]))


def _acknowledging(place: Place, one: OptOut) -> str:
    words = ("optouts", "acknowledge", str(one.row.row), "--by", "NAME", "--reason", "TEXT")
    return f"next: {place.command(*words)}"


def _goes_on(one: OptOut) -> bool:
    """Say whether a run still works on an opt-out or on its DNC records."""
    records = any(record.state in OPEN_FOLLOW_UPS for record in one.row.lacking)
    return one.row.status in OPEN or records


def _records_ended(listed: Sequence[OptOut]) -> Iterable[tuple[str, FollowUpState]]:
    """Return where there are DNC records that can be tried again: run and state, each once."""
    return dict.fromkeys(
        (one.row.run, record.state)
        for one in listed
        for record in one.row.lacking
        if record.state in FIXES
    )


def acknowledge(place: Place, rows: Sequence[int], said: tuple[str, str], *, withdraw: bool) -> int:
    """Record that somebody has looked at opt-outs, or take that back."""
    for option, words in zip(("--by", "--reason"), said, strict=True):
        if not words.strip() or len(words) > WORDS_MAX or not words.isprintable():
            message = f"must be one line of text, of {WORDS_MAX} characters at most."
            raise typer.BadParameter(message, param_hint=option)
    word = Word(said[0].strip(), said[1].strip(), withdraw)
    with place.kept_in_errors():
        changed = asyncio.run(store(settings_for(place), rows, word))
    done = "withdrawn" if withdraw else "acknowledged"
    state = "not acknowledged" if withdraw else "acknowledged already"
    for row in dict.fromkeys(rows):
        say(f"row {row}: {done if row in changed else state}")
    return 0
