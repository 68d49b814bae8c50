"""The transport connects only to what is within reach, after the name was resolved."""

import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from aftercall.adapters.resolver import CheckedResolver, ForbiddenAddress
from aftercall.adapters.transport import HttpTransport, TransportOptions
from aftercall.simulator import Simulator
from aftercall.wire.http import HttpRequest, NotSent
from aftercall.wire.reach import Reach


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


def post(url: str) -> HttpRequest:
    return HttpRequest("POST", url, {"Content-Type": "application/json"}, b"{}")


async def status_of(url: str, reach: Reach | None) -> int:
    async with HttpTransport(TransportOptions(connect_seconds=2.0, reach=reach)) as transport:
        return (await transport.send(post(url))).status


async def test_this_machine_is_reached_by_number_and_by_name_if_that_is_allowed(
    simulator: Simulator,
) -> None:
    by_name = simulator.crm_url.replace("127.0.0.1", "localhost")
    for url in (simulator.crm_url, by_name):
        assert await status_of(url, Reach(loopback=True)) == 204
        assert await status_of(url, Reach(private=True)) == 204
        assert await status_of(url, None) == 204


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1"])
async def test_a_name_or_number_that_leads_to_this_machine_is_refused_before_it_is_called(
    simulator: Simulator, host: str
) -> None:
    url = simulator.crm_url.replace("127.0.0.1", host)
    with pytest.raises(NotSent) as refusal:
        await status_of(url, Reach())
    assert refusal.value.code == "forbidden_address"
    assert "an address of this machine; allow_private" in refusal.value.words
    assert simulator.crm_events() == []


@pytest.mark.parametrize("host", ["10.1.2.3", "169.254.169.254", "[fd00:ec2::254]", "192.168.0.1"])
async def test_an_address_of_a_private_network_is_refused(host: str) -> None:
    with pytest.raises(NotSent) as refusal:
        await status_of(f"https://{host}/hooks", Reach())
    assert refusal.value.code == "forbidden_address"


class Changing(AbstractResolver):
    """A name that leads elsewhere each time it is asked for."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._answers.pop(0)
        ]

    async def close(self) -> None:
        self.closed = True


async def test_a_name_is_checked_each_time_and_gives_only_what_was_checked() -> None:
    names = Changing(["8.8.8.8"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.1"])
    resolver = CheckedResolver(Reach(), names)
    assert [one["host"] for one in await resolver.resolve("crm.example", 443)] == ["8.8.8.8"]
    with pytest.raises(
        ForbiddenAddress, match=r"^crm\.example resolves, but 169\.254\.169\.254 is a link"
    ):
        await resolver.resolve("crm.example", 443)
    with pytest.raises(ForbiddenAddress, match=r"10\.0\.0\.1"):
        await resolver.resolve("crm.example", 443)
    await resolver.close()
    assert names.closed


async def test_a_long_answer_is_cut_where_that_is_wanted(simulator: Simulator) -> None:
    options = TransportOptions(response_bytes_max=1024, cut_answers=True)
    async with HttpTransport(options) as transport:
        url = f"{simulator.url}/_sim/stats"
        answer = await transport.send(HttpRequest("GET", url, {}))
        assert answer.status == 200
        assert len(answer.body) <= 1024


@pytest.mark.parametrize(
    "host", ["a..example", "a" * 64 + ".example", "xn--.example", ".", "a.example:99999", "[::1"]
)
async def test_a_host_that_cannot_be_called_is_no_defect(host: str) -> None:
    async with HttpTransport(TransportOptions()) as transport:
        with pytest.raises(NotSent) as caught:
            await transport.send(HttpRequest("GET", f"https://{host}/x", {}))
    assert "is no host that can be called" in caught.value.words
