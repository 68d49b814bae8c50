"""The table about follow-ups: what else is done at the tenant after which outcomes."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from aftercall.domain.disposition import is_identifier
from aftercall.domain.outcomes import CODE, Category
from aftercall.settings.table import Table


def _subject(name: str) -> str:
    if name not in list(Category) and not CODE.fullmatch(name):
        listed = ", ".join(Category)
        words = "is neither a category ({listed}) nor an outcome code"
        raise PydanticCustomError("subject", words, {"listed": listed})
    return name


def _several(value: object) -> object:
    """Return one id as several; ids that are numbers are often written bare."""
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(
        str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in given
    )


def _id(name: str) -> str:
    if not is_identifier(name):
        raise PydanticCustomError("id", "is no id: it is part of an address")
    return name


Subject = Annotated[str, AfterValidator(_subject)]
Id = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_id)]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_several), Field(min_length=1)]


class FollowUps(Table):
    """What else is done at the tenant after which outcomes. Nothing unless it says so."""

    dnc_groups: dict[Subject, Ids] = Field(
        default={},
        description=(
            "Category (such as `opt_out`) or outcome code = the id of a DNC group that the number"
            " is put into, or a list of ids."
        ),
    )
    tags: dict[Subject, Ids] = Field(
        default={},
        description="Category or outcome code = the tag that the contact is given, or a list.",
    )
    callbacks: tuple[Subject, ...] = Field(
        default=(), description="Categories and outcome codes after which a callback is scheduled."
    )

    @property
    def subjects(self) -> frozenset[str]:
        """All categories and codes that it names."""
        return frozenset((*self.dnc_groups, *self.tags, *self.callbacks))
