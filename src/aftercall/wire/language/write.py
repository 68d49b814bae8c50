"""How a disposition is written."""

import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from aftercall.wire.language.table import (
    ContactAddress,
    FreeHeader,
    JsonPath,
    Rules,
    SuccessStatuses,
    Version,
    flaw,
)

SOURCES = (
    "outcome",
    "agent",
    "notes",
    "timestamp",
    "custom_fields",
    "campaign",
    "contact",
    "event_id",
)
"""The fields of a row that a write can send."""

NAMED = re.compile(r"(?:custom_fields|told)\..+")


def source(name: str) -> str:
    """Return the name of what a field carries, if it is one."""
    if name in SOURCES or NAMED.fullmatch(name):
        return name
    import difflib  # noqa: PLC0415 - only when something is wrong

    close = difflib.get_close_matches(name, SOURCES, n=1)
    meant = f'; did you mean "{close[0]}"?' if close else ""
    known = ", ".join(SOURCES)
    raise flaw(f"is nothing that can be sent: {known}, custom_fields.NAME, told.NAME{meant}")


Source = Annotated[
    str,
    AfterValidator(source),
    # The names by themselves: an editor offers them.
    WithJsonSchema(
        {"anyOf": [{"enum": list(SOURCES)}, {"type": "string", "pattern": f"^{NAMED.pattern}$"}]}
    ),
]


class WriteField(Rules):
    """One field of the request."""

    from_: Source | tuple[Source, ...] | None = Field(
        default=None,
        alias="from",
        union_mode="left_to_right",
        description="What of the row it carries; of several the first that there is.",
    )
    value: str | bool | int | float | None = Field(
        default=None, union_mode="smart", description="Or one value for all rows."
    )
    type: Literal["as_is", "text", "integer"] = Field(
        default="as_is", description="As what it is sent."
    )
    format: Literal["iso", "iso_seconds", "epoch_seconds", "epoch_milliseconds"] | None = Field(
        default=None,
        description=(
            "How a time is written: ISO 8601 in UTC, or since 1970. `timestamp` is `iso` unless"
            " it is given; anything else is taken for a time only if it is given, and must be one"
            " with a zone."
        ),
    )
    characters_max: int | None = Field(
        default=None, strict=True, ge=1, description="How long its text may be."
    )
    too_long: Literal["refuse", "cut"] = Field(
        default="refuse", description="What becomes of a longer one."
    )
    when_absent: Literal["omit", "null", "empty", "refuse"] = Field(
        default="omit", description="What is sent for a row that does not have it."
    )

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """What it carries, in order of preference."""
        if self.from_ is None:
            return ()
        return (self.from_,) if isinstance(self.from_, str) else self.from_

    @property
    def refuses(self) -> bool:
        """Whether there are rows that it cannot be made of."""
        cuts = self.characters_max is None or self.too_long == "cut"
        return self.when_absent == "refuse" or self.type == "integer" or not cuts


def expanded(value: object) -> object:
    """Return a field that is only a source as the table that it stands for."""
    return {"from": value} if isinstance(value, str) else value


class Failure(Rules):
    """How an answer with a status of success can say that it was none."""

    flag: JsonPath | None = Field(
        default="success", description="It is `false`, 0 or a text of that: a failure."
    )
    error: JsonPath | None = Field(
        default="error",
        description=(
            "There is one: a failure. A text there is its words, where `errors.words` finds none."
        ),
    )
    count: JsonPath | None = Field(default="errorCount", description="More than 0: a failure.")
    items: JsonPath | None = Field(
        default=None, description="A list of results, each with `flag` and `error` of its own."
    )


class Write(Rules):
    """How a disposition is written."""

    url: ContactAddress = Field(
        description="Where; `{campaign}`, `{contact}` and `{version}` are filled in."
    )
    version: Version | None = Field(
        default=None, description="The version of this operation, if it is not the profile's."
    )
    method: Literal["PATCH", "POST", "PUT"] = Field(description="How.")
    body: Literal["json", "form", "query"] = Field(
        default="json", description="Where the fields go."
    )
    wrapper: JsonPath | None = Field(
        default=None, description="The object within the JSON body that holds the fields."
    )
    fields: dict[
        JsonPath,
        Annotated[
            WriteField, BeforeValidator(expanded, json_schema_input_type=Source | WriteField)
        ],
    ] = Field(
        min_length=1,
        description=(
            'The request\'s field = what it carries, such as `"outcome"`, or a table of it.'
            f" What a row has: {', '.join(SOURCES)}, custom_fields.NAME; told.NAME is of the read."
        ),
    )
    dropped: tuple[Literal["agent", "notes", "timestamp", "custom_fields"], ...] = Field(
        default=(),
        description=(
            "What a row has and this API cannot take; of `custom_fields` those that no field"
            " carries."
        ),
    )
    success: SuccessStatuses = Field(
        default=frozenset({200, 204}), min_length=1, description="The statuses of success."
    )
    failure: Failure = Field(
        default=Failure(), description="How a success can say that it was none."
    )
    if_match: bool = Field(
        default=True,
        strict=True,
        description="Whether a write depends on the ETag that was read (`If-Match`).",
    )
    idempotency_header: FreeHeader | None = Field(
        default=None, description="A header that carries the row's key, the same on each attempt."
    )

    @cached_property
    def custom_fields_sent(self) -> tuple[str, ...]:
        """The names of the custom fields that are sent, if not all of them are."""
        sources = [source for field in self.fields.values() for source in field.sources]
        if "custom_fields" in sources:
            return ()
        named = (source.partition(".") for source in sources)
        return tuple(name for kind, _, name in named if kind == "custom_fields")

    @cached_property
    def refuses(self) -> bool:
        """Whether there are rows that cannot be written."""
        return any(spec.refuses for spec in self.fields.values())
