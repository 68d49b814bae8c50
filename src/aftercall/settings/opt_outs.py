"""The table about opt-outs: how long they may take, and where business days are counted."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from aftercall.settings.table import Table


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        words = 'is not the name of a time zone, such as "America/New_York"'
        raise PydanticCustomError("zone", words) from None
    return name


class OptOuts(Table):
    """How long an opt-out may take, counted in business days of the United States."""

    business_days: int = Field(
        default=10,
        strict=True,
        ge=1,
        le=60,
        description=(
            "Business days after the day an opt-out was received within which it has to be applied;"
            " US rules allow ten at most."
        ),
    )
    near_days: int = Field(
        default=3,
        strict=True,
        ge=0,
        le=60,
        description="With so many business days left, or fewer, an opt-out that is open is near.",
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="America/New_York",
        description="The time zone in which days begin and end.",
    )
