"""The table of the configuration about the audit trail."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from aftercall.settings.table import Table


def nameable(path: Path) -> Path:
    """Check that a path can be that of a file."""
    if "\0" in str(path):
        raise PydanticCustomError("nul_byte", "must not hold a NUL character")
    return path


class Audit(Table):
    """The audit trail: who signs it, and how long it is kept."""

    key_file: Annotated[Path, AfterValidator(nameable)] = Field(
        default=Path("aftercall-audit.key"),
        description=(
            "The private key that signs the trail, made by `aftercall audit keygen`. Without the"
            " file the trail is not signed."
        ),
    )
    retain_days: int = Field(
        default=1856,
        strict=True,
        ge=1,
        le=36_500,
        description=(
            "Days until `aftercall audit expire` takes an entry out; by default five years and"
            " thirty days."
        ),
    )
