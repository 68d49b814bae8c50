"""The gateway of docs/teach-it-your-gateway.md: another language in front of the simulated tenant.

What goes wrong behind it goes wrong in front of it: a connection that is reset there is reset here,
and what is no JSON there is passed on as it stands.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web
from yarl import URL

NUMBERS = {
    "INTERESTED": 17,
    "NOT_INTERESTED": 18,
    "CALL_BACK": 19,
    "DO_NOT_CALL": 4,
    "NO_ANSWER": 20,
}
PHASES = {
    "READY": "Idle",
    "DIALING": "Dialling",
    "RINGING": "Ringing",
    "CONNECTED": "Talking",
    "WRAP_UP": "Wrapping up",
}
SCOPE = "outbound:campaign:write outbound:contact:write outbound:disposition:write"
PAYLOAD = {"resultId", "operator", "remark", "at", "extra", "channel"}


@dataclass(frozen=True)
class Reply:
    """What the tenant answered; status 0 is a connection that broke."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    kind: str = ""

    def document(self) -> dict[str, Any] | None:
        """Return the answer as JSON; None if it is something else."""
        try:
            got = json.loads(self.body) if self.body else {}
        except ValueError:
            return None
        assert isinstance(got, dict)
        return got


class Gateway:
    """Translates each request to the outbound API and each answer back."""

    def __init__(self, tenant_url: str, session: aiohttp.ClientSession) -> None:
        self._tenant_url = tenant_url
        self._session = session
        self.seen: list[tuple[str, str]] = []

    async def login(self, request: web.Request) -> web.StreamResponse:
        login = aiohttp.BasicAuth.decode(request.headers["Authorization"])
        form = {
            "grant_type": (await request.post())["grant_type"],
            "client_id": login.login,
            "client_secret": login.password,
            "scope": SCOPE,
        }
        async with self._session.post(
            f"{self._tenant_url}/api/v1/oauth2/token", data=form
        ) as reply:
            got = await reply.json()
            if reply.status != 200:
                return oops(reply.status, str(got.get("error_description")))
            return web.json_response({"jwt": got["access_token"], "ttl": got["expires_in"]})

    async def read(self, request: web.Request) -> web.StreamResponse:
        reply = await self._asked(request, "GET", None)
        got = reply.document()
        if reply.status != 200 or got is None:
            return self._refused(request, reply, got)
        lead: dict[str, Any] = {
            "phase": PHASES.get(got["state"], got["state"]),
            "remark": got["notes"],
            "extra": got["customFields"],
            "result": None,
        }
        if got["outcomeCode"] is not None:
            stamp = got["dispositionTimestamp"]
            moment = None if stamp is None else datetime.fromisoformat(stamp).timestamp()
            lead["result"] = {
                "id": NUMBERS[got["outcomeCode"]],
                "by": got["agentId"],
                "at": None if moment is None else int(moment),
            }
        return web.json_response({"data": {"lead": lead}})

    async def write(self, request: web.Request) -> web.StreamResponse:
        payload = json.loads(await request.read())["payload"]
        assert payload.keys() <= PAYLOAD
        assert payload["channel"] == "dialer"
        change: dict[str, Any] = {
            "outcomeCode": next(
                code for code, number in NUMBERS.items() if number == payload["resultId"]
            ),
            "agentId": payload["operator"],
            "dispositionTimestamp": datetime.fromtimestamp(payload["at"], UTC).isoformat(),
        }
        change |= {"notes": payload["remark"]} if "remark" in payload else {}
        change |= {"customFields": payload["extra"]} if "extra" in payload else {}
        reply = await self._asked(request, "PATCH", change)
        got = reply.document()
        if reply.status not in {200, 204} or got is None:
            return self._refused(request, reply, got)
        return web.json_response({"ok": True})

    async def _asked(
        self, request: web.Request, method: str, change: Mapping[str, Any] | None
    ) -> Reply:
        self.seen.append((request.method, request.path))
        campaign = quote(request.match_info["campaign"], safe="")
        contact = quote(request.match_info["contact"], safe="")
        path = f"/api/v1/outbound/campaigns/{campaign}/contacts/{contact}"
        headers = {name: request.headers[name] for name in ("Authorization", "X-Request-ID")}
        url = URL(self._tenant_url + path, encoded=True)
        try:
            async with self._session.request(
                method, url, headers=headers, json=change, allow_redirects=False
            ) as reply:
                body = await reply.read()
                return Reply(reply.status, reply.headers.copy(), body, reply.content_type)
        except aiohttp.ClientError:
            return Reply(0, {})

    def _refused(
        self, request: web.Request, reply: Reply, got: Mapping[str, Any] | None
    ) -> web.StreamResponse:
        if reply.status == 0:
            if request.transport is not None:  # Who asked may have died meanwhile.
                request.transport.abort()
            return web.Response(status=502)
        passed = {"Retry-After": "X-Wait", "Location": "Location"}
        headers = {ours: reply.headers[its] for its, ours in passed.items() if its in reply.headers}
        if got is None:
            return web.Response(
                status=reply.status, headers=headers, body=reply.body, content_type=reply.kind
            )
        return oops(reply.status, str(got.get("message", "")), headers)


def oops(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"oops": {"text": text}}, status=status, headers=headers)


@asynccontextmanager
async def gateway_to(tenant_url: str) -> AsyncIterator[str]:
    """Serve the gateway on loopback; give its address."""
    async with aiohttp.ClientSession() as session:
        gateway = Gateway(tenant_url, session)
        app = web.Application()
        app.router.add_post("/blue/login", gateway.login)
        app.router.add_get("/blue/leads/{campaign}/{contact}", gateway.read)
        app.router.add_post("/blue/leads/{campaign}/{contact}/result", gateway.write)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()
