"""The access token: what the token endpoint's answer means, and how long it is good for."""

from dataclasses import dataclass, field

from aftercall.wire.http import HttpResponse
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile
from aftercall.wire.responses import finite_seconds, json_object, words_of


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Attributes:
        secret: the bearer token itself.
        renew_at_seconds: when to have a new one, on the caller's clock.
        scopes_missing: scopes that were asked for and not granted.
    """

    secret: str = field(repr=False)
    renew_at_seconds: float
    scopes_missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The credentials are wrong: trying again will not help."""

    words: str


@dataclass(frozen=True, slots=True)
class TokenUnavailable:
    """No token now; it may work later."""

    words: str


def read_token(
    profile: Profile, response: HttpResponse, now_seconds: float, mask: Mask
) -> Token | TokenRefused | TokenUnavailable:
    """Say what the token endpoint's answer means (RFC 6749, sections 5.1 and 5.2).

    Args:
        profile: names the fields.
        response: the answer.
        now_seconds: the time on the clock that `Token.renew_at_seconds` is to be compared with.
        mask: what must not come back in the words of a refusal.
    """
    if response.status in {400, 401, 403}:
        words = words_of(profile, response, mask)
        return TokenRefused(words or f"status {response.status}")
    rules = profile.token
    document = json_object(response.body) if response.status == 200 else None
    secret = document.get(rules.access_token) if document else None
    if not document or not isinstance(secret, str) or not _is_bearer(secret):
        return TokenUnavailable(f"the answer (status {response.status}) holds no token")
    life = finite_seconds(document.get(rules.expires_in))
    if life is None or life <= 0:
        life = rules.expires_in_default_seconds
    # A life shorter than the margin would renew before every request.
    early = min(rules.renew_early_seconds, life / 2)
    granted = document.get(rules.scope_granted)
    missing = (
        tuple(scope for scope in rules.scope.split() if scope not in granted.split())
        if isinstance(granted, str) and granted
        else ()
    )
    return Token(secret, now_seconds + life - early, missing)


def _is_bearer(secret: str) -> bool:
    """Say whether `secret` can stand in a header (RFC 6750, section 2.1, with some leniency)."""
    return secret.isascii() and secret.isprintable() and " " not in secret and bool(secret)
