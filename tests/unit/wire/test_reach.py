import pytest

from aftercall.wire.reach import Reach, is_address, is_loopback, reach_of

PUBLIC = ["8.8.8.8", "2606:4700:4700::1111"]
LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]
PRIVATE = [
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "fd00:ec2::254",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
]
LINK_LOCAL = ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"]
UNSPECIFIED = ["0.0.0.0", "::"]  # noqa: S104 - nothing is bound to them here
OTHER = [*UNSPECIFIED, "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_is_reached(address: str) -> None:
    assert Reach().refusal(address) is None


@pytest.mark.parametrize("address", LOOPBACK + PRIVATE + LINK_LOCAL + OTHER)
def test_all_else_is_refused_with_a_reason(address: str) -> None:
    refusal = Reach().refusal(address)
    assert refusal is not None
    assert " is a" in refusal


@pytest.mark.parametrize("address", LOOPBACK + PRIVATE + LINK_LOCAL + OTHER)
def test_it_can_all_be_allowed(address: str) -> None:
    assert Reach(private=True).refusal(address) is None


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_is_reached_if_the_host_says_so(address: str) -> None:
    assert Reach(loopback=True).refusal(address) is None


@pytest.mark.parametrize("address", PRIVATE + LINK_LOCAL)
def test_a_host_that_is_this_machine_leads_nowhere_else(address: str) -> None:
    assert Reach(loopback=True).refusal(address) is not None


def test_what_is_no_address_is_refused() -> None:
    assert Reach().refusal("crm.example") == "crm.example is no address"


def test_only_a_host_that_is_this_machine_by_itself_allows_it() -> None:
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "::1"):
        assert reach_of(host, private=False) == Reach(loopback=True)
    for host in ("localhost.example", "127.0.0.1.example", "10.0.0.1", "8.8.8.8"):
        assert reach_of(host, private=False) == Reach()
    assert reach_of("crm.internal", private=True) == Reach(private=True)
    assert not is_loopback("crm.example")


def test_addresses_and_names_are_told_apart() -> None:
    assert all(map(is_address, (*PUBLIC, *LINK_LOCAL)))
    assert not any(map(is_address, ("localhost", "crm.example", "2130706433", "127.1")))
