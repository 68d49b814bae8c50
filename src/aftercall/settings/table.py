"""What all tables of the configuration share."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


def _existing(path: Path) -> Path:
    """Return the path of a file that is there: pydantic's own check lets an OSError through."""
    try:
        there = path.is_file()
    except OSError as trouble:
        why = {"why": trouble.strerror or "it cannot be looked at"}
        raise PydanticCustomError("path_unreadable", "{why}", why) from None
    if not there:
        raise PydanticCustomError("path_not_file", "no file is there")
    return path


ExistingFile = Annotated[Path, AfterValidator(_existing)]
"""The path of a file that is there."""


class Table(BaseModel):
    """What all tables share: nothing changes later, and no key is ignored."""

    # Errors of pydantic would otherwise repeat what was given, which may hold a password.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )
