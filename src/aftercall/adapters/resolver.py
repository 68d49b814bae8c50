"""Names are resolved to addresses that may be connected to; the others are refused."""

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from aftercall.wire.reach import Reach


class ForbiddenAddress(OSError):
    """A name leads to an address that must not be connected to."""


class CheckedResolver(AbstractResolver):
    """Resolves by the system and gives only addresses within reach.

    The connection is made to the addresses given here, so what was checked is what is reached.
    """

    def __init__(self, reach: Reach, resolver: AbstractResolver | None = None) -> None:
        self._reach = reach
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`.

        Raises:
            ForbiddenAddress: one of them must not be connected to. That others may is no help:
                which one is taken is not ours to say.
        """
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            refusal = self._reach.refusal(each["host"])
            if refusal is not None:
                raise ForbiddenAddress(f"{host} resolves, but {refusal}")
        return found

    async def close(self) -> None:
        """Close the resolver beneath."""
        await self._resolver.close()
