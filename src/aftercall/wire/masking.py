"""What must never be told: our secrets and a row's personal data, should the tenant quote them."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, quote_plus

from aftercall.domain.answer import one_line
from aftercall.domain.disposition import Disposition
from aftercall.domain.masking import runs, without_personal_data

MARK = "[secret]"
LEFT_OUT = "The tenant's words quote a secret and are left out."

BASE64_CHARACTERS_MIN = 8
"""The base64 form of a very short secret would be found in any text."""


@dataclass(frozen=True, slots=True)
class Mask:
    """What is taken out of all that a tenant says.

    Attributes:
        secrets: what we have told the tenant in confidence.
        row: the row that was spoken about; None if it was none.
    """

    secrets: tuple[str, ...] = field(default=(), repr=False)
    row: Disposition | None = field(default=None, repr=False)

    def value(self, text: str) -> str:
        """Return a value that the tenant holds, without secrets."""
        return masked(text, self.secrets)

    def words(self, text: str) -> str:
        """Return what the tenant says, without secrets and without the row's personal data."""
        words = self.value(text)
        return words if self.row is None else without_personal_data(words, self.row)


def masked(words: str, secrets: Sequence[str]) -> str:
    """Return `words` without `secrets`: raw, percent-encoded, JSON-escaped or in base64.

    Words that still quote a part of one are left out as a whole.
    """
    told = tuple(secret for secret in secrets if secret)
    if not told or not words:
        return words
    words = _spelled(told).sub(MARK, words)
    return words if runs([words]).isdisjoint(_secret_runs(told)) else LEFT_OUT


@lru_cache(maxsize=8)
def _spelled(secrets: tuple[str, ...]) -> re.Pattern[str]:
    forms = {form for secret in secrets for form in _forms(secret) if form}
    longest_first = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(re.escape(form) for form in longest_first), re.IGNORECASE)


@lru_cache(maxsize=8)
def _secret_runs(secrets: tuple[str, ...]) -> frozenset[str]:
    return runs(form for secret in secrets for form in _forms(secret))


def _forms(secret: str) -> Iterator[str]:
    """Yield the ways in which a text can spell `secret`."""
    yield from (secret, one_line(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    raw = secret.encode()
    for encode in (b64encode, urlsafe_b64encode):
        forms = [encode(raw).decode().rstrip("=")]
        # Within something longer ("Basic id:secret") it may begin at any of three places; the
        # characters at its ends are shared with what stands around it.
        for shift in range(3):
            whole = encode(bytes(shift) + raw).decode()
            forms.append(whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6])
        yield from (form for form in forms if len(form) >= BASE64_CHARACTERS_MIN)
