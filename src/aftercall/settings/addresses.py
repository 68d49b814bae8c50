"""What a configured address may look like. No message repeats it: it may hold a password."""

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic_core import PydanticCustomError

from aftercall.wire.reach import is_host, is_loopback

JOURNAL_PREFIX = "sqlite:///"

_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+(%[\w.-]+)?", re.IGNORECASE)


def tenant_address(url: str) -> str:
    """Return `url` without a slash at its end, if it can be a tenant's address."""
    parts = _private_address(url)
    if parts.query or parts.fragment:
        raise _flaw("must end after the path: no query (?) and no fragment (#)")
    return url.rstrip("/?#")


def crm_address(url: str) -> str:
    """Return `url` if it can be a CRM's webhook address. Unlike a tenant's it may have a query."""
    if _private_address(url).fragment:
        raise _flaw("must not have a fragment (#)")
    return url


def proxy_address(url: str) -> str:
    """Return `url` if it can be a proxy's address, with or without credentials."""
    parts = _parts(url, ("http", "https"))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _flaw("must be an address alone, such as http://proxy.example:3128")
    return url


def journal_address(url: str) -> str:
    """Return `url` if it names a SQLite file."""
    place = url.removeprefix(JOURNAL_PREFIX)
    if place == url:
        raise _flaw(
            "only sqlite:/// is understood: sqlite:///aftercall.db beside the configuration,"
            " sqlite:////var/lib/aftercall.db anywhere"
        )
    if not place or place.endswith("/"):
        raise _flaw("names no file; write it like sqlite:///aftercall.db")
    if place == ":memory:" or "?" in place or "\0" in place:
        # A journal in memory would forget what was written at the first crash.
        raise _flaw("must name a file, without options, like sqlite:///aftercall.db")
    return url


def journal_in(url: str, directory: Path) -> str:
    """Return the journal's `url` with a relative path in it starting from `directory`."""
    try:
        place = journal_address(url).removeprefix(JOURNAL_PREFIX)
    except PydanticCustomError:
        return url  # the check of the merged configuration says what is wrong with it
    return f"{JOURNAL_PREFIX}{directory / place}"


def is_profile_file(name: str) -> bool:
    """Say whether `name` is the path of a profile's file rather than a profile's name."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def profile_in(name: str, directory: Path) -> str:
    """Return `name` with the path of a profile's file, if it is one, starting from `directory`."""
    return str(directory / name) if is_profile_file(name) else name


def file_in(name: str, directory: Path) -> str:
    """Return `name`, if it is relative, starting from `directory`."""
    return str(directory / name)


def holds_credentials(url: str) -> bool:
    """Say whether `url` has a user name or a password before its host."""
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return "@" in url


def _private_address(url: str) -> SplitResult:
    """Return the parts of an address that others cannot listen to."""
    parts = _parts(url, ("https", "http"))
    if holds_credentials(url):
        raise _flaw("must not hold a user name or password")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise _flaw("must begin with https://; http:// is only for this machine (127.0.0.1)")
    return parts


def _parts(url: str, schemes: tuple[str, ...]) -> SplitResult:
    example = f"must be a full address, such as {schemes[0]}://host.example"
    # A backslash counts as a slash in some libraries and not in others: the host is in doubt.
    if not url.isprintable() or " " in url or "\\" in url:
        raise _flaw(f"{example}, without blanks, backslashes or control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _flaw(f"{example}; its host or port is malformed") from None
    host = parts.hostname or ""
    if parts.scheme not in schemes or not _HOST.fullmatch(host) or port == 0 or not is_host(host):
        raise _flaw(example)
    return parts


def _flaw(words: str) -> PydanticCustomError:
    return PydanticCustomError("address", words)
