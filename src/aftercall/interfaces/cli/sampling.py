"""The requests of a sample row, as a profile would have them sent."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from aftercall.domain.audit import Origin, Subject
from aftercall.domain.call_record import CallRecord
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.status import Status
from aftercall.wire.follow_ups import Sender, follow_up_request
from aftercall.wire.http import HttpRequest
from aftercall.wire.language.write import WriteField
from aftercall.wire.lists import list_request
from aftercall.wire.profile import Profile, follow_ups_of
from aftercall.wire.requests import (
    Basis,
    Unwritable,
    lookup_request,
    read_request,
    readback_request,
    write_request,
)
from aftercall.wire.target import Target

SAMPLE = Disposition(
    campaign="CAMPAIGN",
    contact="CONTACT",
    outcome="OUTCOME",
    agent="AGENT",
    notes="NOTES",
    custom_fields={"NAME": "VALUE"},
    timestamp=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    event_id="EVENT",
    call_record=CallRecord(called_number="NUMBER"),
)
SAMPLE_NUMBER = "1001"
SAMPLE_TIME = "2026-01-02T10:00:00Z"
CUSTOM = "custom_fields."


def sample_requests(profile: Profile) -> Iterator[str]:
    """Yield how a row is read and written, as lines."""
    target, told, outcome = Target(profile, ""), _told(profile), _id_in(profile)
    if profile.readback is not None:
        request = readback_request(target, SAMPLE, "TOKEN", "ID")
        yield f"{request.method} {request.url}"
    if profile.read.bulk is not None:
        several = [SAMPLE, replace(SAMPLE, contact="1002")]
        if profile.read.bulk.ids_type == "integer":
            several[0] = replace(SAMPLE, contact=SAMPLE_NUMBER)
        yield from _lines(
            list_request(target, profile.read.bulk, several, "TOKEN", "ID"), {"Content-Type"}
        )
    request = read_request(target, SAMPLE, "TOKEN", "ID")
    yield f"{request.method} {request.url}"
    row = _with_custom_fields(profile.write.fields.values())
    try:
        request = write_request(target, row, "TOKEN", "ID", Basis('"ETAG"', told, outcome))
    except Unwritable as reason:
        yield f"(not written: {reason.words})"
        return
    names = {"If-Match", "Content-Type", profile.write.idempotency_header}
    yield from _lines(request, names)


def sample_lists(profile: Profile) -> Iterator[str]:
    """Yield how each list is asked for, as lines."""
    target = Target(profile, "")
    for name, lookup in profile.lookup.items():
        key = SAMPLE_NUMBER if lookup.key else ""
        request = lookup_request(target, lookup, key, 0, "TOKEN")
        yield f"{name}: {request.method} {request.url}"


def sample_follow_ups(profile: Profile) -> Iterator[str]:
    """Yield how each kind of follow-up is carried out, as lines."""
    for kind, rules in follow_ups_of(profile).items():
        one = FollowUp(
            number=1,
            serial=0,
            action=Action(FollowUpKind(kind), _target_in(rules.fields.values())),
            row=_with_custom_fields(rules.fields.values()),
            status=Status.APPLIED,
            subject=Subject(row=1, origin=Origin("RUN", "FILE", 1)),
            told=_told(profile),
        )
        try:
            request = follow_up_request(Target(profile, ""), rules, [one], Sender("TOKEN", "ID"))
        except Unwritable as reason:
            yield f"({kind} is not done: {reason.words})"
            continue
        yield from _lines(request, set())


def _id_in(profile: Profile) -> str | None:
    """Return what an outcome may be at the tenant; None where it is the code itself."""
    if profile.codes.source == "identity":
        return None
    return next(iter(profile.codes.static.values()), SAMPLE_NUMBER)


def _target_in(fields: Iterable[WriteField]) -> str:
    numbered = any("target" in spec.sources and spec.type == "integer" for spec in fields)
    return SAMPLE_NUMBER if numbered else "TARGET"


def _told(profile: Profile) -> dict[str, str]:
    return dict.fromkeys(profile.read.told, SAMPLE_NUMBER)


def _with_custom_fields(fields: Iterable[WriteField]) -> Disposition:
    """Return the sample row with the custom fields that these fields carry."""
    named: dict[str, Json] = {"NAME": "VALUE"}
    for spec in fields:
        sources = (one for one in spec.sources if one.startswith(CUSTOM))
        for name in (one.removeprefix(CUSTOM) for one in sources):
            value = SAMPLE_NUMBER if spec.type == "integer" else name.upper()
            named[name] = value if spec.format is None else SAMPLE_TIME
    return replace(SAMPLE, custom_fields=named)


def _lines(request: HttpRequest, names: set[str | None]) -> Iterator[str]:
    yield f"{request.method} {request.url}"
    yield from (f"  {name}: {value}" for name, value in request.headers.items() if name in names)
    if request.body:
        yield f"  {request.body.decode()}"
