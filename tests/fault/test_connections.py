"""Connections that misbehave, and answers that no honest tenant gives, at the transport itself."""

import asyncio
import gzip
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from aftercall.adapters.transport import HttpTransport, TransportOptions
from aftercall.errors import ConfigInvalid
from aftercall.settings import settings_from
from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent, NotSent, SendFailure
from aftercall.wiring.crm import endpoints_of, send_tests

from .books import assert_books_balance
from .conftest import Rigged
from .processes import drive, write_calls
from .rig import CRM_SECRET

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
QUICK = TransportOptions(connect_seconds=0.4, read_seconds=0.3, total_seconds=0.8)
MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def peer(behave: Peer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve connections by hand; give the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            try:
                await behave(reader, writer)
            except ConnectionError:
                return

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/contact"


def saying(*pieces: bytes) -> Peer:
    """Answer with these bytes and close."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
        await writer.drain()

    return behave


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer, as the other end of a half-open connection."""
    await reader.read()


async def one_byte_at_a_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer so slowly that no pause between two bytes is too long (slow loris)."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b"Content-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer without end, as fast as it is taken."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def ask(behave: Peer, options: TransportOptions = QUICK) -> HttpResponse:
    async with peer(behave) as url, HttpTransport(options) as transport:
        return await transport.send(HttpRequest("PATCH", url, {}, b"{}"))


async def refusal(behave: Peer, options: TransportOptions = QUICK) -> SendFailure:
    with pytest.raises(SendFailure) as caught:
        await ask(behave, options)
    return caught.value


@pytest.mark.parametrize(
    ("behave", "options"),
    [
        (silent, replace(QUICK, total_seconds=20.0)),
        (one_byte_at_a_time, replace(QUICK, read_seconds=20.0)),
    ],
    ids=["silent", "one byte at a time"],
)
async def test_an_answer_that_does_not_come_is_given_up_in_time(
    behave: Peer, options: TransportOptions
) -> None:
    begun = time.monotonic()
    failure = await refusal(behave, options)

    assert isinstance(failure, MaybeSent)
    assert failure.code == "timeout"
    assert time.monotonic() - begun < 5


async def test_an_endless_answer_is_given_up() -> None:
    failure = await refusal(endless)

    assert isinstance(failure, MaybeSent)
    assert failure.code == "answer_too_long"


BOMB = b"Content-Encoding: gzip\r\n"


async def test_a_zip_bomb_is_not_unpacked_to_its_end() -> None:
    packed = gzip.compress(bytes(256 * MIB))
    length = f"Content-Length: {len(packed)}\r\n\r\n".encode()
    tracemalloc.start()
    try:
        failure = await refusal(saying(HEAD + BOMB + length, packed))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert isinstance(failure, MaybeSent)
    assert failure.code == "answer_too_long"
    assert peak < 24 * MIB


@pytest.mark.parametrize(
    "pieces",
    [
        (HEAD + b"Content-Length: 100\r\n\r\n", b'{"state":'),
        (b"HTTP/1.1 200 OK\r\nX-Big: " + b"a" * 200_000 + b"\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(50_000)) + b"\r\n",),
        (b"\x16\x03\x01 not http at all",),
        (b"",),
        (HEAD + b"Content-Length: many\r\n\r\n{}",),
        (HEAD + BOMB + b"Content-Length: 4\r\n\r\nnope",),
    ],
    ids=["cut off", "huge header", "many headers", "no HTTP", "nothing", "bad length", "bad gzip"],
)
async def test_what_is_no_answer_may_have_been_sent(pieces: tuple[bytes, ...]) -> None:
    failure = await refusal(saying(*pieces))

    assert isinstance(failure, MaybeSent)
    assert "\r" not in failure.words
    assert len(failure.words) < 200


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://169.254.169.254/latest", "//x"])
async def test_no_redirect_is_followed_wherever_it_leads(where: str) -> None:
    answer = await ask(
        saying(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
    )

    assert answer.status == 302


async def test_a_cookie_is_not_sent_back() -> None:
    heads: list[bytes] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            HEAD + b"Set-Cookie: track=me\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()

    async with peer(behave) as url, HttpTransport(QUICK) as transport:
        named = url.replace("127.0.0.1", "localhost")  # of a bare address no jar takes a cookie
        for _ in range(2):
            await transport.send(HttpRequest("GET", named, {}))

    assert len(heads) == 2
    assert all(b"ookie" not in head for head in heads)


async def test_a_closed_port_was_certainly_not_reached() -> None:
    async with HttpTransport(QUICK) as transport:
        with pytest.raises(NotSent):
            await transport.send(HttpRequest("PATCH", "http://127.0.0.1:9/contact", {}, b"{}"))


async def test_a_name_that_does_not_resolve_was_certainly_not_reached() -> None:
    async with HttpTransport(QUICK) as transport:
        with pytest.raises(NotSent) as caught:
            await transport.send(HttpRequest("PATCH", "https://no-such-tenant.invalid/", {}, b"{}"))

    assert caught.value.code in {"unknown_host", "connect_timeout"}


async def test_a_port_that_speaks_no_tls_was_not_sent_anything() -> None:
    async with peer(silent) as url, HttpTransport(QUICK) as transport:
        with pytest.raises(SendFailure) as caught:
            await transport.send(HttpRequest("PATCH", url.replace("http", "https"), {}, b"{}"))

    assert isinstance(caught.value, NotSent)


@pytest.mark.parametrize("name", ["127.0.0.1", "somebody-else.example"])
@pytest.mark.parametrize("known", [False, True], ids=["unknown authority", "known authority"])
async def test_a_certificate_that_is_not_trusted_is_sent_nothing(
    tmp_path: Path, name: str, *, known: bool
) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    options = replace(QUICK, ca_file=tmp_path / "ca.pem") if known else QUICK
    heard: list[bytes] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        await writer.drain()

    request = HttpRequest("PATCH", "", {}, b"{}")
    async with peer(behave, context) as url, HttpTransport(options) as transport:
        request = replace(request, url=url.replace("http", "https"))
        if known and name == "127.0.0.1":
            assert (await transport.send(request)).status == 200
            return
        with pytest.raises(NotSent) as caught:
            await transport.send(request)

    assert caught.value.code == "bad_certificate"
    assert heard == []


async def test_an_endpoint_of_the_crm_has_an_authority_of_its_own(tmp_path: Path) -> None:
    authority, file = trustme.CA(), tmp_path / "ca.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(file))
    environment = {"AFTERCALL_CRM_SECRET": CRM_SECRET, "AFTERCALL_CRM_SECRET_OTHER": CRM_SECRET}

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
        await writer.drain()

    async with peer(behave, context) as url:
        there = url.replace("http", "https")
        crm = {"url": there, "ca_file": str(file), "endpoints": {"other": {"url": there}}}
        tables = {"tenant": {"instance": "na1"}, "outcomes": {"INTERESTED": "positive"}}
        settings = settings_from(tables | {"crm": crm}, environment)
        endpoints = endpoints_of(settings, environment)
        trials = [trial async for trial in send_tests(settings, endpoints)]
        assert [(one.endpoint.name, one.taken) for one in trials] == [
            ("crm", True),
            ("other", False),
        ]
        assert trials[1].words == "the certificate of 127.0.0.1 is not trusted"
        file.write_text("no certificate")
        with pytest.raises(ConfigInvalid) as caught:
            await anext(send_tests(settings, endpoints))

    assert caught.value.fix == "crm.ca_file must be a PEM file."


@pytest.mark.parametrize("handles", [64, 48])
async def test_few_file_handles_are_managed_with(
    rig_with: Rigged, tmp_path: Path, handles: int
) -> None:
    """With all connections that are allowed, `ulimit -n 64` would leave none for the report."""
    path = write_calls(tmp_path / "calls.csv", 100, 4)
    async with rig_with(latency_ms=100) as rig:
        told = await drive(rig, [path], handles=handles)

        assert told is not None
        assert told.get("error") is None, told
        assert told["report"]["open"] == 0
        assert_books_balance(await rig.resume(), rig.ledger(), rig.crm())
