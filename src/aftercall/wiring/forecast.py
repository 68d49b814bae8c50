"""The forecast: what a run over some files would do, with nothing sent and nothing kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal, copy_journal
from aftercall.adapters.passing_directory import passing_directory
from aftercall.adapters.sources import SourceOptions, open_source
from aftercall.domain.audit import Settled
from aftercall.domain.freshness import FRESH_SECONDS
from aftercall.domain.outcomes import Category
from aftercall.domain.pacing import seconds_at_least
from aftercall.domain.status import Status
from aftercall.engine.halt import Halt
from aftercall.engine.intake import IntakeWatch, Reader, Reading, admit_all
from aftercall.settings import Settings
from aftercall.wire.profile import Profile, follow_ups_of
from aftercall.wiring.inputs import check_columns, record_of, unused_columns
from aftercall.wiring.values import (
    columns_of,
    follow_ups_in,
    pace_of,
    requests_for,
    rules_of,
    target_of,
)

PROBLEMS_SHOWN = 10

FORECAST = "forecast"
"""The id of the run in the copy of the journal."""


@dataclass(frozen=True, slots=True)
class CampaignForecast:
    """What a run would ask of one campaign: rows, requests, and seconds at its pace."""

    campaign: str
    rows: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do, as far as that can be known without asking the tenant.

    Attributes:
        read: rows in the files.
        counts: rows by what would become of them: to write, duplicate, superseded, invalid.
        problems: invalid rows per reason code.
        first_problems: source, line, message of the first invalid rows.
        campaigns: what would be asked of each campaign.
        requests: requests at the most, reads and writes.
        seconds: how long that takes at the configured pace, at the least.
        opt_outs: rows to write that are opt-outs.
        partial: opt-outs of which a part of the call record is wrong, and would be left out.
        follow_ups: follow-ups of rows to write, by kind; their requests are counted, too.
        unused: what is said of columns that are no field, for each input that has some.
        contacts_per_read: how many contacts one request reads at the most; 1 without lists.
        read_good_for_seconds: how old a read may be when a write leaves that its ETag guards.
    """

    read: int
    counts: Mapping[str, int]
    problems: Mapping[str, int]
    first_problems: Sequence[tuple[str, int, str]]
    campaigns: tuple[CampaignForecast, ...]
    requests: int
    seconds: float
    opt_outs: int
    partial: int
    follow_ups: Mapping[str, int]
    unused: tuple[str, ...]
    contacts_per_read: int = 1
    read_good_for_seconds: float = FRESH_SECONDS


async def plan_files(settings: Settings, paths: Sequence[str], options: SourceOptions) -> Forecast:
    """Say what a run over some files would do, given what the journal holds already.

    The rows are taken in by the same code as in a run, but into a copy of the journal, which is
    thrown away: nothing is sent and nothing is kept.

    Raises:
        ConfigInvalid: the profile cannot be used.
        SourceUnreadable: a file cannot be used, or lacks a column.
        JournalError: the journal cannot be read.
    """
    with passing_directory("plan") as directory:
        copy = directory / "journal.db"
        copy_journal(settings.journal.path, copy)
        journal = SqliteJournal(copy)
        try:
            seen = await _take_in(journal, settings, paths, options)
            return _forecast(settings, seen, journal)
        finally:
            journal.close()


@dataclass(slots=True)
class _Seen:
    """What was seen of rows that are settled on entering."""

    read: int = 0
    settled: Counter[Status] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    first_problems: list[tuple[str, int, str]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    async def admitted(self, rows: int, settled: Sequence[Settled]) -> None:
        self.read += rows
        for row in settled:
            self.settled[row.status] += 1
            if row.status is not Status.INVALID:
                continue
            self.problems[row.reason] += 1
            if len(self.first_problems) < PROBLEMS_SHOWN:
                self.first_problems.append((row.source, row.line, row.message))


async def _take_in(
    journal: SqliteJournal, settings: Settings, paths: Sequence[str], options: SourceOptions
) -> _Seen:
    clock, seen = SystemClock(), _Seen()
    columns = columns_of(settings)
    opened = [open_source(path, options) for path in paths]
    for source in opened:
        check_columns(source, columns)
        seen.unused += [words] if (words := unused_columns(source, columns)) else []
    now_ms = clock.now_us() // 1000
    records = [
        record_of(FORECAST, source, path, options)
        for source, path in zip(opened, paths, strict=True)
    ]
    begun = await journal.intake.begin(FORECAST, settings.rows.on_conflict, records, now_ms)
    reader = Reader(Reading(columns, rules_of(settings, now_ms)))
    watch = IntakeWatch(Halt(), clock, seen.admitted)
    for record, source in zip(begun, opened, strict=True):
        await admit_all(source.rows(), record, reader, journal.intake, watch)
    await seen.admitted(0, await journal.intake.finish(FORECAST, now_ms))
    return seen


def _forecast(settings: Settings, seen: _Seen, journal: SqliteJournal) -> Forecast:
    waiting = journal.archive.waiting(FORECAST)
    profile = target_of(settings).profile
    follow_ups, more = _follow_ups(settings, profile, journal)
    pace = partial(pace_of, settings, profile)
    campaigns = []
    for one in waiting:
        requests = requests_for(profile, one.to_write, pace(one.campaign)) + more[one.campaign]
        seconds = seconds_at_least({one.campaign: requests}, pace, None)
        campaigns.append(CampaignForecast(one.campaign, one.to_write, requests, seconds))
    asked = {one.campaign: one.requests for one in campaigns}
    superseded = seen.settled[Status.SUPERSEDED] + sum(one.superseded for one in waiting)
    return Forecast(
        read=seen.read,
        counts={
            "to write": sum(one.to_write for one in waiting),
            "duplicate": seen.settled[Status.DUPLICATE],
            "superseded": superseded,
            "invalid": seen.settled[Status.INVALID],
        },
        problems=dict(seen.problems.most_common()),
        first_problems=tuple(seen.first_problems),
        campaigns=tuple(campaigns),
        requests=sum(asked.values()),
        seconds=seconds_at_least(asked, pace, settings.pace_total()),
        opt_outs=sum(one.opt_outs for one in waiting),
        partial=journal.archive.opt_outs_of_run(FORECAST, slow_ms=0)[1],
        follow_ups=follow_ups,
        unused=tuple(seen.unused),
        contacts_per_read=max(
            (profile.reads.list_size(pace(one.campaign).spacing_us) for one in waiting), default=1
        ),
        read_good_for_seconds=profile.reads.good_for_seconds,
    )


def _follow_ups(
    settings: Settings, profile: Profile, journal: SqliteJournal
) -> tuple[Mapping[str, int], Counter[str]]:
    """Count follow-ups by kind, and their requests by campaign."""
    rules, declared = follow_ups_in(settings, profile), follow_ups_of(profile)
    kinds: Counter[str] = Counter()
    together: Counter[tuple[str, str, str]] = Counter()
    if not rules.actions:
        return kinds, Counter()
    for one in journal.archive.waiting_outcomes(FORECAST):
        for action in rules.of(Category(one.category), one.outcome):
            kinds[action.kind.value] += one.rows
            together[one.campaign, action.kind.value, action.target] += one.rows
    requests: Counter[str] = Counter()
    for (campaign, kind, _), rows in together.items():
        # Those of one request have the same address, which is another for each contact's tags.
        size = 1 if "{contact}" in declared[kind].url else declared[kind].items_max
        requests[campaign] += -(-rows // size)
    return dict(kinds), requests
