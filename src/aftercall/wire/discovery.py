"""Where the tenant's API and its token endpoint are, where that is asked for."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from aftercall.domain.disposition import Json
from aftercall.wire.auth import TokenUnavailable
from aftercall.wire.http import HttpResponse
from aftercall.wire.json_paths import first_at, json_object, text_of, value_at
from aftercall.wire.language.sign_in import Auth, Discovery
from aftercall.wire.language.table import PLACEHOLDER, paths_of
from aftercall.wire.target import Target


def tenant_id_of(target: Target, claims: Mapping[str, str]) -> str:
    """Return the tenant's id that a token tells; empty if it tells none."""
    discovery = target.profile.base.discovery
    names = () if discovery is None else discovery.tenant_id
    return next((claims[name] for name in names if claims.get(name)), "")


def api_url_in(target: Target, response: HttpResponse) -> str | None:
    """Return the API's address that the answer holds; None if it holds none to be trusted.

    The token goes wherever this leads: only to an address that is encrypted, on a host of the
    profile's or the one that was configured. A configured gateway is never left.
    """
    discovery = target.profile.base.discovery
    document = json_object(response.body) if response.status == 200 else None
    if discovery is None or document is None:
        return None
    told = _address_in(discovery, document)
    if told is None:
        return None
    return _trusted(target, told.rstrip("/"))


def token_url_in(target: Target, auth: Auth, response: HttpResponse) -> str | TokenUnavailable:
    """Return the token endpoint that the answer names; the profile's own if it names none.

    The credentials go wherever this leads, so it is trusted like the API's address.
    """
    own = target.sign_in_url(auth.url or "")
    if response.status == 429 or response.status >= 500:
        return TokenUnavailable(f"the token endpoint was asked for: status {response.status}")
    document = json_object(response.body) if response.status == 200 else None
    path = "" if auth.discovery is None else auth.discovery.token_url
    told = None if document is None else text_of(value_at(document, path))
    if not told:
        return own
    trusted = _trusted(target, told)
    return trusted or TokenUnavailable("the token endpoint that is named is none to be trusted")


def _trusted(target: Target, told: str) -> str | None:
    """Return an address if it may be spoken to with a token or with credentials."""
    try:
        base, parts = urlsplit(target.base_url), urlsplit(told)
    except ValueError:
        return None
    if parts.query or parts.fragment or "@" in parts.netloc or "\\" in told:
        return None
    if (parts.scheme, parts.netloc) == (base.scheme, base.netloc):
        return told
    if target.instance is None or parts.scheme != "https":
        return None
    host = parts.hostname or ""
    trusted = any(
        host == domain or host.endswith(f".{domain}") for domain in target.profile.base.hosts
    )
    return told if trusted else None


def _address_in(discovery: Discovery, document: Mapping[str, Json]) -> str | None:
    told = text_of(first_at(document, paths_of(discovery.api)))
    if told:
        return told
    made = (_made_of(document, template) for template in paths_of(discovery.else_url))
    return next((address for address in made if address is not None), None)


def _made_of(document: Mapping[str, Json], template: str) -> str | None:
    """Return an address with fields of the answer filled in; None if one is missing or odd."""
    names = PLACEHOLDER.findall(template)
    values = {name: text_of(value_at(document, name)) for name in names}
    if not all(value and value.isascii() and value.isalnum() for value in values.values()):
        return None
    return PLACEHOLDER.sub(lambda found: values[found[1]] or "", template)
