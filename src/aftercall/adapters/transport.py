"""Requests over HTTP, by aiohttp: nothing is sent twice, and what was never sent is told apart.

aiohttp would send a GET again on its own when a kept-alive connection turns out to be dead; that
request would have no slot of the pace, so it is switched off here and left to the retry schedule.
"""

import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from aftercall.adapters.resolver import CheckedResolver, ForbiddenAddress
from aftercall.errors import ConfigInvalid
from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent, NotSent
from aftercall.wire.reach import Reach, is_address

KEEPALIVE_SECONDS = 15.0
HEADER_BYTES_MAX = 16_384


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How the other side is reached.

    Attributes:
        connections: open at once, at the most.
        connect_seconds: to resolve the name, connect and shake hands.
        read_seconds: between two pieces of an answer.
        total_seconds: for the whole exchange.
        response_bytes_max: a longer answer is given up, or cut.
        cut_answers: of a longer answer the beginning is taken, and the connection closed.
        ca_file: certificate authorities to trust in place of the system's.
        client_cert_file: a certificate that says who we are.
        client_key_file: its key.
        proxy: the URL of an HTTP proxy.
        reach: which addresses may be connected to; None for all.
        table: the table of the configuration that names the files, for errors.
    """

    connections: int = 50
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 60.0
    response_bytes_max: int = 1_048_576
    cut_answers: bool = False
    ca_file: Path | None = None
    client_cert_file: Path | None = None
    client_key_file: Path | None = None
    proxy: str | None = None
    reach: Reach | None = None
    table: str = "tenant"


class HttpTransport:
    """One pool of connections. Certificates are always verified; redirects never followed."""

    def __init__(self, options: TransportOptions) -> None:
        """Prepare the pool; nothing is connected yet.

        Raises:
            ConfigInvalid: a certificate file cannot be used.
        """
        self._options = options
        self._tls = _tls_context(options)
        self._session: aiohttp.ClientSession | None = None
        self._checked_host: str | None = None

    async def __aenter__(self) -> Self:
        """Open the pool."""
        options = self._options
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=options.connections,
                ssl=self._tls,
                keepalive_timeout=KEEPALIVE_SECONDS,
                ttl_dns_cache=30,
                resolver=None if options.reach is None else CheckedResolver(options.reach),
            ),
            timeout=aiohttp.ClientTimeout(
                total=options.total_seconds,
                connect=options.connect_seconds,
                sock_connect=options.connect_seconds,
                sock_read=options.read_seconds,
            ),
            # A tenant's cookies would tie requests together that have nothing to do with each
            # other; the environment's proxies and .netrc would send credentials elsewhere.
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=True,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
        )
        self._session._retry_connection = False  # noqa: SLF001 - there is no public switch
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request and return its answer.

        Raises:
            NotSent: it certainly never arrived.
            MaybeSent: it may have arrived.
        """
        if self._session is None:
            message = "the transport is not open"
            raise RuntimeError(message)
        url = _url(request.url)
        self._check(url.host or "")
        try:
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=request.body,
                allow_redirects=False,
                proxy=self._options.proxy,
            ) as response:
                body = await self._body(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(response.status, headers, body)
        except aiohttp.ClientConnectorCertificateError as failure:
            words = f"the certificate of {failure.host} is not trusted"
            raise NotSent("bad_certificate", words) from None
        except aiohttp.ClientConnectorDNSError as failure:
            if isinstance(failure.os_error, ForbiddenAddress):
                raise _forbidden(str(failure.os_error)) from None
            raise NotSent("unknown_host", f"the name {failure.host} does not resolve") from None
        except aiohttp.ClientConnectorError as failure:
            words = f"no connection to {failure.host}:{failure.port}"
            raise NotSent("connect_failed", words) from None
        except aiohttp.ConnectionTimeoutError:
            raise NotSent("connect_timeout", "no connection in time") from None
        except (aiohttp.ClientHttpProxyError, aiohttp.InvalidURL) as failure:
            raise _uncalled(failure, url.host) from None
        except TimeoutError:
            raise MaybeSent("timeout", "no answer in time") from None
        except (aiohttp.ClientError, ConnectionError) as failure:
            raise MaybeSent("answer_lost", f"the answer was lost: {_kind(failure)}") from None

    def _check(self, host: str) -> None:
        """Check a host that is an address; names are checked where they are resolved."""
        reach = self._options.reach
        if reach is None or host == self._checked_host:
            return
        refusal = reach.refusal(host) if is_address(host) else None
        if refusal is not None:
            raise _forbidden(refusal)
        self._checked_host = host

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """Read a body of bounded size."""
        longest = self._options.response_bytes_max
        pieces: list[bytes] = []
        size = 0
        while not response.content.at_eof():
            piece = await response.content.readany()
            size += len(piece)
            if size > longest and self._options.cut_answers:
                response.close()
                return b"".join([*pieces, piece])[:longest]
            if size > longest:
                response.close()
                raise MaybeSent("answer_too_long", f"the answer is longer than {longest} bytes")
            pieces.append(piece)
        return b"".join(pieces)


def _forbidden(refusal: str) -> NotSent:
    words = f"{refusal}; allow_private in the endpoint's table would allow it"
    return NotSent("forbidden_address", words)


def _url(text: str) -> URL:
    """Return an address as it is to be called.

    Raises:
        NotSent: it is none.
    """
    try:
        url = URL(text, encoded=True)
        _check_name(url.raw_host or "")
    except ValueError:
        raise _uncallable("the host of the address") from None
    return url


@lru_cache(maxsize=64)
def _check_name(host: str) -> None:
    """Check that a name can be looked up, before anything is sent.

    Raises:
        UnicodeError: it cannot: a label is empty or too long.
    """
    host.encode("idna").decode("idna")


def _uncallable(host: str | None) -> NotSent:
    return NotSent("connect_failed", f"{host} is no host that can be called")


def _uncalled(failure: Exception, host: str | None) -> NotSent:
    if isinstance(failure, aiohttp.InvalidURL):
        return _uncallable(host)
    return NotSent("proxy_refused", f"the proxy refused: {type(failure).__name__}")


def _kind(failure: Exception) -> str:
    """Name what failed, without the words of the other side."""
    names = {
        "ServerDisconnectedError": "the connection was closed",
        "ClientPayloadError": "it broke off",
        "ClientOSError": "the connection was reset",
        "ClientConnectionResetError": "the connection was reset",
    }
    return names.get(type(failure).__name__, type(failure).__name__)


def _tls_context(options: TransportOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=None if options.ca_file is None else str(options.ca_file)
        )
        if options.client_cert_file is not None:
            key = options.client_key_file
            context.load_cert_chain(options.client_cert_file, key)
    except (OSError, ssl.SSLError) as trouble:
        message = f"A certificate file cannot be used: {trouble.strerror or type(trouble).__name__}"
        fix = f"{options.table}.ca_file, client_cert_file and client_key_file must be PEM files."
        if options.client_cert_file is None:
            fix = f"{options.table}.ca_file must be a PEM file."
        raise ConfigInvalid(message, fix=fix) from None
    return context
