"""The tables about the CRM: one endpoint, or several, each with what it is told."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from aftercall.domain.disposition import ID_CHARACTERS_MAX
from aftercall.domain.outcomes import Category
from aftercall.settings.addresses import crm_address
from aftercall.settings.table import ExistingFile, Table

ONLY_ENDPOINT = "crm"
"""The name of the endpoint that `crm.url` is."""

SIGNING_VARIABLE = "AFTERCALL_CRM_SECRET"

CA_FILE = "A file with the certificates (PEM) to trust instead of the system's."

NAME_CHARACTERS_MAX = 32

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,127}")


def _name(name: str) -> str:
    # In capitals it is a part of variables' names: of two underscores, or of _FILE at the end,
    # they would make something else.
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARACTERS_MAX or name.endswith("file"):
        words = (
            "is no name for an endpoint: lower-case letters, digits and single underscores, up to"
            " 32, not ending in file"
        )
        raise PydanticCustomError("endpoint_name", words)
    return name


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        # What was given is not repeated: it may be the very secret.
        words = (
            "must be the name of an environment variable in capitals; the secret itself does not"
            " belong here"
        )
        raise PydanticCustomError("variable", words)
    return name


CampaignId = Annotated[str, Field(min_length=1, max_length=ID_CHARACTERS_MAX)]
EndpointName = Annotated[str, AfterValidator(_name)]
Included = Literal["notes", "custom_fields"]
Variable = Annotated[str, AfterValidator(_variable)]


class CrmEndpoint(Table):
    """An endpoint of the CRM: its table is named by the user. It hears what its filter lets by."""

    url: Annotated[str, AfterValidator(crm_address)] = Field(
        description="The https address of the webhook; http only on this machine."
    )
    categories: tuple[Category, ...] = Field(
        default=(), description="Only outcomes of these categories; empty for all."
    )
    campaigns: tuple[CampaignId, ...] = Field(
        default=(), description="Only outcomes of these campaigns; empty for all."
    )
    include: tuple[Included, ...] = Field(
        default=(), description="Personal data that it is sent as well."
    )
    signing_env: Variable | None = Field(
        default=None,
        description=(
            "The environment variable that holds what its events are signed with;"
            " AFTERCALL_CRM_SECRET_ and the name in capitals unless given."
        ),
    )
    concurrency: int = Field(
        default=10, strict=True, ge=1, le=50, description="Deliveries in flight at once."
    )
    allow_private: bool = Field(
        default=False,
        strict=True,
        description="Whether its name may lead to private, link-local and metadata addresses.",
    )
    ca_file: ExistingFile | None = Field(default=None, description=CA_FILE)


class Crm(Table):
    """Who is told about every outcome that was written."""

    url: Annotated[str, AfterValidator(crm_address)] | None = Field(
        default=None,
        description=(
            "The https address of the webhook; http only on this machine. It is the endpoint"
            " `crm`. Without it and without `endpoints` nobody is told."
        ),
    )
    include: tuple[Included, ...] = Field(
        default=(), description="Personal data that the endpoint `crm` is sent as well."
    )
    concurrency: int = Field(
        default=10,
        strict=True,
        ge=1,
        le=50,
        description="Deliveries in flight at once to the endpoint `crm`.",
    )
    allow_private: bool = Field(
        default=False,
        strict=True,
        description="Whether the name in `url` may lead to private and link-local addresses.",
    )
    ca_file: ExistingFile | None = Field(default=None, description=CA_FILE)
    timeout_seconds: float = Field(
        default=15.0, strict=True, ge=0.1, le=300, description="Seconds a delivery may take."
    )
    drain_seconds: float = Field(
        default=10.0,
        strict=True,
        ge=0,
        le=600,
        description="Seconds at the end of a run in which deliveries may still finish.",
    )
    endpoints: dict[EndpointName, CrmEndpoint] = Field(
        default={}, description="Endpoints with filters of their own, each a table."
    )

    @field_validator("endpoints")
    @classmethod
    def _one_of_each_name(
        cls, endpoints: dict[str, CrmEndpoint], info: ValidationInfo
    ) -> dict[str, CrmEndpoint]:
        if ONLY_ENDPOINT in endpoints and info.data.get("url") is not None:
            words = "has an endpoint crm, which crm.url is already: give one of the two"
            raise PydanticCustomError("two_of_a_name", words)
        return endpoints

    def all_endpoints(self) -> Mapping[str, CrmEndpoint]:
        """Return every endpoint by its name, with the variable of its secret filled in."""
        found = {
            name: one
            if one.signing_env is not None
            else one.model_copy(update={"signing_env": f"{SIGNING_VARIABLE}_{name.upper()}"})
            for name, one in self.endpoints.items()
        }
        if self.url is None:
            return found
        only = CrmEndpoint(
            url=self.url,
            include=self.include,
            signing_env=SIGNING_VARIABLE,
            concurrency=self.concurrency,
            allow_private=self.allow_private,
            ca_file=self.ca_file,
        )
        return {ONLY_ENDPOINT: only} | found
