"""Texts that the command line makes of values: pure, for any width."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

import aftercall
from aftercall.domain.report import CampaignPace, Latency, Report, Tally
from aftercall.domain.status import Status
from aftercall.engine.progress import Progress
from aftercall.errors import ConfigInvalid
from aftercall.interfaces.cli import failures
from aftercall.interfaces.cli.figures import clock, count, duration
from aftercall.interfaces.cli.next_steps import steps_after
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.progress_text import Gauge, live_view, plain_line
from aftercall.interfaces.cli.reasons import WORDS, words_of
from aftercall.interfaces.cli.report_text import Closing, report_view

LONG = "CAMPAIGN-WITH-A-NAME-THAT-IS-AS-LONG-AS-A-NAME-CAN-BE-" + "X" * 70
SOURCE = Path(aftercall.__file__).parent


@pytest.fixture(autouse=True)
def _started_by_its_name(monkeypatch):
    """Whichever way the tests were started, the program goes by its name."""
    monkeypatch.setattr("sys.argv", ["tests"])


def drawn(pieces, width):
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False, markup=False, color_system=None)
    for piece in pieces:
        console.print(piece)
    return file.getvalue()


def report(*, read=None, tallies=(), campaigns=1, state="finished"):
    rows = sum(tally.rows for tally in tallies)
    return Report(
        run="20261123-101500-ab12",
        state=state,
        read=rows if read is None else read,
        tallies=tallies,
        latency={"row": Latency(3, 1234.5, 900.1, 2000.2, 3000.3, 4000.4)},
        pace=tuple(
            CampaignPace(f"{LONG}{n}", 100 - n, n % 2, 10, 10.0, 10.0) for n in range(campaigns)
        ),
        deliveries={"delivered": 1},
        elapsed_seconds=75,
    )


EVERY = tuple(
    Tally(status, "written", LONG, "INTERESTED", 1_000_000 + n) for n, status in enumerate(Status)
)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_report_fits_its_terminal(width):
    text = drawn(report_view(report(tallies=EVERY, campaigns=15), Closing(), width), width)
    assert max(map(len, text.splitlines())) <= width
    joined = " ".join(text.split())
    for status in Status:
        assert f"{status} 1,000,0" in joined
    assert "and 5 more campaigns: 440 requests, peak 10/s, 2 times 429" in joined


def test_a_report_that_does_not_add_up_is_loud():
    tallies = (Tally(Status.APPLIED, "written", "c", "X", 3),)
    text = drawn(report_view(report(read=4, tallies=tallies), Closing(), 80), 80)
    assert "read 4 = applied 3  THIS DOES NOT ADD UP" in text


def test_a_run_without_rows_is_a_report_too():
    text = drawn(report_view(report(), Closing(), 80), 80)
    assert "read 0 = 0  ok" in text


def test_many_reasons_are_summed_up():
    tallies = tuple(Tally(Status.INVALID, f"code_{n}", "c", "X", 10 - n) for n in range(8))
    text = drawn(report_view(report(tallies=tallies), Closing(), 80), 80)
    assert "12  other reasons (3)" in text


def test_what_to_type_next():
    place = Place(config=Path("a b.toml"))
    invalid = (Tally(Status.INVALID, "x", "c", "X", 1), Tally(Status.FAILED, "x", "c", "X", 1))
    found = [step.command for step in steps_after(report(tallies=invalid), place, {"failed": "f"})]
    assert found[:2] == [
        "aftercall retry 20261123-101500-ab12 --config 'a b.toml'",
        "aftercall sync f --config 'a b.toml'",
    ]
    waiting = report(tallies=(Tally(Status.DEFERRED, "on_call", "c", "X", 1),), state="paused")
    [step] = steps_after(waiting, Place(), {}, ["--map", "contact=Lead ID"])
    assert step.command == "aftercall resume 20261123-101500-ab12 --map 'contact=Lead ID'"


def test_events_that_wait_for_the_crm_have_a_next_step():
    tallies = (Tally(Status.APPLIED, "written", "c", "X", 1),)
    told = {"delivered": 1, "waiting": 2, "dead": 3}
    waiting = replace(report(tallies=tallies), deliveries=told, disabled=("crm",))
    commands = [step.command for step in steps_after(waiting, Place(), {"success": "s"})]
    assert commands[:3] == [
        "aftercall crm enable crm",
        "aftercall crm deliver",
        "aftercall crm replay --run 20261123-101500-ab12",
    ]
    delivered = steps_after(report(tallies=tallies), Place(), {"success": "s"})
    assert not [step for step in delivered if "crm" in step.command]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("paused", "the process ended while it was written"),
        ("running", "on its way to the tenant"),
    ],
)
def test_rows_under_way_say_so(state, words):
    tallies = (
        Tally(Status.WRITING, "", "c", "X", 2),
        Tally(Status.WRITING, "on_call", "c", "X", 1),
    )
    one = report(tallies=tallies, state=state)
    text = " ".join(drawn(report_view(one, Closing(), 80), 80).split())
    assert f"writing 3 {words}" in text
    assert bool(steps_after(one, Place(), {})) is (state == "paused")


def test_a_pause_of_today_is_told_by_the_clock():
    now = datetime.now(UTC)
    text = drawn(report_view(report(), Closing(paused={"C1": now}), 80), 80)
    assert f"paused C1 until {now:%H:%M} UTC: the tenant asked to slow down" in text


def test_waiting_for_the_crm_is_told_apart_from_the_work():
    one = replace(report(), crm_wait_seconds=125.0)
    text = drawn(report_view(one, Closing(), 80), 80)
    assert "1 min 15 s of work." in text
    assert "delivered 1, under way 0, dead 0; waited 2 min 5 s for that" in text
    assert "waited" not in drawn(report_view(replace(one, crm_wait_seconds=0.2), Closing(), 80), 80)


def test_every_reason_code_of_the_source_has_words():
    patterns = (
        r'Verdict\(\s*Event\.\w+,\s*"(\w+)"',
        r'Problem\(\s*"\w+",\s*"(\w+)"',
        r'Problem\(\s*name,\s*"(\w+)"',
        r'RowProblem\(\s*"(\w+)"',
        r'Finding\(\s*Status\.\w+,\s*"(\w+)"',
        r'(?:NotSent|MaybeSent|Unavailable|Uncertain)\(\s*"(\w+)"',
    )
    texts = [
        file.read_text(encoding="utf-8")
        for part in ("domain", "wire", "engine", "adapters")
        for file in (SOURCE / part).rglob("*.py")
    ]
    codes = {code for text in texts for one in patterns for code in re.findall(one, text)}
    assert len(codes) > 30
    assert codes <= set(WORDS)
    assert words_of("refused_422") == "the tenant refused it (422)"
    assert words_of("status_503") == "the tenant answered 503"
    assert words_of("brand_new") == "brand new"


@pytest.mark.parametrize(
    ("seconds", "words", "face"),
    [
        (0.44, "0.4 s", "0:00"),
        (59.4, "59 s", "0:59"),
        (200, "3 min 20 s", "3:20"),
        (7500, "2 h 5 min", "2:05:00"),
        (97_200, "1 d 3 h", "27:00:00"),
    ],
)
def test_durations(seconds, words, face):
    assert duration(seconds) == words
    assert clock(seconds) == face


def test_numbers_with_their_nouns():
    assert count(1, "row") == "1 row"
    assert count(1200, "entry", "entries") == "1,200 entries"


def test_progress_by_stage():
    progress = Progress()
    gauge = Gauge(progress)
    assert plain_line(gauge.look(0, None, stopping=False)) == "signing in to the tenant"
    progress.stage, progress.read = "reading", 1200
    assert plain_line(gauge.look(1, 0.25, stopping=False)) == (
        "reading: 1,200 rows (25% of the input)"
    )
    assert plain_line(gauge.look(1, None, stopping=False)) == "reading: 1,200 rows"
    progress.stage = "writing"
    gauge.total, gauge.ends = 100, 30.0
    progress.settled.update({Status.APPLIED: 20, Status.REJECTED: 2})
    progress.requests, progress.on_call = 44, 3
    glance = gauge.look(11, None, stopping=False)
    assert plain_line(glance) == (
        "writing: 22 of 100; applied 20, on a call 3, refused 2, 4.0 requests/s, 0:39 left"
    )
    assert plain_line(gauge.look(11, None, stopping=True)).startswith("stopping: 22 of 100")
    for width in (40, 80, 120):
        text = drawn([live_view(glance, width)], width)
        assert "22 of 100" in text
    progress.stage, progress.delivered = "delivering", 20
    assert plain_line(gauge.look(12, None, stopping=False)) == (
        "telling the CRM: 20 events delivered"
    )


def test_a_defect_is_told_without_what_the_error_or_the_variables_hold(capsys):
    def broken():
        secret = "canary7391"
        raise ValueError(secret)

    with pytest.raises(ValueError, match="canary") as caught:
        broken()
    assert failures.tell_defect(caught.value, debug=False) == 1
    short = capsys.readouterr().err
    failures.tell_defect(caught.value, debug=True)
    long = capsys.readouterr().err
    assert short.startswith("error: ValueError at test_cli_texts.py:")
    assert "this is a defect of aftercall" in short
    assert "raise ValueError" in long
    assert "raise ValueError" not in short
    assert "canary7391" not in short + long


def test_an_error_among_tasks_is_found():
    found = ConfigInvalid("wrong")
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [found])])
    assert failures.known(group) is found
    assert failures.known(ExceptionGroup("tasks", [ValueError("x")])) is None
