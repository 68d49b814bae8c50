"""Reading several contacts with one request: the request, and what stands in its answer."""

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from aftercall.domain.answer import Throttled
from aftercall.domain.disposition import Disposition, Json
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wire.json_paths import json_value, put_at, text_of, value_at
from aftercall.wire.language.bulk import Bulk
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile
from aftercall.wire.refusals import Asked, refusal_of
from aftercall.wire.requests import headers_of
from aftercall.wire.target import Target

_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
"""A number that comes back as it was sent: no zeros before it, and none too long for JSON."""


def can_be_listed(bulk: Bulk, contact: str) -> bool:
    """Say whether a contact's id can be told apart among those of a list."""
    if bulk.ids_in == "query":
        return bulk.separator not in contact
    return bulk.ids_in != "json" or bulk.ids_type == "text" or bool(_WHOLE.fullmatch(contact))


def list_request(
    target: Target, bulk: Bulk, rows: Sequence[Disposition], token: str, request_id: str
) -> HttpRequest:
    """Ask for the contacts of several rows of one campaign, no contact twice."""
    campaign, contacts = rows[0].campaign, [row.contact for row in rows]
    headers = headers_of(target.profile, token, request_id)
    url = target.api(bulk.url, bulk.version, {"campaign": campaign})
    named: dict[str, Json] = dict(bulk.constants)
    if bulk.campaign is not None:
        named[bulk.campaign] = campaign
    if bulk.ids_in == "json":
        numbered = bulk.ids_type == "integer"
        named[bulk.ids] = [int(one) for one in contacts] if numbered else list(contacts)
        body: dict[str, Json] = {}
        for path, value in named.items():
            put_at(body, path, value)
        headers["Content-Type"] = "application/json"
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return HttpRequest(bulk.method, url, headers, text.encode())
    pairs = [(name, _plain(value)) for name, value in named.items()]
    if bulk.ids_in == "query":
        pairs.append((bulk.ids, bulk.separator.join(contacts)))
    else:
        pairs += [(bulk.ids, contact) for contact in contacts]
    return HttpRequest(bulk.method, f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}", headers)


def holds_list(bulk: Bulk, response: HttpResponse) -> bool:
    """Say whether an answer holds a list, if an empty one."""
    return _list_in(bulk, response) is not None


def _list_in(bulk: Bulk, response: HttpResponse) -> list[Json] | None:
    document = json_value(response.body) if response.status == 200 else None
    found = value_at(document, bulk.items)
    return found if isinstance(found, list) else None


def items_in(bulk: Bulk, response: HttpResponse, rows: Sequence[Disposition]) -> Mapping[str, Json]:
    """Return what an answer tells of the contacts that were asked for, by contact.

    One that is told twice is left out, as is everybody who was not asked for: which of two says
    the truth nobody knows. An answer that holds no list tells of none.
    """
    told: dict[str, Json] = {}
    twice: set[str] = set()
    for item in _list_in(bulk, response) or ():
        number = value_at(item, bulk.id)
        contact = number if isinstance(number, str) else text_of(number)
        if contact in told:
            twice.add(contact)
        elif contact is not None:
            told[contact] = item
    asked = {row.contact for row in rows} - twice
    return {contact: item for contact, item in told.items() if contact in asked}


def throttled_by(
    profile: Profile, response: HttpResponse, now_ms: int, mask: Mask
) -> Throttled | None:
    """Return what an answer to a list says of the pace, if it asks to slow down."""
    refusal = refusal_of(profile, response, Asked("read", now_ms, mask))
    return refusal if isinstance(refusal, Throttled) else None


def _plain(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)
