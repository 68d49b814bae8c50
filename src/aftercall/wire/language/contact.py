"""How a contact is read, and what its dialer state means."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, get_args

from pydantic import Field

from aftercall.wire.language.bulk import Bulk
from aftercall.wire.language.table import (
    AbsentStatuses,
    ContactAddress,
    Envelope,
    Header,
    JsonPath,
    JsonPaths,
    ReadField,
    Rules,
    StateNames,
    Text,
    Version,
)

READ_FIELDS = get_args(ReadField)

GoodFor = Annotated[float, Field(strict=True, ge=2, le=60)]
ENVELOPE = ("",)


class Reading(Rules):
    """What reading a contact and reading a disposition back share."""

    url: ContactAddress = Field(
        description="Where; `{campaign}`, `{contact}` and `{version}` are filled in."
    )
    version: Version | None = Field(
        default=None, description="The version of this operation, if it is not the profile's."
    )
    method: Literal["GET", "POST"] = Field(default="GET", description="How.")
    envelope: tuple[Envelope, ...] = Field(
        default=ENVELOPE,
        description="Paths at which the object may stand: the first that has a known field.",
    )
    fields: dict[ReadField, JsonPaths] = Field(
        description=(
            "What is read = its path in the object, or several of which the first counts:"
            f" {', '.join(READ_FIELDS)}. A timestamp may be ISO 8601 with a zone, or a number of"
            " seconds or milliseconds since 1970."
        )
    )
    none_if_empty: tuple[JsonPath, ...] = Field(
        default=(),
        description=(
            "Paths in the answer; an empty list or object, or `null`, that stands at one of them"
            " under status 200 says: no such contact or, read back, no disposition."
        ),
    )
    timestamp_means: Literal["reached", "written"] = Field(
        default="reached",
        description=(
            "Whether the timestamp is when the outcome was reached, or when it was stored:"
            " then it does not say which of two outcomes is the newer one."
        ),
    )


class Read(Reading):
    """How a contact is read."""

    told: dict[Text, JsonPaths] = Field(
        default={},
        description="Further ids of the contact = their paths; a write can send `told.NAME`.",
    )
    state_id: JsonPath | None = Field(
        default=None, description="The path of the state's id, if a look-up names it."
    )
    etag_header: Header | None = Field(
        default="etag", description="The header with what a write can depend on."
    )
    etag: JsonPath | None = Field(
        default=None, description="The path of it, where it stands in the body."
    )
    absent: AbsentStatuses = Field(
        default=frozenset({404, 410}), description="Statuses that say: no such contact."
    )
    empty_is_absent: bool = Field(
        default=False, strict=True, description="Whether 204 says so, too; else it is no answer."
    )
    etag_covers_state: bool = Field(
        default=False,
        strict=True,
        description=(
            "Whether the ETag is another one as soon as a call begins or ends, or anybody writes"
            " an outcome. Only what the tenant's documentation promises may be said here."
        ),
    )
    good_for_seconds: GoodFor | None = Field(
        default=None,
        description=(
            "How old a read may be when a write leaves that depends on its ETag, 2 by default:"
            " until then it is not made again. Goes with `etag_covers_state`; any other read is"
            " good for 2 s."
        ),
    )
    bulk: Bulk | None = Field(
        default=None, description="How many contacts are read with one request, if they can be."
    )

    @cached_property
    def fields_of_item(self) -> Mapping[ReadField, JsonPaths]:
        """What is read of a contact in a list, and where it stands there."""
        return self.fields if self.bulk is None else {**self.fields, **self.bulk.fields}

    @property
    def etag_of_item(self) -> JsonPath | None:
        """Where the ETag of a contact in a list stands; None if it has none."""
        return self.etag if self.bulk is None or self.bulk.etag is None else self.bulk.etag


class Readback(Reading):
    """How the disposition is read; of a contact that is not closed it counts before its own."""

    none: AbsentStatuses = Field(
        default=frozenset({204, 404}), description="Statuses that say: it has no disposition."
    )


class States(Rules):
    """What each dialer state means. A state in none of the lists counts as a call."""

    wait: StateNames = Field(description="On a call: looked at again later.")
    allowed: StateNames = Field(description="The only states in which a write may leave.")
    closed: StateNames = Field(
        default=frozenset(), description="Over for good: the API takes no write any more."
    )
    closed_words: str = Field(
        default="The contact is closed; the tenant takes no outcome for it any more.",
        description="What a row of a closed contact is told, and what is still possible.",
    )
    closed_if_present: tuple[JsonPath, ...] = Field(
        default=(), description="Paths; a value at any of them says that the contact is closed."
    )
    lookup: Text | None = Field(
        default=None, description="The look-up that gives a state's id its name."
    )
