"""The CRM's side: its endpoints, and what is done to the outbox without a run."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal, outbox_beside
from aftercall.adapters.transport import HttpTransport, TransportOptions
from aftercall.domain.webhook import Subscription, check_body
from aftercall.engine.couriers import Couriers
from aftercall.engine.delivery import Endpoint, Line, signed_request
from aftercall.engine.halt import Halt
from aftercall.engine.progress import Progress
from aftercall.errors import ConfigInvalid, JournalBusy
from aftercall.ports import Redelivery
from aftercall.settings import ONLY_ENDPOINT, CrmEndpoint, Settings, load_crm_secrets
from aftercall.wire.heard import beginning
from aftercall.wire.http import SendFailure
from aftercall.wire.reach import reach_of

ANSWER_BYTES_MAX = 65_536
"""So much of an answer is read that the connection can be used again; nobody needs more."""


def endpoints_of(
    settings: Settings, environment: Mapping[str, str], names: Sequence[str] = ()
) -> tuple[Endpoint, ...]:
    """Return where the CRM listens.

    Args:
        settings: the configuration.
        environment: where the secrets are read from.
        names: the endpoints that are wanted; none for all.

    Raises:
        ConfigInvalid: there is no such endpoint, or a secret is missing or wrong.
    """
    return tuple(
        _endpoint(name, one, environment) for name, one in configured(settings, names).items()
    )


def configured(settings: Settings, names: Sequence[str] = ()) -> Mapping[str, CrmEndpoint]:
    """Return endpoints of the configuration by name; all of them unless some are named.

    Raises:
        ConfigInvalid: there is no such endpoint.
    """
    known = settings.crm.all_endpoints()
    for name in names:
        if name not in known:
            listed = ", ".join(known) or "none is configured"
            message = f"There is no endpoint {name} in the configuration."
            raise ConfigInvalid(message, fix=f"Name one of these: {listed}.")
    return {name: one for name, one in known.items() if not names or name in names}


def _endpoint(name: str, one: CrmEndpoint, environment: Mapping[str, str]) -> Endpoint:
    texts = load_crm_secrets(environment, one.signing_env or "")
    return Endpoint(
        subscription=Subscription(
            name, frozenset(one.categories), frozenset(one.campaigns), one.include
        ),
        url=one.url,
        secrets=tuple(text.get_secret_value() for text in texts),
        concurrency=one.concurrency,
    )


@asynccontextmanager
async def open_lines(
    settings: Settings, endpoints: Sequence[Endpoint]
) -> AsyncIterator[tuple[Line, ...]]:
    """Give each endpoint connections of its own."""
    known = settings.crm.all_endpoints()
    async with AsyncExitStack() as stack:
        lines: list[Line] = []
        for one in endpoints:
            options = _transport_options(settings, one.name, known[one.name])
            transport = await stack.enter_async_context(HttpTransport(options))
            lines.append(Line(one, transport))
        yield tuple(lines)


def _transport_options(settings: Settings, name: str, one: CrmEndpoint) -> TransportOptions:
    only = name == ONLY_ENDPOINT and settings.crm.url is not None
    seconds = settings.crm.timeout_seconds
    return TransportOptions(
        connections=one.concurrency,
        connect_seconds=seconds,
        read_seconds=seconds,
        total_seconds=seconds,
        response_bytes_max=ANSWER_BYTES_MAX,
        cut_answers=True,
        ca_file=one.ca_file,
        table="crm" if only else f"crm.endpoints.{name}",
        reach=reach_of(urlsplit(one.url).hostname or "", private=one.allow_private),
    )


@dataclass(slots=True)
class Round:
    """Deliveries that are made without a run.

    Attributes:
        settings: the configuration.
        endpoints: which endpoints.
        wait: go on until no event waits any more, not only until none can leave now.
        halt: stops it.
        progress: what each endpoint has taken so far.
    """

    settings: Settings
    endpoints: Sequence[Endpoint]
    wait: bool = False
    halt: Halt = field(default_factory=Halt)
    progress: dict[str, Progress] = field(default_factory=dict)

    @property
    def taken(self) -> Mapping[str, int]:
        """How many events each endpoint has taken so far."""
        return {name: progress.delivered for name, progress in self.progress.items()}

    async def deliver(self) -> None:
        """Deliver what the outbox holds.

        Raises:
            JournalBusy: another process works on the journal, and delivers.
            JournalError: the journal cannot be used.
        """
        journal = SqliteJournal(self.settings.journal.path)
        try:
            async with open_lines(self.settings, self.endpoints) as lines:
                self.progress = {line.endpoint.name: Progress() for line in lines}
                async with asyncio.TaskGroup() as group:
                    for line in lines:
                        one = Couriers((line,), journal.outbox, SystemClock(), random.random)
                        one.start(group, self.halt, self.progress[line.endpoint.name])
                        group.create_task(one.finish(None, wait=self.wait))
        finally:
            journal.close()


@contextmanager
def redelivery_at(path: Path) -> Iterator[tuple[Redelivery, bool]]:
    """Give what a person does to the outbox of a journal, and whether another process works on it.

    That process goes on, and delivers what there is to deliver.

    Raises:
        JournalError: the journal cannot be used.
    """
    try:
        journal = SqliteJournal(path)
    except JournalBusy:
        with outbox_beside(path) as outbox:
            yield outbox, True
        return
    try:
        yield journal.outbox, False
    finally:
        journal.close()


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a test event.

    Attributes:
        endpoint: who was sent it.
        event_id: its ``webhook-id``.
        status: the answer's HTTP status; None if there was none.
        latency_ms: how long it took.
        words: the beginning of the answer, or the failure.
    """

    endpoint: Endpoint
    event_id: str
    status: int | None
    latency_ms: float
    words: str

    @property
    def taken(self) -> bool:
        """Whether the endpoint took it."""
        return self.status is not None and 200 <= self.status < 300


async def send_tests(settings: Settings, endpoints: Sequence[Endpoint]) -> AsyncIterator[Trial]:
    """Send each endpoint a signed event that tells of nothing; nothing is stored."""
    clock = SystemClock()
    async with open_lines(settings, endpoints) as lines:
        for line in lines:
            now_ms = clock.now_us() // 1000
            identifier = f"msg_test_{secrets.token_hex(8)}"
            body = check_body(line.endpoint.name, now_ms)
            began = clock.seconds()
            status, words = None, ""
            try:
                request = signed_request(line.endpoint, identifier, body, now_ms)
                got = await line.transport.send(request)
                status, words = got.status, beginning(got.body, body, line.endpoint.secrets)
            except SendFailure as failure:
                words = failure.words
            latency_ms = round((clock.seconds() - began) * 1000, 1)
            yield Trial(line.endpoint, identifier, status, latency_ms, words)
