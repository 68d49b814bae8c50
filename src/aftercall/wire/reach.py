"""Which addresses an endpoint may be reached at, so that a name cannot lead into our own network.

What is checked is the address that is connected to, after its name was resolved (OWASP, "Server
Side Request Forgery Prevention"); a name that resolves anew to another address is checked anew.
"""

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses in IPv6 (RFC 6052): what counts is the one within."""


HOST_CHARACTERS_MAX = 253
LABEL_CHARACTERS_MAX = 63
"""The longest names of RFC 1035, section 2.3.4."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be connected to besides the public internet.

    Attributes:
        private: every address: networks of one's own, link-local ones, this machine.
        loopback: this machine: the configured host is it, and says so.
    """

    private: bool = False
    loopback: bool = False

    def refusal(self, address: str) -> str | None:
        """Return why `address` must not be connected to, in words; None if it may."""
        try:
            found = _innermost(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return f"{address} is no address"
        if self.private or (self.loopback and found.is_loopback):
            return None
        for kind, holds in (
            ("an address of this machine", found.is_loopback or found.is_unspecified),
            ("a link-local address", found.is_link_local),
            ("a multicast address", found.is_multicast),
            ("a private or reserved address", not found.is_global),
        ):
            if holds:
                return f"{found} is {kind}"
        return None


def reach_of(host: str, *, private: bool) -> Reach:
    """Return what the configured `host` of an endpoint allows."""
    return Reach(private, is_loopback(host))


def is_loopback(host: str) -> bool:
    """Say whether `host` names this machine by itself, without being looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_host(name: str) -> bool:
    """Say whether `name` can be asked for: an address, or labels of a length that DNS has."""
    if ":" in name or len(name) > HOST_CHARACTERS_MAX:
        return is_address(name.partition("%")[0])
    labels = name.removesuffix(".").split(".")
    return all(0 < len(label) <= LABEL_CHARACTERS_MAX for label in labels)


def is_address(host: str) -> bool:
    """Say whether `host` is an address and no name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _innermost(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    return address if inner is None else inner
