"""A served simulator with a client that speaks to it over HTTP."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from aftercall.simulator import Faults, LimitRules, Simulator, SimulatorConfig, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

UNLIMITED = LimitRules(rate=0)
OPEN = World(open=True)
SCOPE = "outbound:campaign:write outbound:contact:write outbound:disposition:write"


class MovedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._epoch = time.time()

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._epoch + self._now - 1000.0

    def forward(self, seconds: float) -> None:
        self._now += seconds


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any = field(default=None)


@dataclass
class Rig:
    simulator: Simulator
    session: aiohttp.ClientSession
    token: str = ""

    def contact_url(self, campaign: str, contact: str) -> URL:
        path = f"/api/v1/outbound/campaigns/{quote(campaign, '')}/contacts/{quote(contact, '')}"
        return URL(self.simulator.url + path, encoded=True)

    async def send(self, method: str, path: str | URL, **options: Any) -> Answer:
        url = path if isinstance(path, URL) else URL(self.simulator.url + path, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **options) as reply:
            body = await reply.read()
            is_json = reply.content_type == "application/json"
            parsed = await reply.json() if is_json and body[:1] in b"{[" else None
            return Answer(reply.status, reply.headers.copy(), body, parsed)

    async def ask_token(self, **changed: str) -> Answer:
        form = {
            "grant_type": "client_credentials",
            "client_id": "id",
            "client_secret": "secret",
            "scope": SCOPE,
        }
        return await self.send("POST", "/api/v1/oauth2/token", data={**form, **changed})

    async def log_in(self) -> None:
        self.token = (await self.ask_token()).json["access_token"]

    async def get(self, contact: str = "p1", campaign: str = "c1") -> Answer:
        return await self.send("GET", self.contact_url(campaign, contact), headers=self._headers())

    async def patch(
        self, change: object, contact: str = "p1", campaign: str = "c1", **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.contact_url(campaign, contact)
        return await self.send("PATCH", url, headers=self._headers() | named, json=change)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[Rig]:
    """Serve an open, unlimited world unless told otherwise, and log in."""
    config = SimulatorConfig(**{"world": OPEN, "limits": UNLIMITED, **settings})
    async with Simulator(config) as simulator, aiohttp.ClientSession() as session:
        rig = Rig(simulator, session)
        if not any(kind.value.startswith("token_") for kind in config.faults.probabilities):
            await rig.log_in()
        yield rig


def always(kind: str, **settings: float) -> Faults:
    """One fault that hits the first request of every subject, and no later one."""
    return Faults.from_json({kind: 1, "fault_limit": 1, **settings})
