"""The access token: what the token endpoint's answer means, and how long it is good for."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from aftercall.domain.disposition import Json
from aftercall.wire.http import HttpResponse
from aftercall.wire.json_paths import json_object, text_of, value_at
from aftercall.wire.language.sign_in import Auth
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile
from aftercall.wire.refusals import Asked, finite_seconds, words_of

CLAIM_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Attributes:
        secret: the bearer token itself; empty where none is needed.
        renew_at_seconds: when to have a new one, on the caller's clock.
        scopes_missing: scopes that were asked for and not granted.
        refresh: what a new one can be had for, if there is that.
        claims: what it says of us (RFC 7519, section 4), unverified: it is not ours to trust.
    """

    secret: str = field(repr=False)
    renew_at_seconds: float
    scopes_missing: tuple[str, ...] = ()
    refresh: str | None = field(default=None, repr=False)
    claims: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The credentials are wrong: trying again will not help."""

    words: str


@dataclass(frozen=True, slots=True)
class TokenUnavailable:
    """No token now; it may work later."""

    words: str


TokenAnswered = Token | TokenRefused | TokenUnavailable


def read_token(
    profile: Profile,
    response: HttpResponse,
    now_seconds: float,
    mask: Mask,
    auth: Auth | None = None,
) -> TokenAnswered:
    """Say what the token endpoint's answer means (RFC 6749, sections 5.1 and 5.2).

    Args:
        profile: the tenant's language.
        response: the answer.
        now_seconds: the time on the clock that `Token.renew_at_seconds` is to be compared with.
        mask: what must not come back in the words of a refusal.
        auth: the way of signing in; the profile's first by default.
    """
    if response.status in {400, 401, 403}:
        words = words_of(profile, response, Asked(None, 0, mask))
        return TokenRefused(words or f"status {response.status}")
    rules = auth or profile.auth[0]
    names = rules.answer
    document = json_object(response.body) if response.status == 200 else None
    secret = None if document is None else value_at(document, names.access_token)
    if document is None or not isinstance(secret, str) or not _is_bearer(secret):
        return TokenUnavailable(f"the answer (status {response.status}) holds no token")
    life = finite_seconds(value_at(document, names.expires_in))
    if life is None or life <= 0:
        life = rules.expires_in_default_seconds
    # A life shorter than the margin would renew before every request.
    early = min(rules.renew_early_seconds, life / 2)
    granted = (_told(document, names.scope) or rules.scope).split()
    return Token(
        secret,
        now_seconds + life - early,
        tuple(scope for scope in rules.scope.split() if scope not in granted),
        _told(document, names.refresh_token),
        claims_of(_told(document, names.id_token)) | claims_of(secret),
    )


def refreshed_by(auth: Auth) -> Auth:
    """Return the rules by which the answer to a refresh is read."""
    return auth if auth.refresh is None else auth.model_copy(update={"answer": auth.refresh.answer})


def claims_of(token: str | None) -> dict[str, str]:
    """Return the claims of a JSON Web Token that are single values; none if it is no such token."""
    parts = (token or "").split(".")
    if len(parts) != 3:
        return {}
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    try:
        claims = json.loads(urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(claims, dict):
        return {}
    told = {name: text_of(value) for name, value in claims.items()}
    return {name: words[:CLAIM_CHARACTERS_MAX] for name, words in told.items() if words}


def _told(document: Json, path: str | None) -> str | None:
    value = None if path is None else value_at(document, path)
    return value if isinstance(value, str) else None


def _is_bearer(secret: str) -> bool:
    """Say whether `secret` can stand in a header (RFC 6750, section 2.1, with some leniency)."""
    return secret.isascii() and secret.isprintable() and " " not in secret and bool(secret)
