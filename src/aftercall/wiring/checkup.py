"""The check-up: is everything in place for a run? Each finding comes with its fix."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.signing import load_signer
from aftercall.adapters.transport import HttpTransport
from aftercall.domain import answer, instant
from aftercall.domain.disposition import Disposition
from aftercall.engine.delivery import Line
from aftercall.errors import AftercallError
from aftercall.ports import Clock, Transport
from aftercall.settings import ONLY_ENDPOINT, Settings
from aftercall.wire.auth import Token, TokenRefused, read_token
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.masking import Mask
from aftercall.wire.requests import USER_AGENT, Target, read_request, token_request
from aftercall.wire.responses import read_contact
from aftercall.wiring.crm import endpoints_of, open_lines
from aftercall.wiring.values import identity_of, target_of, transport_options

SKEW_SECONDS_WARN = 10.0
"""A Date header has whole seconds, and the answer takes a moment."""

PROBE = "aftercall-check"
"""A campaign and contact that no tenant has: reading it shows whether we may read at all."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding: what was looked at, how it stands, and what to do about it."""

    name: str
    level: Literal["ok", "warn", "fail"]
    words: str
    fix: str = ""


async def check_up(
    settings: Settings, environment: Mapping[str, str], probe: tuple[str, str] | None = None
) -> AsyncIterator[CheckResult]:
    """Look at everything that a run needs; nothing is written to the tenant.

    Args:
        settings: the configuration.
        environment: where the secrets are read from.
        probe: the campaign and id of a contact to read, to see what the tenant tells of one.

    Raises:
        ConfigInvalid: a secret or a certificate is missing or wrong.
    """
    target = target_of(settings)
    identity = identity_of(environment)
    request = token_request(target, identity)
    endpoints = endpoints_of(settings, environment)
    yield _journal(settings)
    yield _audit(settings)
    clock = SystemClock()
    async with HttpTransport(transport_options(settings)) as tenant:
        got = await _send(tenant, request)
        token = None
        if isinstance(got, HttpResponse):
            mask = Mask((identity.client_secret,))
            token = read_token(target.profile, got, clock.seconds(), mask)
        yield _signed_in(target, got, token)
        if isinstance(got, HttpResponse):
            yield _clock_finding(got, clock)
        if isinstance(token, Token):
            yield _scopes(token)
            mask = Mask((identity.client_secret, token.secret))
            yield await _contact(tenant, target, token, mask, probe)
    async with open_lines(settings, endpoints) as lines:
        for line in lines:
            yield await _crm(line)


async def _send(transport: Transport, request: HttpRequest) -> HttpResponse | SendFailure:
    try:
        return await transport.send(request)
    except SendFailure as failure:
        return failure


def _journal(settings: Settings) -> CheckResult:
    path = settings.journal.path
    try:
        SqliteJournal(path).close()
    except AftercallError as trouble:
        return CheckResult("journal", "fail", trouble.message, trouble.fix)
    return CheckResult("journal", "ok", f"{path} can be written, and nobody else works on it.")


def _audit(settings: Settings) -> CheckResult:
    path = settings.audit.key_file
    try:
        signer = load_signer(path)
    except AftercallError as trouble:
        return CheckResult("audit", "fail", trouble.message, trouble.fix)
    if signer is None:
        fix = "Make one: aftercall audit keygen"
        return CheckResult(
            "audit", "warn", f"There is no key {path}: the trail is not signed.", fix
        )
    return CheckResult("audit", "ok", f"The trail is signed as {signer.key.name}.")


def _signed_in(target: Target, got: HttpResponse | SendFailure, token: object) -> CheckResult:
    place = urlsplit(target.base_url).netloc
    if isinstance(got, SendFailure):
        fix = "Check tenant.instance or tenant.base_url, the network and the proxy."
        return CheckResult("sign in", "fail", f"{place} cannot be reached: {got.words}.", fix)
    match token:
        case Token():
            words = f"{place} issued a token ({target.profile.name})."
            return CheckResult("sign in", "ok", words)
        case TokenRefused(words):
            fix = "Check CXONE_CLIENT_ID and CXONE_CLIENT_SECRET, and that they are enabled."
            return CheckResult("sign in", "fail", f"{place} refused them: {words}", fix)
        case _:
            fix = "Is tenant.base_url the tenant's API? Try again if the tenant is down."
            words = f"{place} answered {got.status}, but with no token."
            return CheckResult("sign in", "fail", words, fix)


def _scopes(token: Token) -> CheckResult:
    if token.scopes_missing:
        missing = " ".join(token.scopes_missing)
        fix = "Have the scope granted to the client id."
        return CheckResult("scopes", "fail", f"Not granted: {missing}.", fix)
    return CheckResult("scopes", "ok", "All that are needed were granted.")


def _clock_finding(got: HttpResponse, clock: Clock) -> CheckResult:
    try:
        moment = parsedate_to_datetime(got.headers.get("date", ""))
    except (ValueError, TypeError, IndexError):
        return CheckResult("clock", "warn", "The tenant does not tell its time.", "Compare by eye.")
    theirs = instant.to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    skew = (clock.now_us() // 1000 - theirs) / 1000
    if abs(skew) > SKEW_SECONDS_WARN:
        ahead = "ahead of" if skew > 0 else "behind"
        words = f"This machine's clock is {abs(skew):.0f} s {ahead} the tenant's."
        fix = "Set it by NTP: timestamps decide which of two outcomes is the newer one."
        return CheckResult("clock", "warn", words, fix)
    return CheckResult("clock", "ok", "This machine and the tenant agree on the time.")


async def _contact(
    tenant: HttpTransport,
    target: Target,
    token: Token,
    mask: Mask,
    probe: tuple[str, str] | None,
) -> CheckResult:
    campaign, contact = probe or (PROBE, PROBE)
    row = Disposition(campaign=campaign, contact=contact, outcome="", agent="")
    sent = await _send(tenant, read_request(target, row, token.secret, PROBE))
    if isinstance(sent, SendFailure):
        fix = "Try again; check the network."
        return CheckResult("contacts", "fail", f"A contact could not be read: {sent.words}.", fix)
    match read_contact(target.profile, sent, 0, mask):
        case answer.Found(found):
            return _etag(found.etag)
        case answer.Absent() if probe is None:
            words = "Contacts may be read. Name one with --contact to see what is told of it."
            return CheckResult("contacts", "ok", words)
        case answer.Absent():
            fix = "Check both ids."
            return CheckResult("contacts", "warn", f"{campaign} has no contact {contact}.", fix)
        case answer.Forbidden(words):
            fix = "Have the scope outbound:contact:write granted to the client id."
            return CheckResult("contacts", "fail", f"Contacts may not be read: {words}", fix)
        case _:
            words = f"Reading a contact was answered with {sent.status}."
            fix = "Is tenant.base_url the tenant's API?"
            return CheckResult("contacts", "fail", words, fix)


def _etag(etag: str | None) -> CheckResult:
    if etag is None:
        words = "The tenant gives no ETag: a call that starts between read and write is not seen."
        fix = "The time between the two is kept in each audit entry; see docs/concepts.md."
        return CheckResult("contacts", "warn", words, fix)
    words = "Contacts have an ETag: a write only lands on what was just read."
    return CheckResult("contacts", "ok", words)


async def _crm(line: Line) -> CheckResult:
    name, url = line.endpoint.name, line.endpoint.url
    got = await _send(line.transport, HttpRequest("HEAD", url, {"User-Agent": USER_AGENT}))
    label = "crm" if name == ONLY_ENDPOINT else f"crm.{name}"
    place = urlsplit(url).netloc
    if isinstance(got, SendFailure):
        fix = "Check its url. Events wait in the outbox until the CRM is back."
        return CheckResult(label, "fail", f"{place} cannot be reached: {got.words}.", fix)
    return CheckResult(label, "ok", f"{place} answers.")
