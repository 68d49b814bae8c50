"""What the product is held against: a script, plain asyncio, and `wrk`, on the same server."""

import asyncio
import http.client
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from benchmarks.peers import Peer
from benchmarks.rig import CONCURRENCY, Cost, rows, stopwatch

HEADERS = {"Authorization": "Bearer bench", "Content-Type": "application/json"}
WRK_SECONDS = 2
REQUESTS_PER_ROW = 3

WRK_SCRIPT = """
local body = '{"outcomeCode":"INTERESTED","agentId":"a-1","notes":"%s"}'
local headers = {["Authorization"] = "Bearer bench", ["Content-Type"] = "application/json"}
local path = "/api/v1/outbound/campaigns/campaign-1/contacts/contact-1"
local turn = 0
request = function()
  turn = (turn + 1) %% 3
  if turn == 1 then return wrk.format("GET", path, headers) end
  if turn == 2 then return wrk.format("PATCH", path, headers, body) end
  return wrk.format("POST", "/crm", headers, body)
end
"""


def _paths(row: dict[str, object]) -> tuple[str, str]:
    contact = f"/api/v1/outbound/campaigns/{row['campaign']}/contacts/{row['contact']}"
    body = {name: row[name] for name in ("outcome", "agent", "notes", "timestamp")}
    return contact, json.dumps(body)


def script(one: Peer, size: int) -> Cost:
    """Read, write and tell the CRM, one request at a time, as a script over a file does."""
    line = http.client.HTTPConnection(urlsplit(one.url).netloc)
    with stopwatch() as spent:
        for row in rows(size):
            contact, body = _paths(row)
            for method, path, sent in (
                ("GET", contact, None),
                ("PATCH", contact, body),
                ("POST", urlsplit(one.crm_url).path, body),
            ):
                line.request(method, path, sent, HEADERS)
                json.loads(line.getresponse().read() or b"{}")
    line.close()
    return Cost(size, *spent)


def plain_asyncio(one: Peer, size: int) -> Cost:
    """Do the same with asyncio and httpx2, 50 at once, and nothing else: no journal, no pace."""

    async def work() -> None:
        limits = httpx2.Limits(max_connections=CONCURRENCY)
        async with httpx2.AsyncClient(limits=limits, headers=HEADERS) as client:
            waiting = iter(rows(size))

            async def some() -> None:
                for row in waiting:
                    contact, body = _paths(row)
                    (await client.get(one.url + contact)).json()
                    await client.patch(one.url + contact, content=body)
                    await client.post(one.crm_url, content=body)

            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY):
                    group.create_task(some())

    with stopwatch() as spent:
        asyncio.run(work())
    return Cost(size, *spent)


def wrk_rows_per_second(one: Peer) -> float | None:
    """Return a third of the requests per second that `wrk` gets; None where there is no wrk."""
    if shutil.which("wrk") is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        lua = Path(directory) / "rows.lua"
        lua.write_text(WRK_SCRIPT % ("x" * 60))
        told = subprocess.run(
            ["wrk", "-t1", f"-c{CONCURRENCY}", f"-d{WRK_SECONDS}s", "-s", str(lua), one.url],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if found is None or "Non-2xx" in told:
        message = f"wrk: {told}"
        raise RuntimeError(message)
    return float(found.group(1)) / REQUESTS_PER_ROW
