"""A server that costs as little as Python can: what is measured against it is the client.

It accepts every contact and every write, remembers nothing and speaks no other protocol than
HTTP/1.1 with a length. Runs as ``python -m benchmarks.fast_server [LATENCY_MS]`` until its standard
input closes; prints its address first.
"""

import asyncio
import json
import socket
import sys
from typing import cast

import httptools
import uvloop

CONTACT = b'{"contactId":"c-1","state":"READY"}'
TOKEN = json.dumps(
    {
        "access_token": "bench",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "outbound:campaign:write outbound:contact:write outbound:disposition:write",
    }
).encode()


def _answer(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


ANSWER_CONTACT = _answer(CONTACT)
ANSWER_TOKEN = _answer(TOKEN)


class Connection(asyncio.Protocol):
    """One connection: parses requests, answers each after the latency."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency = latency_seconds
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """Note what was asked for."""
        self._path = url

    def on_message_complete(self) -> None:
        """Answer, at once or after the latency; asking for a token costs no time."""
        if self._path.endswith(b"/token"):
            self._write(ANSWER_TOKEN)
        elif self._latency:
            self._loop.call_later(self._latency, self._write, ANSWER_CONTACT)
        else:
            self._write(ANSWER_CONTACT)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(latency_seconds: float) -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = await loop.create_server(lambda: Connection(latency_seconds), sock=listening)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    print(json.dumps({"url": address, "crm_url": f"{address}/crm"}), flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0))
