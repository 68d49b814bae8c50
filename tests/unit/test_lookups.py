"""Lists of the tenant are kept for as long as the profile says, each by itself."""

import random
from collections.abc import Callable

from tests.unit.wire.make import answered
from tests.unit.wire.test_profile import TABLES

from aftercall.domain import answer
from aftercall.engine.halt import Halt
from aftercall.engine.lookups import Listed, Lookups
from aftercall.engine.session import Means, Session
from aftercall.wire.auth import Token
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.profile import profile_from
from aftercall.wire.target import Identity, Target

CODES = {"url": "/desks/{key}/codes", "key": ["campaign"], "items": "all", "id": "n", "name": "is"}
PROFILE = profile_from(TABLES | {"lookup": {"codes": CODES | {"cache_seconds": 60}}})


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now_us(self) -> int:
        return int(self.at * 1_000_000)

    def seconds(self) -> float:
        return self.at


class Desk:
    """Answers with a list that is another each time; keeps what was asked for."""

    def __init__(self) -> None:
        self.clock = Clock()
        means = Means(self, self.clock, random.random, Halt())
        session = Session(Target(PROFILE, "https://gw.example"), Identity(), means)
        self.lookups = Lookups(session, self.clock)
        self.asked: list[str] = []
        self.status = 200

    async def send(self, request: HttpRequest) -> HttpResponse:
        raise AssertionError("lists are asked for in the lane of the row")

    async def carry(self, build: Callable[[Token], HttpRequest]) -> HttpResponse | SendFailure:
        self.asked.append(build(Token("t", 0.0)).url.removeprefix("https://gw.example"))
        return answered(self.status, {"all": [{"n": len(self.asked), "is": "Sold"}]})

    async def id_of(self, key: str) -> str | None:
        got = await self.lookups.listed("codes", key, self.carry)
        return got.items[0].id if isinstance(got, Listed) else None


async def test_a_list_is_fetched_again_once_it_is_old() -> None:
    desk = Desk()
    assert [await desk.id_of("7"), await desk.id_of("7")] == ["1", "1"]
    desk.clock.at += 59.9
    assert await desk.id_of("7") == "1"
    desk.clock.at += 0.2
    assert await desk.id_of("7") == "2"
    assert desk.asked == ["/desks/7/codes", "/desks/7/codes"]


async def test_each_key_has_a_list_of_its_own() -> None:
    desk = Desk()
    assert [await desk.id_of("7"), await desk.id_of("8"), await desk.id_of("7")] == ["1", "2", "1"]
    assert desk.asked == ["/desks/7/codes", "/desks/8/codes"]


async def test_what_is_no_list_is_not_kept() -> None:
    desk = Desk()
    desk.status = 503
    got = await desk.lookups.listed("codes", "7", desk.carry)
    assert isinstance(got, answer.Unavailable)
    assert got.words.startswith("codes: The tenant answered 503")
    desk.status = 403
    got = await desk.lookups.listed("codes", "7", desk.carry)
    assert isinstance(got, answer.Forbidden)
    assert got.words.startswith("codes: ")
    desk.status = 200
    assert await desk.id_of("7") == "3"
