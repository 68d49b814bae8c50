"""What a tenant's refusals mean, and how fast it may be asked."""

from typing import Annotated, Literal

from pydantic import Field

from aftercall.wire.language.table import Header, JsonPath, Pattern, Rules, Seconds, Statuses, Text

Verdicts = Literal[
    "retry", "wait", "throttled", "permanent", "absent", "auth", "permission", "unsure"
]
Operation = Literal["read", "write", "lookup", "tags", "dnc_group", "callback"]
"""What a request is for; the last three are follow-ups."""

Reason = Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]


PerSecond = Annotated[float, Field(strict=True, ge=0.001, le=1_000_000)]


class ErrorRule(Rules):
    """What an answer means, by its status and its words. The first rule that fits counts."""

    on: Literal["any"] | Operation = Field(default="any", description="In answer to what.")
    status: Statuses = Field(min_length=1, description="Its status is one of these.")
    text: Pattern | None = Field(
        default=None, description="A regular expression that its words must hold."
    )
    means: Verdicts = Field(
        description=(
            "`retry` and `wait`: nothing was changed, try again (a `wait` uses no attempt up);"
            " `throttled`: slow down; `permanent`: refused for good; `absent`: no such contact;"
            " `auth`: the token is not good any more; `permission`: not allowed; `unsure`: it may"
            " have been done, read it back."
        )
    )
    reason: Reason | None = Field(default=None, description="The reason code of the row.")
    fix: str = Field(default="", description="What to do about it, in one sentence.")
    wait_seconds: Seconds | None = Field(
        default=None,
        description=(
            "How long a `wait` is; else about as long as the row has waited so far, up to"
            " `retry.wait_seconds_max`."
        ),
    )


class Errors(Rules):
    """Where a refusal's words stand and what they mean."""

    words: tuple[JsonPath, ...] = Field(
        default=(), description="Paths in the body that may hold words for people, in order."
    )
    words_header: Header | None = Field(
        default=None, description="A header that may hold them instead."
    )
    plain_text: bool = Field(
        default=False, strict=True, description="Whether the body itself may be the words."
    )
    rules: tuple[ErrorRule, ...] = Field(
        default=(), description="What particular refusals mean; any other by its status."
    )


class Pace(Rules):
    """How fast the tenant may be asked, whatever the configuration says."""

    requests_per_second_max: PerSecond | None = Field(
        default=None, description="At most so many requests per second to each campaign."
    )
    retry_after_header: Header = Field(
        default="retry-after", description="The header that says how long to wait."
    )
    retry_after_seconds: Seconds | None = Field(
        default=None, description="How long to wait if none is named; doubled by default."
    )


class Needs(Rules):
    """What must be granted, in the tenant's own words, for messages about a 403."""

    read: Text = Field(default="the right to read contacts", description="To read contacts.")
    write: Text = Field(
        default="the right to write dispositions", description="To write dispositions."
    )
