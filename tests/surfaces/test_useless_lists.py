"""Lists of contacts that are of no use: contacts are read one by one, and the user hears of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.engine.progress import ListTally
from aftercall.interfaces.cli.list_text import list_warnings
from aftercall.ports import Clock, Transport
from aftercall.wire.http import HttpRequest, HttpResponse
from tests.fault.rig import names, rows_for

from .test_described import DescribedRig, described

Lists = Callable[[HttpResponse], HttpResponse]


class Gateway:
    """The real transport to a tenant whose lists are answered otherwise, or late."""

    def __init__(self, transport: Transport, lists: Lists, late: float, clock: "Later") -> None:
        self._transport = transport
        self._lists = lists
        self._late = late
        self._clock = clock
        self.tokens = 0

    async def send(self, request: HttpRequest) -> HttpResponse:
        got = await self._transport.send(request)
        self.tokens += request.url.endswith("/login")
        if not request.url.endswith("/find"):
            return got
        self._clock.ahead += self._late
        return self._lists(got)


class Later:
    """The real clock, set ahead."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead = 0.0

    def seconds(self) -> float:
        return self._clock.seconds() + self.ahead

    def now_us(self) -> int:
        return self._clock.now_us()


async def synced(
    rig: DescribedRig, lists: Lists, late: float = 0.0
) -> tuple[Report, ListTally, Gateway]:
    async with rig.session() as session:
        clock = Later(session._outside.clock)
        gateway = Gateway(session._outside.tenant, lists, late, clock)
        session._outside = replace(session._outside, tenant=gateway, clock=clock)
        job = session.objects(rows_for(names(24)))
        return await session.perform(job), job.run.progress.lists, gateway


def answered(status: int, body: bytes) -> Lists:
    return lambda got: replace(got, status=status, body=body)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b'{"oops":{"text":"not for lists"}}', "The tenant answered 401: not for lists."),
        (413, b'{"oops":{"text":"too many"}}', "The tenant answered 413: too many."),
        (204, b"", "The tenant answered 204."),
        (200, b"<html>", "the answer holds no list."),
        (200, b'{"leads":[]}', "the answer tells of none of them."),
    ],
)
async def test_a_list_that_tells_nothing_is_told_of(
    tmp_path: Path, status: int, body: bytes, words: str
) -> None:
    async with described("listed", tmp_path) as rig:
        report, tally, gateway = await synced(rig, answered(status, body))

        assert report.statuses == {Status.APPLIED: 24}
        (told,) = list_warnings(tally)
        assert f"{tally.silent} of {tally.asked} lists of contacts told nothing" in told
        assert "contacts of campaign C1: " + words in told
        # Refused with a new token, too, it is about lists: nobody signs in again and again.
        assert gateway.tokens <= 2
        rig.assert_books_balance(report)


async def test_a_list_that_comes_late_is_not_written_over(tmp_path: Path) -> None:
    async with described("listed", tmp_path) as rig:
        report, tally, _ = await synced(rig, lambda got: got, late=2.1)

        assert report.statuses == {Status.APPLIED: 24}
        assert tally.silent == tally.asked > 0
        assert "took longer than what it tells is good for" in tally.trouble
        rig.assert_books_balance(report)


async def test_a_list_that_comes_in_time_counts(tmp_path: Path) -> None:
    async with described("listed", tmp_path) as rig:
        report, tally, _ = await synced(rig, lambda got: got)

        assert report.statuses == {Status.APPLIED: 24}
        assert (tally.silent, tally.untold) == (0, 0)
        assert tally.contacts > 0
        assert not list(list_warnings(tally))


async def test_lists_that_do_not_tell_of_most_are_told_of(tmp_path: Path) -> None:
    def stateless(got: HttpResponse) -> HttpResponse:
        return replace(got, body=got.body.replace(b'"phase"', b'"mood"'))

    async with described("listed", tmp_path) as rig:
        report, tally, _ = await synced(rig, stateless)

        assert report.statuses == {Status.APPLIED: 24}
        (told,) = list_warnings(tally)
        assert f"did not tell of {tally.contacts} of {tally.contacts} all that a write" in told
        assert "aftercall check --contact" in told
        rig.assert_books_balance(report)


def test_a_few_that_a_list_leaves_out_are_nothing_to_speak_of() -> None:
    assert not list(list_warnings(ListTally(asked=2, contacts=40, untold=20)))
    assert list(list_warnings(ListTally(asked=2, contacts=40, untold=21)))
