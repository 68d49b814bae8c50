"""The server: one loopback port for the tenant, the CRM and the inspection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from aftercall.simulator.acd import SIGN_IN_PATHS, AcdEndpoint, SignIn
from aftercall.simulator.config import SimulatorConfig
from aftercall.simulator.crm import CRM_PATH, CrmEndpoint
from aftercall.simulator.described import DescribedEndpoint, DescribedSignIn, load_surface
from aftercall.simulator.inspection import INSPECTION_PREFIX, Inspection
from aftercall.simulator.replies import problem
from aftercall.simulator.state import State
from aftercall.simulator.tenant import CONTACTS_PREFIX, ContactEndpoint
from aftercall.simulator.tokens import TokenEndpoint

if TYPE_CHECKING:
    from types import TracebackType

    from aftercall.simulator.faults import Faults

TOKEN_PATH = "/api/v1/oauth2/token"  # noqa: S105 - a path
LIKENESS_HEADER = "X-Simulated-Tenant"
_BACKLOG = 4096
_LARGEST_URL = 65536
_SHUTDOWN_SECONDS = 0.05


class Simulator:
    """A tenant and a CRM on loopback.

    Use it as an asynchronous context manager; while it is entered it serves.

    Attributes:
        config: The settings it runs with.
    """

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config or SimulatorConfig()
        self._state = State(self.config)
        self._contacts = ContactEndpoint(self._state)
        self._tokens = TokenEndpoint(self._state)
        self._acd = AcdEndpoint(self._state)
        self._acd_sign_in = SignIn(self._state)
        self._crm = CrmEndpoint(self._state)
        self._described: DescribedEndpoint | None = None
        self._described_sign_in: DescribedSignIn | None = None
        if self.config.profile is not None:
            surface = load_surface(self.config.profile)
            self._described_sign_in = DescribedSignIn(self._state, surface)
            self._described = DescribedEndpoint(self._state, surface, self._described_sign_in)
        self._inspection = Inspection(self._state)
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            OSError: If the port is taken.
        """
        # A plain web.Server: routing, signals and access logs cost more than all the rest.
        self._web = web.Server(
            self._dispatch, access_log=None, max_line_size=_LARGEST_URL, lingering_time=0.1
        )
        self._server = await asyncio.get_running_loop().create_server(
            self._web, self.config.host, self.config.port, backlog=_BACKLOG
        )

    async def stop(self) -> None:
        """Stop serving; answers under way are dropped."""
        if self._server is not None:
            self._server.close()
        if self._web is not None:
            await self._web.shutdown(_SHUTDOWN_SECONDS)
        self._state.close()

    @property
    def url(self) -> str:
        """Where the tenant is; without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the simulator has not been started")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def crm_url(self) -> str:
        """Where the CRM takes events."""
        return self.url + CRM_PATH

    def stats(self) -> dict[str, Any]:
        """Return all counts, as ``GET /_sim/stats`` does."""
        return self._state.stats()

    def ledger(self) -> list[dict[str, Any]]:
        """Return every committed PATCH, as ``GET /_sim/ledger`` does."""
        return self._state.ledger.entries()

    def crm_events(self) -> list[dict[str, Any]]:
        """Return every event the CRM took, as ``GET /_sim/crm`` does."""
        return self._state.events.entries()

    def follow_ups(self) -> list[dict[str, Any]]:
        """Return every tag, DNC record and callback, as ``GET /_sim/follow-ups`` does."""
        return self._state.follow_ups.entries()

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults."""
        self._state.set_faults(faults)

    def extend_world(self, data: object) -> None:
        """Add or replace contacts, given in the form of a world file."""
        self._state.extend_world(data)

    def revoke_tokens(self) -> int:
        """Make all tokens invalid and return how many there were."""
        return self._state.tokens.revoke()

    def set_client_secret(self, secret: str) -> None:
        """Change the secret the token endpoint accepts."""
        self._state.credentials.client_secret = secret

    def reset(self) -> None:
        """Start again with an empty ledger, counters and the world as described."""
        self._state.reset()

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._answer(request)
        if self.config.likeness and not response.prepared:
            response.headers[LIKENESS_HEADER] = "likeness"
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        described, entrance = self._described, self._described_sign_in
        if entrance is not None and entrance.speaks(request.method, request.raw_path):
            return await entrance.answer(request)
        if described is not None and described.speaks(request.method, request.raw_path):
            return await described.answer(request)
        if path.startswith(CONTACTS_PREFIX):
            return await self._contacts.answer(request, path)
        if path == TOKEN_PATH:
            return await self._tokens.answer(request)
        if self._acd.speaks(path):
            return await self._acd.answer(request, path)
        if path in SIGN_IN_PATHS:
            return await self._acd_sign_in.answer(request, path)
        if path == CRM_PATH or path.startswith(CRM_PATH + "/"):
            return await self._crm.answer(request, path)
        if path.startswith(INSPECTION_PREFIX):
            return await self._inspection.answer(request, path)
        return problem(404, "not_found", "no such resource")
