"""What all tables of the configuration share."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """What all tables share: nothing changes later, and no key is ignored."""

    # Errors of pydantic would otherwise repeat what was given, which may hold a password.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )
