"""A profile: how one tenant API surface is spoken, as data."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated

from pydantic import Field, ValidationError

from aftercall.domain.freshness import FRESH_SECONDS, Reads
from aftercall.wire.language.codes import Codes, Lookup
from aftercall.wire.language.contact import READ_FIELDS, Read, Readback, States
from aftercall.wire.language.follow_up import FollowUps, FollowUpWrite
from aftercall.wire.language.refusals import Errors, Needs, Pace
from aftercall.wire.language.sign_in import Auth, Base
from aftercall.wire.language.table import (
    FreeHeader,
    HeaderValue,
    Rules,
    Text,
    Version,
    normal_state,
)
from aftercall.wire.language.write import Write, WriteField
from aftercall.wire.problems import problems_of

__all__ = [
    "READ_FIELDS",
    "Profile",
    "ProfileInvalid",
    "normal_state",
    "profile_from",
    "profile_schema",
]


class Profile(Rules):
    """One tenant API surface."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,39}$")] = Field(
        description="What it is called: lower-case letters, digits and hyphens."
    )
    about: str = Field(default="", description="One line for `aftercall profile list`.")
    version: Version | None = Field(
        default=None, description="What `{version}` in an address is, unless an operation differs."
    )
    base: Base = Field(default=Base(), description="Where the tenant is.")
    auth: tuple[Auth, ...] = Field(min_length=1, description="How one is let in.")
    headers: dict[FreeHeader, HeaderValue] = Field(
        default={},
        description="Headers of every request. No secrets: the file is no place for one.",
    )
    request_id_header: FreeHeader = Field(
        default="x-request-id", description="The header with the id that both sides log."
    )
    read: Read = Field(description="How a contact is read.")
    readback: Readback | None = Field(
        default=None, description="How its disposition is read, where the contact does not tell it."
    )
    states: States = Field(description="What each dialer state means.")
    write: Write = Field(description="How a disposition is written.")
    codes: Codes = Field(default=Codes(), description="How outcome codes become the tenant's ids.")
    lookup: dict[Text, Lookup] = Field(
        default={}, description="Lists that the tenant is asked for."
    )
    follow_ups: FollowUps = Field(
        default=FollowUps(), description="What the API can do beyond the disposition."
    )
    errors: Errors = Field(default=Errors(), description="What refusals mean.")
    pace: Pace = Field(default=Pace(), description="How fast the tenant may be asked.")
    needs: Needs = Field(default=Needs(), description="What must be granted.")

    @cached_property
    def reads(self) -> Reads:
        """How contacts are read."""
        read = self.read
        return Reads(
            list_max=1 if read.bulk is None else read.bulk.max,
            good_for_seconds=read.good_for_seconds or FRESH_SECONDS,
        )

    @property
    def active_states(self) -> frozenset[str]:
        """Dialer states, normalised, of a contact that is on a call."""
        return self.states.wait


def profile_schema() -> dict[str, object]:
    """Return the JSON Schema of a profile, in the draft that most editors know."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **Profile.model_json_schema()}


class ProfileInvalid(ValueError):
    """A profile's file is wrong.

    Args:
        problems: all that is wrong, each on a line of its own.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def profile_from(tables: Mapping[str, object]) -> Profile:
    """Build a profile from the tables of its file.

    Raises:
        ProfileInvalid: anything is missing, unknown, of the wrong kind or contradicts something
            else; says all of it.
    """
    try:
        profile = Profile.model_validate(tables)
    except ValidationError as error:
        raise ProfileInvalid(tuple(problems_of(error, Profile))) from None
    problems = tuple(_contradictions(profile))
    if problems:
        raise ProfileInvalid(problems)
    return profile


def _contradictions(profile: Profile) -> Iterator[str]:
    """Yield what is wrong with tables that are right each by itself."""
    yield from _lost_rows(profile)
    yield from _odd_fields(profile)
    yield from _lost_names(profile)
    yield from _lost_sources(profile)
    yield from _lost_contacts(profile)
    yield from _muddled_states(profile)
    yield from _false_witnesses(profile)
    yield from _bad_follow_ups(profile)
    yield from _bold_reads(profile)
    yield from _bad_lists(profile)
    for number, auth in enumerate(profile.auth):
        if auth.asks and auth.url is None:
            yield f'auth.{number}.url: missing; style = "{auth.style}" asks a token endpoint'
    for place, version, url in _versioned(profile):
        if "{version}" in url and version is None and profile.version is None:
            yield f"{place}.version: missing; its url holds {{version}}"


def _lost_rows(profile: Profile) -> Iterator[str]:
    """Yield what a row has that is neither sent nor said to be dropped."""
    write = profile.write
    sent = {source for field in write.fields.values() for source in field.sources}
    if write.custom_fields_sent and "custom_fields" not in write.dropped:
        # The others are not: `profile check` says so.
        sent.add("custom_fields")
    if "outcome" not in sent:
        yield 'write.fields: no field carries "outcome"'
    for name in ("agent", "notes", "timestamp", "custom_fields"):
        if name not in sent and name not in write.dropped:
            yield f'write.dropped: no field carries "{name}"; map it, or list it as dropped'
        if name in sent and name in write.dropped:
            yield f'write.dropped: "{name}" is sent and dropped at once'


def _odd_fields(profile: Profile) -> Iterator[str]:
    """Yield fields of a write that hold nothing, or that its body cannot hold."""
    write = profile.write
    for name, field in write.fields.items():
        if bool(field.sources) == (field.value is not None):
            yield f"write.fields.{name}: give one of from and value"
        if write.body != "json" and "." in name:
            yield f"write.fields.{name}: only a JSON body has objects within objects"
        if write.body != "json" and field.when_absent == "null":
            yield f"write.fields.{name}.when_absent: only a JSON body has null"
    yield from _nested("write.fields", write.fields)
    if write.wrapper is not None and write.body != "json":
        yield f'write.wrapper: body = "{write.body}" has none'


def _nested(place: str, fields: Mapping[str, WriteField]) -> Iterator[str]:
    """Yield fields that would be written over each other: one is within another."""
    for name in fields:
        outer = [other for other in fields if name.startswith(f"{other}.")]
        if outer:
            yield f"{place}.{name}: is within {outer[0]}, which is a field itself"


def _lost_contacts(profile: Profile) -> Iterator[str]:
    """Yield requests that do not say which contact they are about: all would be about one."""
    for place, reading in {"read": profile.read, "readback": profile.readback}.items():
        if reading is not None and "{contact}" not in reading.url:
            yield f"{place}.url: must hold {{contact}}"
    writes = {"write": profile.write, "follow_ups.tags": profile.follow_ups.tags}
    for place, rules in writes.items():
        if rules is None or "{contact}" in rules.url:
            continue
        if not any("contact" in field.sources for field in rules.fields.values()):
            yield f'{place}.url: must hold {{contact}}, or a field must carry "contact"'


WHOLE = {"codes.catalogue", "codes.groups"}
"""Where a list must hold all there are: `outcomes pull` asks for no contact's own."""


def _lost_names(profile: Profile) -> Iterator[str]:
    """Yield names of things that are not there."""
    used = {
        "states.lookup": profile.states.lookup,
        "codes.lookup": profile.codes.lookup,
        "codes.catalogue": profile.codes.catalogue,
        "codes.groups": profile.codes.groups,
    }
    for place, name in used.items():
        if name is not None and name not in profile.lookup:
            known = ", ".join(profile.lookup) or "none"
            yield f"{place}: there is no [lookup.{name}]; there are: {known}"
        elif name is not None and place in WHOLE and profile.lookup[name].key:
            yield f"{place}: [lookup.{name}] is a list of each {{key}}; name one that has them all"
    if profile.codes.source == "lookup" and profile.codes.lookup is None:
        yield 'codes.lookup: missing; source = "lookup" needs the name of one'
    if profile.codes.source != "lookup" and profile.codes.lookup is not None:
        yield f'codes.lookup: source = "{profile.codes.source}" has none'
    if profile.codes.source == "identity" and profile.codes.static:
        yield 'codes.static: source = "identity" has none'
    if "state" not in profile.read.fields and profile.read.state_id is None:
        yield "read.fields.state: missing; without the state nothing may be written"
    if "outcome" not in profile.read.fields and "outcome" not in _readback_fields(profile):
        yield "read.fields.outcome: missing; a lost answer could not be read back"


def _lost_sources(profile: Profile) -> Iterator[str]:
    """Yield what is to be sent of a contact although nothing reads it."""
    sources = {
        f"write.fields.{name}": field.sources for name, field in profile.write.fields.items()
    } | {f"lookup.{name}.key": lookup.key for name, lookup in profile.lookup.items()}
    for place, names in sources.items():
        for name in names:
            told = name.removeprefix("told.")
            if told != name and told not in profile.read.told:
                yield f'{place}: there is no "{told}" in [read.told]'
    for name, lookup in profile.lookup.items():
        if bool(lookup.key) != ("{key}" in lookup.url):
            yield f"lookup.{name}.key: goes with {{key}} in its url"


def _bad_follow_ups(profile: Profile) -> Iterator[str]:
    """Yield what is wrong with the follow-ups."""
    for kind, rules in follow_ups_of(profile).items():
        place = f"follow_ups.{kind}"
        yield from _nested(f"{place}.fields", rules.fields)
        for name, field in rules.fields.items():
            if bool(field.sources) == (field.value is not None):
                yield f"{place}.fields.{name}: give one of from and value"
            for source in field.sources:
                told = source.removeprefix("told.")
                if told != source and told not in profile.read.told:
                    yield f'{place}.fields.{name}: there is no "{told}" in [read.told]'
        if rules.items_max > 1 and (rules.items is None or rules.failure.items is None):
            yield f"{place}.items_max: several need items and failure.items, to tell them apart"
        if rules.result_of is not None and rules.failure.items is None:
            yield f"{place}.result_of: goes with failure.items"
        if rules.items_max > 1 and not rules.repeatable:
            yield f"{place}.items_max: of several only what is repeatable can be tried again"
        sent = "{target}" in rules.url or any(
            "target" in one.sources for one in rules.fields.values()
        )
        if sent is (kind == "callback"):
            yield f"{place}: {'has no target' if sent else 'the target goes nowhere'}"


def _bold_reads(profile: Profile) -> Iterator[str]:
    """Yield what would let a write rest on an old read without a promise of the tenant's."""
    read = profile.read
    has_etag = read.etag is not None or read.etag_header is not None
    if read.etag_covers_state and not (profile.write.if_match and has_etag):
        yield "read.etag_covers_state: needs an ETag, and write.if_match"
    if read.good_for_seconds is not None and not read.etag_covers_state:
        yield "read.good_for_seconds: needs etag_covers_state = true, if the tenant promises that"


def _bad_lists(profile: Profile) -> Iterator[str]:
    """Yield what is wrong with reading several contacts at once."""
    read, bulk = profile.read, profile.read.bulk
    if bulk is None:
        return
    if profile.readback is not None:
        yield "read.bulk: [readback] asks for each contact by itself all the same; leave one out"
    named = "{campaign}" in bulk.url or bulk.campaign is not None
    if "{campaign}" in read.url and not named:
        yield "read.bulk.campaign: missing; read.url holds {campaign}, and this url does not"
    by_header = read.etag_header is not None and bulk.etag is None and read.etag is None
    if profile.write.if_match and by_header:
        yield (
            "read.bulk.etag: missing; an item has no header. Where contacts have no ETag, say"
            " write.if_match = false"
        )
    if bulk.ids_in == "json" and bulk.method == "GET":
        yield 'read.bulk.ids_in: a GET has no JSON body; say method = "POST", or another place'
    names = [bulk.ids, *filter(None, [bulk.campaign]), *bulk.constants]
    for name in dict.fromkeys(names):
        if names.count(name) > 1 or any(name.startswith(f"{other}.") for other in names):
            yield f"read.bulk: two things go to {name}, or into each other"


def follow_ups_of(profile: Profile) -> Mapping[str, FollowUpWrite]:
    """Return how follow-ups are carried out, by kind; those that the profile declares."""
    declared = profile.follow_ups
    every = {"dnc_group": declared.dnc_group, "tags": declared.tags, "callback": declared.callback}
    return {kind: rules for kind, rules in every.items() if rules is not None}


def _readback_fields(profile: Profile) -> frozenset[str]:
    return frozenset[str]() if profile.readback is None else frozenset(profile.readback.fields)


def _false_witnesses(profile: Profile) -> Iterator[str]:
    """Yield what would be read back as if it had been written, and was not.

    After a lost answer a contact that shows another agent or time than the row's would count as
    not written by us.
    """
    readings = {"read": profile.read, "readback": profile.readback}
    for place, reading in readings.items():
        if reading is None:
            continue
        if "agent" in profile.write.dropped and "agent" in reading.fields:
            yield f"{place}.fields.agent: is not written, so it cannot be read back; leave it out"
        reached = "timestamp" in reading.fields and reading.timestamp_means == "reached"
        if "timestamp" in profile.write.dropped and reached:
            yield f'{place}.timestamp_means: must be "written": the row\'s own time is dropped'


def _muddled_states(profile: Profile) -> Iterator[str]:
    states = profile.states
    if not states.allowed:
        yield "states.allowed: empty; nothing could ever be written"
    for one, other in (("wait", "allowed"), ("wait", "closed"), ("allowed", "closed")):
        both = getattr(states, one) & getattr(states, other)
        if both:
            yield f"states: {', '.join(sorted(both))} is in {one} and in {other}"


def _versioned(profile: Profile) -> Iterator[tuple[str, str | None, str]]:
    yield "read", profile.read.version, profile.read.url
    if profile.read.bulk is not None:
        yield "read.bulk", profile.read.bulk.version, profile.read.bulk.url
    yield "write", profile.write.version, profile.write.url
    if profile.readback is not None:
        yield "readback", profile.readback.version, profile.readback.url
    for name, lookup in profile.lookup.items():
        yield f"lookup.{name}", lookup.version, lookup.url
    for kind, rules in follow_ups_of(profile).items():
        yield f"follow_ups.{kind}", rules.version, rules.url
