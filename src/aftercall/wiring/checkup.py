"""The check-up: is everything in place for a run? Each finding comes with its fix."""

import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.journal.sqlite import SqliteJournal
from aftercall.adapters.signing import load_signer
from aftercall.adapters.transport import HttpTransport
from aftercall.domain import instant
from aftercall.engine.delivery import Line
from aftercall.errors import AftercallError
from aftercall.ports import Clock, Transport
from aftercall.settings import ONLY_ENDPOINT, Settings
from aftercall.wire.auth import Token, TokenRefused, TokenUnavailable, read_token
from aftercall.wire.discovery import api_url_in, tenant_id_of, token_url_in
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.language.sign_in import Auth, series
from aftercall.wire.masking import Mask
from aftercall.wire.requests import (
    USER_AGENT,
    discovery_request,
    token_discovery_request,
    token_request,
)
from aftercall.wire.target import Identity, Target, auth_of
from aftercall.wiring.crm import endpoints_of, open_lines
from aftercall.wiring.findings import CheckResult, Probe
from aftercall.wiring.tenant_check import TenantCheck
from aftercall.wiring.values import follow_ups_in, identity_of, target_of, transport_options

SKEW_SECONDS_WARN = 10.0
"""A Date header has whole seconds, and the answer takes a moment."""


async def check_up(
    settings: Settings, environment: Mapping[str, str], probe: Probe | None = None
) -> AsyncIterator[CheckResult]:
    """Look at everything that a run needs.

    Nothing is written to the tenant unless the probe names a contact and an outcome to write.

    Args:
        settings: the configuration.
        environment: where the secrets are read from.
        probe: how far to go.

    Raises:
        ConfigInvalid: a secret, the profile or a certificate is missing or wrong, or the profile
            declares no follow-up that is asked for.
    """
    target = target_of(settings)
    follow_ups_in(settings, target.profile)
    identity = identity_of(target.profile, environment)
    endpoints = endpoints_of(settings, environment)
    yield _journal(settings)
    yield _audit(settings)
    async with HttpTransport(transport_options(settings)) as transport:
        entrance = _Entrance(target, identity, transport)
        async for finding in entrance.findings():
            yield finding
        if entrance.token is not None:
            mask = Mask((*identity.secrets, entrance.token.secret))
            codes = tuple(settings.outcomes)
            token = entrance.token.secret
            tenant = TenantCheck(entrance.target, transport, token, mask, codes)
            async for finding in tenant.findings(probe or Probe()):
                yield finding
    async with open_lines(settings, endpoints) as lines:
        for line in lines:
            yield await _crm(line)


class _Entrance:
    """Being let in, step by step.

    Attributes:
        target: the tenant; the address of its API once it is known.
        token: the token; None until one is let in.
    """

    def __init__(self, target: Target, identity: Identity, transport: Transport) -> None:
        self.target = target
        self.token: Token | None = None
        self._identity = identity
        self._transport = transport
        self._clock = SystemClock()

    async def findings(self) -> AsyncIterator[CheckResult]:
        """Sign in and find the API, and say how each went."""
        profile, auth = self.target.profile, auth_of(self.target.profile, self._identity)
        lost = await self._find_token_endpoint(auth)
        if lost is not None:
            yield lost
            return
        request = token_request(self.target, self._identity)
        if request is None:
            self.token = Token(self._identity.bearer, math.inf)
            needs = f" ({auth.variables[0]})" if auth.variables else ""
            words = f"{profile.name} signs in nowhere: a token is given{needs} or none is needed."
            yield CheckResult("sign in", "ok", words)
        else:
            got = await _send(self._transport, request)
            token = None
            if isinstance(got, HttpResponse):
                mask = Mask(self._identity.secrets)
                token = read_token(profile, got, self._clock.seconds(), mask, auth)
            yield _signed_in(urlsplit(request.url).netloc, auth, got, token)
            if isinstance(got, HttpResponse):
                yield _clock_finding(got, self._clock)
            if isinstance(token, Token):
                self.token = token
                if auth.scope:
                    yield _scopes(token)
        if self.token is not None and profile.base.discovery is not None:
            yield await self._find_api(self.token)

    async def _find_token_endpoint(self, auth: Auth) -> CheckResult | None:
        """Find out where to sign in, if that is asked for; return why that failed."""
        request = token_discovery_request(self.target, self._identity)
        if request is None:
            return None
        got = await _send(self._transport, request)
        place = urlsplit(request.url).netloc
        if isinstance(got, SendFailure):
            fix = "Check tenant.instance, the network and the proxy."
            return CheckResult("sign in", "fail", f"{place} cannot be reached: {got.words}.", fix)
        found = token_url_in(self.target, auth, got)
        if isinstance(found, TokenUnavailable):
            fix = "Give tenant.base_url, or a profile without auth.discovery."
            return CheckResult("sign in", "fail", f"{place}: {found.words}.", fix)
        self.target = replace(self.target, token_url=found)
        return None

    async def _find_api(self, token: Token) -> CheckResult:
        tenant_id = tenant_id_of(self.target, token.claims)
        request = discovery_request(self.target, tenant_id, token.secret)
        got = None if request is None else await _send(self._transport, request)
        found = api_url_in(self.target, got) if isinstance(got, HttpResponse) else None
        if found is not None:
            self.target = replace(self.target, api_url=found)
            return CheckResult("address", "ok", f"The API is at {found}.")
        self.token = None
        why = got.words if isinstance(got, SendFailure) else "the answer names none to be trusted"
        told = "the token tells no tenant id" if not tenant_id else why
        fix = "Give tenant.base_url, or a profile with a fixed base.url and without base.discovery."
        return CheckResult("address", "fail", f"The API's address is unknown: {told}.", fix)


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


def _signed_in(
    place: str, auth: Auth, got: HttpResponse | SendFailure, token: object
) -> CheckResult:
    if isinstance(got, SendFailure):
        fix = "Check tenant.instance or tenant.base_url, the network and the proxy."
        return CheckResult("sign in", "fail", f"{place} cannot be reached: {got.words}.", fix)
    match token:
        case Token():
            words = f"{place} issued a token for the {auth.called}{_who(token)}."
            return CheckResult("sign in", "ok", words)
        case TokenRefused(words):
            fix = f"Check {series(auth.variables)}, and that they are enabled."
            return CheckResult("sign in", "fail", f"{place} refused them: {words}", fix)
        case _:
            fix = "Is tenant.base_url the tenant's API? Try again if the tenant is down."
            words = f"{place} answered {got.status}, but with no token."
            return CheckResult("sign in", "fail", words, fix)


def _who(token: Token) -> str:
    """Return who the token says that we are."""
    claims = token.claims
    name = next((claims[one] for one in ("name", "preferred_username", "sub") if one in claims), "")
    tenant = claims.get("tenantId", "")
    return f" of {name}" * bool(name) + f" (tenant {tenant})" * bool(tenant)


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


async def _crm(line: Line) -> CheckResult:
    name, url = line.endpoint.name, line.endpoint.url
    got = await _send(line.transport, HttpRequest("HEAD", url, {"User-Agent": USER_AGENT}))
    label = "crm" if name == ONLY_ENDPOINT else f"crm.{name}"
    place = urlsplit(url).netloc
    if isinstance(got, SendFailure):
        fix = "Check its url. Events wait in the outbox until the CRM is back."
        return CheckResult(label, "fail", f"{place} cannot be reached: {got.words}.", fix)
    return CheckResult(label, "ok", f"{place} answers.")
