"""From a profile and a disposition to the requests that read and write a contact."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote_plus, urlencode

from aftercall.domain import instant
from aftercall.domain.disposition import Disposition, Json, is_identifier
from aftercall.domain.key import key_of
from aftercall.wire.http import HttpRequest
from aftercall.wire.json_paths import put_at, text_of
from aftercall.wire.language.codes import Lookup
from aftercall.wire.language.contact import Read, Readback
from aftercall.wire.language.sign_in import Auth, Refresh
from aftercall.wire.language.write import WriteField
from aftercall.wire.profile import Profile
from aftercall.wire.stamps import read_stamp_ms
from aftercall.wire.target import Identity, Target, auth_of

USER_AGENT = "aftercall"

_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a write rests on, as it was read.

    Attributes:
        etag: the entity tag that it depends on; None if it depends on none.
        told: further ids of the contact.
        outcome: the tenant's id of the row's outcome; None if that is the code itself.
        target: the id of the group or tag of a follow-up.
    """

    etag: str | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    outcome: str | None = None
    target: str | None = None


ON_NOTHING = Basis()
"""For an API that takes the codes as they are and has no entity tags."""


class Unwritable(Exception):
    """The row cannot be sent to this API.

    Args:
        code: a stable reason code.
        words: why, for people.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


def token_request(target: Target, identity: Identity) -> HttpRequest | None:
    """Ask for an access token; None if none is asked for (RFC 6749, sections 4.3 and 4.4)."""
    auth = auth_of(target.profile, identity)
    if not auth.asks or auth.url is None:
        return None
    url = target.token_url or target.sign_in_url(auth.url)
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **target.profile.headers}
    if auth.style == "access_key_json":
        keys = {auth.key_id_field: identity.key_id, auth.key_secret_field: identity.key_secret}
        return _json_request(url, headers, keys | auth.extra)
    form = {"grant_type": auth.style} | _client(auth, identity, headers)
    if auth.style == "password":
        form |= {"username": identity.key_id, "password": identity.key_secret}
    form |= ({"scope": auth.scope} if auth.scope else {}) | auth.extra
    return HttpRequest("POST", url, headers | {"Content-Type": FORM}, urlencode(form).encode())


def refresh_request(target: Target, identity: Identity, refresh_token: str) -> HttpRequest | None:
    """Ask for a new token by the old one's refresh token; None if the profile has no such way."""
    auth = auth_of(target.profile, identity)
    rules: Refresh | None = auth.refresh
    if rules is None:
        return None
    same = rules.url == auth.url and target.token_url is not None
    url = target.token_url if same and target.token_url else target.sign_in_url(rules.url)
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **target.profile.headers}
    if rules.style == "json":
        return _json_request(url, headers, {rules.field: refresh_token})
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    form |= _client(auth, identity, headers)
    return HttpRequest("POST", url, headers | {"Content-Type": FORM}, urlencode(form).encode())


def token_discovery_request(target: Target, identity: Identity) -> HttpRequest | None:
    """Ask where the token endpoint is (OpenID Connect Discovery 1.0, section 4.1).

    None if the profile says that itself, if the configuration names the tenant's whole address, or
    if it is known.
    """
    discovery = auth_of(target.profile, identity).discovery
    if discovery is None or target.instance is None or target.token_url is not None:
        return None
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **target.profile.headers}
    return HttpRequest("GET", target.sign_in_url(discovery.url), headers)


def discovery_request(target: Target, tenant_id: str, token: str) -> HttpRequest | None:
    """Ask where the API is; None if the profile says that itself."""
    discovery = target.profile.base.discovery
    if discovery is None:
        return None
    url = target.sign_in_url(discovery.url, {"tenant_id": tenant_id})
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **_bearer(token)}
    return HttpRequest("GET", url, headers | target.profile.headers)


def read_request(target: Target, row: Disposition, token: str, request_id: str) -> HttpRequest:
    """Ask for the contact of `row`."""
    return _reading(target, target.profile.read, row, headers_of(target.profile, token, request_id))


def readback_request(target: Target, row: Disposition, token: str, request_id: str) -> HttpRequest:
    """Ask for the disposition of the row's contact: for the contact, if that tells it itself."""
    rules = target.profile.readback or target.profile.read
    return _reading(target, rules, row, headers_of(target.profile, token, request_id))


def lookup_request(target: Target, lookup: Lookup, key: str, skip: int, token: str) -> HttpRequest:
    """Ask for a list, or for the part of it that begins after `skip` items."""
    url = target.api(lookup.url, lookup.version, {"key": key})
    if lookup.page is not None:
        query = urlencode({lookup.page.skip: skip, lookup.page.top: lookup.page.size})
        url += f"{'&' if '?' in url else '?'}{query}"
    headers = {"Accept": "application/json", "User-Agent": USER_AGENT, **_bearer(token)}
    return HttpRequest("GET", url, headers | target.profile.headers)


def write_request(
    target: Target, row: Disposition, token: str, request_id: str, basis: Basis
) -> HttpRequest:
    """Write `row` onto its contact, on condition that it is still as read if there is an etag.

    Raises:
        Unwritable: the row cannot be sent.
    """
    rules = target.profile.write
    headers = headers_of(target.profile, token, request_id)
    if basis.etag is not None and rules.if_match:
        headers["If-Match"] = basis.etag
    if rules.idempotency_header is not None:
        headers[rules.idempotency_header] = key_of(row).hex()
    fields = write_body(target.profile, row, basis)
    url = target.contact_url(rules.url, row, rules.version)
    if rules.body == "json":
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        headers["Content-Type"] = "application/json"
        return HttpRequest(rules.method, url, headers, text.encode())
    pairs = urlencode({name: _plain(value) for name, value in fields.items()})
    if rules.body == "form":
        headers["Content-Type"] = FORM
        return HttpRequest(rules.method, url, headers, pairs.encode())
    return HttpRequest(rules.method, f"{url}{'&' if '?' in url else '?'}{pairs}", headers, b"")


def write_body(profile: Profile, row: Disposition, basis: Basis = ON_NOTHING) -> Mapping[str, Json]:
    """Return the fields that a write of `row` carries.

    Notes and custom fields that the row does not have are left out unless the profile says
    otherwise: sent empty they would erase what the tenant holds.

    Raises:
        Unwritable: the row cannot be sent.
    """
    rules = profile.write
    body = filled(rules.fields, row, basis)
    if rules.wrapper is None:
        return body
    wrapped: dict[str, Json] = {}
    put_at(wrapped, rules.wrapper, body)
    return wrapped


def filled(fields: Mapping[str, WriteField], row: Disposition, basis: Basis) -> dict[str, Json]:
    """Return the fields of a request with what they carry of `row`.

    Raises:
        Unwritable: the row has not what the tenant needs.
    """
    body: dict[str, Json] = {}
    for name, spec in fields.items():
        value = spec.value if spec.value is not None else _first_of(spec, row, basis)
        if value is None and spec.when_absent == "refuse":
            raise Unwritable("missing_value", f"The tenant needs {_source_words(spec)}.")
        if value is None and spec.when_absent == "omit":
            continue
        put_at(body, name, _typed(spec, value))
    return body


def sent_of(profile: Profile, name: str, row: Disposition, basis: Basis) -> str | None:
    """Return as text what a write sends of one of the row's fields; None if it sends none."""
    specs = (spec for spec in profile.write.fields.values() if spec.sources == (name,))
    spec = next(specs, None)
    if spec is None:
        return None
    try:
        return text_of(_typed(spec, _first_of(spec, row, basis)))
    except Unwritable:
        return None


def key_in(sources: tuple[str, ...], row: Disposition, told: Mapping[str, str]) -> str | None:
    """Return as text the first of `sources` that there is, as a look-up's key.

    It becomes a segment of a path, and nobody has checked it yet: a custom field, or the tenant's.
    """
    basis = Basis(told=told)
    values = (_carried(source, row, basis) for source in sources)
    texts = (text_of(value) for value in values if not isinstance(value, datetime))
    return next((text for text in texts if text and is_identifier(text)), None)


def _first_of(spec: WriteField, row: Disposition, basis: Basis) -> Json:
    for source in spec.sources:
        value = _carried(source, row, basis)
        if isinstance(value, datetime):
            return _time(instant.to_ms(value), spec)
        if value is not None:
            return value if spec.format is None else _time_in(value, spec)
    return None


def _carried(source: str, row: Disposition, basis: Basis) -> "Json | datetime":
    kind, _, name = source.partition(".")
    if kind == "told":
        return basis.told.get(name)
    if kind == "custom_fields" and name:
        return (row.custom_fields or {}).get(name)
    if kind == "call_record":
        called: Json | datetime = getattr(row.call_record, name, None)
        return called
    if kind == "target":
        return basis.target
    if kind == "outcome":
        return row.outcome if basis.outcome is None else basis.outcome
    value: Json | datetime = getattr(row, kind)
    return value


def _time_in(value: Json, spec: WriteField) -> Json:
    """Return in the wanted form a time that stands in a custom field, or that the tenant told.

    Raises:
        Unwritable: it is none, or names no instant: sent as it is, it would mean another time.
    """
    stamp_ms = read_stamp_ms(value)
    if stamp_ms is None:
        needed = f"The tenant needs {_source_words(spec)} as a time with a zone"
        raise Unwritable("wrong_type", f"{needed}, such as 2026-01-02T10:00:00Z.")
    return _time(stamp_ms, spec)


def _time(stamp_ms: int, spec: WriteField) -> Json:
    match spec.format:
        case "iso" | None:
            return instant.text(stamp_ms)
        case "iso_seconds":
            return instant.text(stamp_ms // 1000 * 1000).replace(".000", "")
        case "epoch_seconds":
            return stamp_ms // 1000
        case "epoch_milliseconds":
            return stamp_ms


def _typed(spec: WriteField, value: Json) -> Json:
    if value is None:
        return None if spec.when_absent == "null" else ""
    if spec.type == "integer":
        # Not by int() alone: it also takes "1_000", and digits of any script.
        number = text_of(value)
        if number is None or not _WHOLE.fullmatch(number):
            words = f"The tenant needs {_source_words(spec)} as a whole number."
            raise Unwritable("wrong_type", words)
        value = int(number)
    if spec.type == "text" and not isinstance(value, str):
        value = _plain(value)
    longest = spec.characters_max
    if longest is not None and isinstance(value, str) and len(value) > longest:
        if spec.too_long == "refuse":
            words = f"The tenant takes {longest} characters as {_source_words(spec)}."
            raise Unwritable("too_long", words)
        value = value[:longest]
    return value


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _source_words(spec: WriteField) -> str:
    return " or ".join(spec.sources)


def _reading(
    target: Target, rules: Read | Readback, row: Disposition, headers: dict[str, str]
) -> HttpRequest:
    url = target.contact_url(rules.url, row, rules.version)
    return HttpRequest(rules.method, url, headers)


def _json_request(url: str, headers: dict[str, str], fields: Mapping[str, str]) -> HttpRequest:
    body = json.dumps(fields, ensure_ascii=False).encode()
    return HttpRequest("POST", url, headers | {"Content-Type": "application/json"}, body)


def _client(auth: Auth, identity: Identity, headers: dict[str, str]) -> dict[str, str]:
    """Return the client's credentials as form fields, or put them into `headers`."""
    if not identity.client_id:
        return {}
    if auth.client_auth == "form":
        return {"client_id": identity.client_id, "client_secret": identity.client_secret}
    # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
    pair = f"{quote_plus(identity.client_id)}:{quote_plus(identity.client_secret)}"
    headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return {}


def headers_of(profile: Profile, token: str, request_id: str) -> dict[str, str]:
    """Return the headers of every request about a contact."""
    return {
        **_bearer(token),
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
        **profile.headers,
        _shown(profile.request_id_header): request_id,
    }


def _shown(header: str) -> str:
    """Return a header's name as it is usually written; case does not matter (RFC 9110, 5.1)."""
    parts = (part.upper() if part == "id" else part.capitalize() for part in header.split("-"))
    return "-".join(parts)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}
