"""How one finds the tenant and is let in."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aftercall.wire.language.table import (
    Address,
    JsonPath,
    JsonPaths,
    Rules,
    Seconds,
    Text,
    filled_with,
    flaw,
)

FoundAddress = Annotated[Address, filled_with("area", "cluster", "domain")]
SignInAddress = Annotated[Address, filled_with("instance")]
Style = Literal["client_credentials", "password", "access_key_json", "static_bearer", "none"]

CREDENTIALS: dict[str, tuple[str, ...]] = {
    "client_credentials": ("client_id", "client_secret"),
    "password": ("client_id", "client_secret", "key_id", "key_secret"),
    "access_key_json": ("key_id", "key_secret"),
    "static_bearer": ("bearer",),
    "none": (),
}
"""Which credentials each style needs, by the names of `Identity`."""

CALLED: dict[str, str] = {
    "client_credentials": "client credentials",
    "password": "access key",
    "access_key_json": "access key",
    "static_bearer": "token",
    "none": "request",
}

VARIABLES = {
    "client_id": "CXONE_CLIENT_ID",
    "client_secret": "CXONE_CLIENT_SECRET",
    "key_id": "CXONE_ACCESS_KEY_ID",
    "key_secret": "CXONE_ACCESS_KEY_SECRET",
    "bearer": "CXONE_TOKEN",
}
"""The environment's variable of each credential."""


def series(names: Sequence[str]) -> str:
    """Return names as one says them: ``"A, B and C"``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _domain(name: str) -> str:
    if not name or name != name.strip(".").lower() or "/" in name or ":" in name:
        raise flaw('must be a bare domain such as "example.com"')
    return name


class Discovery(Rules):
    """Where the API's address is asked for, with the token."""

    url: Annotated[Address, filled_with("instance", "tenant_id")] = Field(
        description="What to ask; `{tenant_id}` is taken from the token."
    )
    api: JsonPaths = Field(description="Where the answer holds the API's address: first that does.")
    else_url: FoundAddress | tuple[FoundAddress, ...] = Field(
        default=(),
        union_mode="left_to_right",
        description=(
            "The API's address otherwise; placeholders are fields of the answer. Of several the"
            " first whose fields there are."
        ),
    )
    tenant_id: tuple[Text, ...] = Field(
        default=("tenantId",), description="Claims of the token that may hold the tenant's id."
    )


class TokenDiscovery(Rules):
    """Where the token endpoint is asked for, before anything else and without a token.

    `tenant.base_url` of the configuration switches it off: `url` counts there. So it does where
    there is no such document.
    """

    url: SignInAddress = Field(description="What to ask.")
    token_url: JsonPath = Field(
        default="token_endpoint",
        description="Where the answer holds the token endpoint, on one of `base.hosts`.",
    )


def _whole(template: str) -> str:
    if template.startswith("/") or "?" in template:
        raise flaw('must be a whole address such as "https://host.example", without a query')
    return template


class Base(Rules):
    """Where the tenant is. `tenant.base_url` of the configuration takes the place of all hosts."""

    url: Annotated[SignInAddress, AfterValidator(_whole)] | None = Field(
        default=None,
        description="The address; `{instance}` is `tenant.instance` of the configuration.",
    )
    hosts: tuple[Annotated[str, AfterValidator(_domain)], ...] = Field(
        default=(),
        description="Domains to which a discovered address may lead, besides the base's own host.",
    )
    discovery: Discovery | None = Field(
        default=None, description="Where the API's address is asked for, if it is."
    )


class TokenAnswer(Rules):
    """The fields of the token endpoint's answer."""

    access_token: JsonPath = Field(default="access_token", description="The token.")
    expires_in: JsonPath = Field(default="expires_in", description="How many seconds it lives.")
    scope: JsonPath | None = Field(default="scope", description="Which scopes were granted.")
    refresh_token: JsonPath | None = Field(
        default="refresh_token", description="What a new one can be had for."
    )
    id_token: JsonPath | None = Field(
        default="id_token", description="A second token whose claims say who we are."
    )


class Refresh(Rules):
    """How a token is renewed without the credentials. If it fails, one signs in again."""

    url: SignInAddress = Field(description="Where.")
    style: Literal["oauth", "json"] = Field(
        default="oauth",
        description="A form as of RFC 6749, section 6, or a JSON object with the refresh token.",
    )
    field: Text = Field(default="token", description="The JSON object's key.")
    answer: TokenAnswer = Field(default=TokenAnswer(), description="The fields of its answer.")


class Auth(Rules):
    """One way to be let in. Of several the first is used whose credentials are all set."""

    style: Style = Field(
        description=(
            "`client_credentials` (a form), `password` (a form with an access key),"
            " `access_key_json`, `static_bearer` (a token from the environment) or `none`."
        )
    )
    url: SignInAddress | None = Field(default=None, description="The token endpoint.")
    discovery: TokenDiscovery | None = Field(
        default=None, description="Where the token endpoint is asked for, if it is."
    )
    client_auth: Literal["form", "basic"] = Field(
        default="form", description="Whether client id and secret are fields or HTTP Basic."
    )
    scope: str = Field(default="", description="What to ask for, separated by blanks.")
    extra: dict[Text, str] = Field(default={}, description="Further fields of the request.")
    key_id_field: Text = Field(
        default="accessKeyId", description="`access_key_json`: the key of the access key's id."
    )
    key_secret_field: Text = Field(
        default="accessKeySecret",
        description="`access_key_json`: the key of the access key's secret.",
    )
    answer: TokenAnswer = Field(default=TokenAnswer(), description="The fields of its answer.")
    expires_in_default_seconds: Seconds = Field(
        default=3600.0, description="How long a token lives if the answer does not say."
    )
    renew_early_seconds: Seconds = Field(
        default=60.0, description="How long before its end it is renewed."
    )
    refresh: Refresh | None = Field(
        default=None, description="How it is renewed, if not by signing in again."
    )

    @property
    def credentials(self) -> tuple[str, ...]:
        """Which credentials this way needs, by the names of `Identity`."""
        return CREDENTIALS[self.style]

    @property
    def called(self) -> str:
        """What these credentials are called."""
        return CALLED[self.style]

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment's variables that hold them."""
        return tuple(VARIABLES[name] for name in self.credentials)

    @property
    def asks(self) -> bool:
        """Whether a token endpoint is asked at all."""
        return self.style not in {"static_bearer", "none"}
