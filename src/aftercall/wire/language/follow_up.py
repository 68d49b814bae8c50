"""What else can be done for a contact: tags, a record in a DNC group, a scheduled callback."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from aftercall.domain.call_record import NAMES
from aftercall.wire.language.refusals import Reason
from aftercall.wire.language.table import (
    Address,
    JsonPath,
    Pattern,
    Rules,
    SuccessStatuses,
    Version,
    filled_with,
    flaw,
)
from aftercall.wire.language.write import NAMED, SOURCES, Failure, WriteField, expanded, source

FOLLOW_UP_ITEMS_MAX = 10_000

_CALL = re.compile(r"call_record\.(.+)")


def _source(name: str) -> str:
    called = _CALL.fullmatch(name)
    if called is None:
        return name if name == "target" else source(name)
    if called[1] not in NAMES:
        raise flaw(f"is no field of a call record: {', '.join(NAMES)}")
    return name


FollowUpSource = Annotated[
    str,
    AfterValidator(_source),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*SOURCES, "target", *(f"call_record.{name}" for name in NAMES)]},
                {"type": "string", "pattern": f"^{NAMED.pattern}$"},
            ]
        }
    ),
]


class FollowUpField(WriteField):
    """One field of the request."""

    from_: FollowUpSource | tuple[FollowUpSource, ...] | None = Field(
        default=None,
        alias="from",
        union_mode="left_to_right",
        description=(
            "What it carries, as in `write.fields`; besides, `target` (the id of the group or tag)"
            " and `call_record.NAME`."
        ),
    )


class FollowUpWrite(Rules):
    """How one kind of follow-up is carried out: `tags`, `dnc_group` or `callback`, all alike."""

    url: Annotated[Address, filled_with("campaign", "contact", "target", "version", "instance")] = (
        Field(description="Where; `{target}` is the id of the group or tag.")
    )
    version: Version | None = Field(
        default=None, description="The version of this operation, if it is not the profile's."
    )
    method: Literal["POST", "PUT", "PATCH"] = Field(default="POST", description="How.")
    items: JsonPath | None = Field(
        default=None,
        description="The list in the body whose objects hold the fields; else the body does.",
    )
    items_max: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=FOLLOW_UP_ITEMS_MAX,
        description="How many of them one request may carry.",
    )
    fields: dict[
        JsonPath,
        Annotated[
            FollowUpField,
            BeforeValidator(expanded, json_schema_input_type=FollowUpSource | FollowUpField),
        ],
    ] = Field(min_length=1, description="The request's field = what it carries.")
    repeatable: bool = Field(
        default=False,
        strict=True,
        description=(
            "Whether doing it twice is the same as doing it once. Only then is it sent again after"
            " a lost answer; else it is `unknown` from then on, and a person decides."
        ),
    )
    success: SuccessStatuses = Field(
        default=frozenset({200, 201, 202, 204}),
        min_length=1,
        description="The statuses of success.",
    )
    failure: Failure = Field(
        default=Failure(), description="How a success can say that it, or a part of it, was none."
    )
    result_of: JsonPath | None = Field(
        default=None,
        description=(
            "Where each of `failure.items` says which telephone number it is about: results in"
            " another order than the items are put in order by it."
        ),
    )
    done_words: Pattern | None = Field(
        default=None,
        description="A regular expression on a refusal's words that say: it is so already.",
    )


class FollowUps(Rules):
    """What the API can do beyond the disposition, if the configuration's `[follow_ups]` asks."""

    tags: FollowUpWrite | None = Field(default=None, description="A tag of the contact.")
    dnc_group: FollowUpWrite | None = Field(
        default=None, description="A record of a number in a DNC group."
    )
    callback: FollowUpWrite | None = Field(default=None, description="A scheduled callback.")
    after_rejections: tuple[Reason, ...] = Field(
        default=("contact_closed",),
        description=(
            "Reasons of rejected rows that are followed up all the same: the disposition could not"
            " be written any more, and the rest still can."
        ),
    )
