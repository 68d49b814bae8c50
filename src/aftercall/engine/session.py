"""The access token: had once, renewed early, and once for all who were refused."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from aftercall.domain.disposition import Disposition
from aftercall.domain.retry import RetryPolicy
from aftercall.engine.halt import Halt
from aftercall.errors import CredentialsRefused, TenantUnreachable
from aftercall.ports import Clock, Transport
from aftercall.wire.auth import (
    Token,
    TokenAnswered,
    TokenRefused,
    TokenUnavailable,
    read_token,
    refreshed_by,
)
from aftercall.wire.discovery import api_url_in, tenant_id_of, token_url_in
from aftercall.wire.http import HttpRequest, SendFailure
from aftercall.wire.language.sign_in import Auth, series
from aftercall.wire.masking import Mask
from aftercall.wire.requests import (
    discovery_request,
    refresh_request,
    token_discovery_request,
    token_request,
)
from aftercall.wire.target import Identity, Target, auth_of

SIGN_IN = RetryPolicy(attempts_max=5, wait_seconds_initial=0.5, wait_seconds_max=5.0)
"""How often the token endpoint is asked before the run is paused."""

TRUST = RetryPolicy(attempts_max=5, wait_seconds_initial=0.5, wait_seconds_max=1.0)
"""So many tokens, none of which was ever accepted, and moments apart, are no bad luck."""

log = logging.getLogger("aftercall")


@dataclass(frozen=True, slots=True)
class Means:
    """What signing in takes.

    Attributes:
        transport: to the tenant.
        clock: tells the time.
        chance: a random number, uniform in [0, 1).
        halt: gives the attempt to sign in up.
    """

    transport: Transport
    clock: Clock
    chance: Callable[[], float]
    halt: Halt


class Session:
    """Holds the token of one tenant."""

    def __init__(self, target: Target, identity: Identity, means: Means) -> None:
        self._target = target
        self._identity = identity
        self._transport = means.transport
        self._clock = means.clock
        self._chance = means.chance
        self._halt = means.halt
        self._token: Token | None = None
        self._proven: Token | None = None
        self._never_accepted = 0
        self._renewing = asyncio.Lock()
        # A token and what it can be renewed for, of each of the last tokens.
        self._told: deque[str] = deque(maxlen=2 * TRUST.attempts_max)
        self.issued = 0

    async def token(self) -> Token:
        """Return a token that is good for a while yet.

        Raises:
            CredentialsRefused: the token endpoint does not accept the credentials.
            TenantUnreachable: it cannot be reached.
            Stopped: the run stops.
        """
        token = self._token
        if token is not None and self._clock.seconds() < token.renew_at_seconds:
            return token
        return await self.renew(token)

    @property
    def target(self) -> Target:
        """The tenant; its API's address is known once there is a token."""
        return self._target

    @property
    def latest(self) -> Token | None:
        """The token that was had last; None before the first."""
        return self._token

    def mask(self, row: Disposition | None = None) -> Mask:
        """Return what must not come back in the tenant's words: all that it knows from us."""
        return Mask((*self._identity.secrets, *self._told), row)

    async def renew(self, stale: Token | None) -> Token:
        """Return a token other than `stale`, asking for one unless somebody else just has.

        Raises:
            CredentialsRefused: the token endpoint does not accept the credentials.
            TenantUnreachable: it cannot be reached.
            Stopped: the run stops.
        """
        async with self._renewing:
            if self._token is None or self._token is stale:
                # No sign-in changes anything at the tenant: it can be given up at any moment.
                self._token = await self._halt.unless_thrown(self._replace(stale))
            return self._token

    def accepted(self, token: Token) -> None:
        """Note that the tenant has answered a request with `token` other than by a 401."""
        self._proven = token
        self._never_accepted = 0

    async def _replace(self, stale: Token | None) -> Token:
        await self._count_unaccepted(stale)
        return await self._sign_in()

    async def _count_unaccepted(self, stale: Token | None) -> None:
        """Give up when token after token is refused before anything was ever done with it.

        One that was accepted before has run out or was revoked, however often that happens. One
        that was refused at its first use gets a moment: its other requests may yet be answered,
        and a tenant needs that moment to hear of a token or to end a wave of revocations.
        """
        if stale is None or not self._unproven(stale):
            return
        # From half the bound on: a wait of next to nothing would be no moment at all.
        chance = (1.0 + self._chance()) / 2
        await asyncio.sleep(TRUST.wait_seconds(self._never_accepted + 1, chance))
        if not self._unproven(stale):
            return
        self._never_accepted += 1
        if self._never_accepted >= TRUST.attempts_max:
            many = TRUST.attempts_max
            message = f"The tenant refused {many} tokens in a row that it had issued (401)."
            fix = "Check that the credentials belong to this tenant and that they are enabled."
            raise CredentialsRefused(message, fix=fix, next_command="aftercall check")

    def _unproven(self, token: Token) -> bool:
        """Say whether `token` was never accepted although it has not run out."""
        return token is not self._proven and self._clock.seconds() < token.renew_at_seconds

    async def _sign_in(self) -> Token:
        words = wanted = ""
        for attempt in range(1, SIGN_IN.attempts_max + 1):
            got = await self._ask()
            url = self._target.token_url or self._target.sign_in_url(self._auth.url or "")
            wanted = f"No token could be had from {url}"
            if isinstance(got, Token):
                self.issued += 1
                self._note(got)
                log.info("token %d issued", self.issued)
                lost = await self._find_api(got)
                if lost is None:
                    return got
                got = TokenUnavailable(lost)
                wanted = "The address of the API could not be had"
            if isinstance(got, TokenRefused):
                message = f"The tenant refused the {self._auth.called}: {got.words}"
                fix = f"Check {series(self._auth.variables)}, and tenant.instance."
                raise CredentialsRefused(message, fix=fix, next_command="aftercall check")
            words = got.words
            if attempt < SIGN_IN.attempts_max:
                await asyncio.sleep(SIGN_IN.wait_seconds(attempt, self._chance()))
        message = f"{wanted}: {words}"
        fix = "Check tenant.instance or tenant.base_url, the network and the proxy."
        raise TenantUnreachable(message, fix=fix, next_command="aftercall check")

    @property
    def _auth(self) -> Auth:
        return auth_of(self._target.profile, self._identity)

    def _note(self, token: Token) -> None:
        """Remember what the tenant must not quote back."""
        self._told.extend(filter(None, (token.secret, token.refresh)))

    async def _ask(self) -> TokenAnswered:
        """Ask for a token: by the last one's refresh token if there is one, else anew."""
        lost = await self._find_token_endpoint()
        if lost is not None:
            return lost
        request = token_request(self._target, self._identity)
        if request is None:
            return Token(self._identity.bearer, math.inf)
        refresh = None if self._token is None else self._token.refresh
        if refresh is not None:
            renewal = refresh_request(self._target, self._identity, refresh)
            if renewal is not None:
                got = await self._answered(renewal, refreshed_by(self._auth))
                if isinstance(got, Token):
                    # One that brings no other leaves the old one good (RFC 6749, section 6).
                    return replace(got, refresh=got.refresh or refresh)
        return await self._answered(request, self._auth)

    async def _answered(self, request: HttpRequest, auth: Auth) -> TokenAnswered:
        try:
            response = await self._transport.send(request)
        except SendFailure as failure:
            return TokenUnavailable(failure.words)
        now = self._clock.seconds()
        return read_token(self._target.profile, response, now, self.mask(), auth)

    async def _find_token_endpoint(self) -> TokenUnavailable | None:
        """Find out where to sign in, unless that is known; return why that failed."""
        request = token_discovery_request(self._target, self._identity)
        if request is None:
            return None
        try:
            response = await self._transport.send(request)
        except SendFailure as failure:
            return TokenUnavailable(failure.words)
        found = token_url_in(self._target, self._auth, response)
        if isinstance(found, TokenUnavailable):
            return TokenUnavailable(f"{request.url}: {found.words}")
        self._target = replace(self._target, token_url=found)
        return None

    async def _find_api(self, token: Token) -> str | None:
        """Find out where the API is, unless that is known; return why that failed."""
        if self._target.api_url is not None:
            return None
        tenant_id = tenant_id_of(self._target, token.claims)
        request = discovery_request(self._target, tenant_id, token.secret)
        if request is None:
            return None
        try:
            response = await self._transport.send(request)
        except SendFailure as failure:
            return failure.words
        api_url = api_url_in(self._target, response)
        if api_url is None:
            return f"{request.url} (status {response.status}) names no address of the API to trust"
        self._target = replace(self._target, api_url=api_url)
        return None
