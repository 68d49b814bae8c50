import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from aftercall.domain.report import (
    CampaignPace,
    Latency,
    LatencyCount,
    Report,
    Tally,
    exit_code,
    latency_of,
)
from aftercall.domain.status import Status

TALLIES = (
    Tally(Status.APPLIED, "written", "C1", "SALE", 90),
    Tally(Status.APPLIED, "read_back", "C2", "SALE", 5),
    Tally(Status.UNCHANGED, "same_in_tenant", "C1", "LOST", 1),
    Tally(Status.DUPLICATE, "same_disposition", "C1", "SALE", 1),
    Tally(Status.SUPERSEDED, "newer_in_journal", "C1", "LOST", 1),
    Tally(Status.REJECTED, "refused_409", "C1", "SALE", 1),
    Tally(Status.INVALID, "missing_value", "", "", 1),
)


def report(**given: Any) -> Report:
    values: dict[str, Any] = {
        "run": "run-1",
        "state": "finished",
        "tallies": TALLIES,
        "latency": {},
        "pace": (),
        "deliveries": {},
        "elapsed_seconds": 1.0,
    }
    values |= given
    values.setdefault("read", sum(tally.rows for tally in values["tallies"]))
    return Report(**values)


def counted(*tallies: tuple[Status, int]) -> tuple[Tally, ...]:
    return tuple(Tally(status, "why", "C1", "SALE", rows) for status, rows in tallies)


def test_rows_are_counted_by_what_somebody_has_to_do_about_them() -> None:
    told = report()
    assert (told.total_processed, told.successful, told.failed, told.open) == (100, 98, 2, 0)
    assert told.accuracy_rate_percent == 98.0


def test_statuses_come_in_their_order_without_those_that_have_no_rows() -> None:
    assert list(report().statuses.items()) == [
        (Status.APPLIED, 95),
        (Status.UNCHANGED, 1),
        (Status.DUPLICATE, 1),
        (Status.SUPERSEDED, 1),
        (Status.INVALID, 1),
        (Status.REJECTED, 1),
    ]


def test_reasons_and_groups_are_of_the_tallies() -> None:
    told = report()
    assert list(told.reasons(Status.APPLIED).items()) == [("written", 90), ("read_back", 5)]
    assert told.by("campaign")["C2"] == {Status.APPLIED: 5}
    assert list(told.by("campaign")) == ["", "C1", "C2"]
    assert told.by("outcome")["LOST"] == {Status.UNCHANGED: 1, Status.SUPERSEDED: 1}


@pytest.mark.parametrize(
    ("tallies", "percent"),
    [
        ((), 100.0),
        (counted((Status.PENDING, 5)), 100.0),
        (counted((Status.APPLIED, 1), (Status.FAILED, 2)), 33.33),
        (counted((Status.APPLIED, 1), (Status.FAILED, 1), (Status.PENDING, 98)), 50.0),
        (counted((Status.MISSING, 1)), 0.0),
    ],
)
def test_accuracy_is_successful_of_processed_rows(
    tallies: tuple[Tally, ...], percent: float
) -> None:
    assert report(tallies=tallies).accuracy_rate_percent == percent


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 4),
        ({"tallies": counted((Status.APPLIED, 3), (Status.DUPLICATE, 1))}, 0),
        ({"tallies": ()}, 0),
        ({"tallies": counted((Status.APPLIED, 3), (Status.PENDING, 1))}, 75),
        ({"tallies": counted((Status.DEFERRED, 1), (Status.FAILED, 1))}, 75),
        ({"tallies": counted((Status.APPLIED, 3)), "state": "paused"}, 75),
        ({"tallies": counted((Status.APPLIED, 3)), "read": 4}, 1),
        ({"tallies": counted((Status.APPLIED, 3), (Status.PENDING, 3)), "read": 5}, 1),
    ],
)
def test_the_exit_code_says_what_is_to_be_done(given: dict[str, Any], code: int) -> None:
    assert exit_code(report(**given)) == code


@pytest.mark.parametrize("status", [Status.INVALID, Status.REJECTED, Status.MISSING, Status.FAILED])
def test_each_refusal_calls_for_exit_code_4(status: Status) -> None:
    assert exit_code(report(tallies=counted((Status.APPLIED, 1), (status, 1)))) == 4


def test_a_report_reconciles_only_if_every_row_has_a_status() -> None:
    assert report().reconciles
    assert not report(read=101).reconciles
    assert not report(read=99).reconciles


def test_the_report_is_one_json_document_without_the_trail() -> None:
    pace = CampaignPace("C1", 21, 1, 10, 2.0, 10.0)
    latency = {"row": Latency(2, 30.0, 29.0, 31.0, 31.0, 31.0)}
    told = report(pace=(pace,), latency=latency, files={"failed": "f.csv"}, audit_trail=({"a": 1},))
    document = json.loads(json.dumps(told.as_json()))
    assert (document["total_processed"], document["successful"], document["failed"]) == (100, 98, 2)
    assert document["average_latency_ms"] == 30.0
    assert document["statuses"]["applied"] == 95
    assert document["reasons"]["applied"] == {"written": 90, "read_back": 5}
    assert document["by_campaign"]["C2"] == {"applied": 5}
    assert document["by_outcome"]["SALE"] == {"applied": 95, "duplicate": 1, "rejected": 1}
    assert document["pace"][0]["average_per_second"] == 10.0
    assert document["latency"]["row"]["p95_ms"] == 31.0
    assert (document["reconciles"], document["files"]) == (True, {"failed": "f.csv"})
    assert "audit_trail" not in document


def test_without_rows_that_were_sent_the_average_latency_is_zero() -> None:
    assert report().average_latency_ms == 0.0


@pytest.mark.parametrize(("requests", "seconds", "rate"), [(21, 2.0, 10.0), (1, 0.0, 0), (0, 0, 0)])
def test_the_average_pace_counts_the_spaces_between_requests(
    requests: int, seconds: float, rate: float
) -> None:
    assert CampaignPace("C", requests, 0, 10, seconds, 10.0).average_per_second == rate


def timed(durations: Sequence[float]) -> list[LatencyCount]:
    """Count durations as the journal does: to three digits."""
    groups: dict[float, list[float]] = {}
    for ms in durations:
        groups.setdefault(float(f"{ms:.2e}"), []).append(ms)
    return [
        LatencyCount("read", ms, len(some), round(sum(some) * 1000), max(some))
        for ms, some in sorted(groups.items())
    ]


@pytest.mark.parametrize("rows", [1, 2, 99, 100, 101, 1000])
def test_quantiles_are_within_half_a_percent(rows: int) -> None:
    durations = [1.013**step * 10 for step in range(rows)]
    found = latency_of(timed(durations))
    for share, told in ((0.5, found.p50_ms), (0.95, found.p95_ms), (0.99, found.p99_ms)):
        exact = durations[math.ceil(rows * share) - 1]
        assert told == pytest.approx(exact, rel=0.005, abs=0.05)


def test_average_and_longest_are_exact_and_no_quantile_is_longer() -> None:
    found = latency_of(timed([0.0, 0.0005, 3.0, 250.96]))
    assert (found.count, found.max_ms, found.p99_ms) == (4, 251.0, 251.0)
    assert found.average_ms == 63.5
    assert found.p50_ms == 0.0


def test_counts_that_were_taken_back_tell_nothing() -> None:
    gone = LatencyCount("read", 7.0, 0, 0, 7.0)
    assert latency_of([gone, *timed([3.0])]).p50_ms == 3.0
