"""HTTP messages as values, and the two ways in which sending one can fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, ready to leave. `url` is absolute and already percent-encoded."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class SendFailure(Exception):
    """No answer came.

    Args:
        code: a stable reason code, such as ``"connect_failed"``.
        words: what happened, for people.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class NotSent(SendFailure):
    """The request certainly never reached the other side."""


class MaybeSent(SendFailure):
    """The request may have reached the other side and may have been carried out."""
