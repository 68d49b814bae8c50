"""From a profile and a disposition to the requests that read and write a contact."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from aftercall.domain import instant
from aftercall.domain.disposition import Disposition, Json
from aftercall.wire.http import HttpRequest
from aftercall.wire.profile import Profile

USER_AGENT = "aftercall"


@dataclass(frozen=True, slots=True)
class Target:
    """A tenant that can be spoken to: a profile at an address (without a slash at its end)."""

    profile: Profile
    base_url: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The client credentials of an integration."""

    client_id: str
    client_secret: str = field(repr=False)


def token_request(target: Target, identity: Identity) -> HttpRequest:
    """Ask for an access token: the client credentials grant (RFC 6749, section 4.4)."""
    rules = target.profile.token
    form = {
        "grant_type": "client_credentials",
        "client_id": identity.client_id,
        "client_secret": identity.client_secret,
        "scope": rules.scope,
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
    }
    return HttpRequest("POST", target.base_url + rules.path, headers, urlencode(form).encode())


def read_request(target: Target, row: Disposition, token: str, request_id: str) -> HttpRequest:
    """Ask for the contact of `row`."""
    url = target.base_url + _fill(target.profile.read.path, row)
    return HttpRequest("GET", url, _headers(token, request_id))


def write_request(
    target: Target, row: Disposition, token: str, request_id: str, etag: str | None
) -> HttpRequest:
    """Write `row` onto its contact, on condition that it is still as read if there is an etag."""
    rules = target.profile.write
    headers = _headers(token, request_id) | {"Content-Type": "application/json"}
    if etag is not None:
        headers["If-Match"] = etag
    body = json.dumps(write_body(target.profile, row), ensure_ascii=False, separators=(",", ":"))
    url = target.base_url + _fill(rules.path, row)
    return HttpRequest(rules.method, url, headers, body.encode())


def write_body(profile: Profile, row: Disposition) -> Mapping[str, Json]:
    """Return the JSON object that a write of `row` carries.

    Notes and custom fields that the row does not have are left out: sent empty they would erase
    what the tenant holds.
    """
    names = profile.write.fields
    body: dict[str, Json] = {names["outcome"]: row.outcome, names["agent"]: row.agent}
    if row.notes is not None:
        body[names["notes"]] = row.notes
    if row.timestamp is not None:
        body[names["timestamp"]] = instant.text(instant.to_ms(row.timestamp))
    if row.custom_fields is not None:
        body[names["custom_fields"]] = row.custom_fields
    return body


def _headers(token: str, request_id: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
        "X-Request-ID": request_id,
    }


def _fill(path: str, row: Disposition) -> str:
    """Put the row's ids into a path: each is one segment, whatever characters it holds."""
    return path.replace("{campaign}", quote(row.campaign, safe="")).replace(
        "{contact}", quote(row.contact, safe="")
    )
