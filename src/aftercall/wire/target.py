"""Whom we speak to and who we are; where each request goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from aftercall.domain.disposition import Disposition
from aftercall.wire.language.sign_in import Auth
from aftercall.wire.language.table import PLACEHOLDER
from aftercall.wire.profile import Profile


@dataclass(frozen=True, slots=True)
class Target:
    """A tenant that can be spoken to.

    Attributes:
        profile: its language.
        base_url: its address, without a slash at its end.
        instance: what ``{instance}`` in a whole address is; None: the base takes the place of
            every host that the profile names.
        api_url: the address of its API, where that was discovered.
        token_url: the address of its token endpoint, where that was asked for.
        ids: the configured id or name of outcome codes at the tenant.
    """

    profile: Profile
    base_url: str
    instance: str | None = None
    api_url: str | None = None
    token_url: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)

    def sign_in_url(self, template: str, values: Mapping[str, str] | None = None) -> str:
        """Return where to sign in or to ask for the API's address."""
        return self._url(self.base_url, template, values or {})

    def contact_url(self, template: str, row: Disposition, version: str | None) -> str:
        """Return an address of the row's contact: each id is one segment, whatever it holds."""
        values = {"campaign": row.campaign, "contact": row.contact}
        return self.api(template, version, values)

    def api(self, template: str, version: str | None, values: Mapping[str, str]) -> str:
        """Return an address of the API, with `values` filled in."""
        told = version or self.profile.version or ""
        return self._url(self.api_url or self.base_url, template, {**values, "version": told})

    def _url(self, base: str, template: str, values: Mapping[str, str]) -> str:
        known = {"instance": self.instance or "", **values}
        if not template.startswith("/"):
            parts = urlsplit(template)
            path = template.removeprefix(f"{parts.scheme}://{parts.netloc}")
            host = _filled(f"{parts.scheme}://{parts.netloc}", known)
            base, template = (base if self.instance is None else host), path
        return base + _filled(template, known)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to the tenant; what a way of signing in does not need is empty.

    Attributes:
        client_id: the id of an application.
        client_secret: its secret.
        key_id: the id of a user's access key.
        key_secret: its secret.
        bearer: a token that was had elsewhere.
    """

    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    key_id: str = ""
    key_secret: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be told."""
        return tuple(filter(None, (self.client_secret, self.key_secret, self.bearer)))


def auth_of(profile: Profile, identity: Identity) -> Auth:
    """Return the first way of signing in whose credentials there are; else the first of all."""
    for auth in profile.auth:
        if all(getattr(identity, name) for name in auth.credentials):
            return auth
    return profile.auth[0]


def _filled(template: str, values: Mapping[str, str]) -> str:
    """Put values into a template in one pass, so that none is taken for a placeholder."""
    return PLACEHOLDER.sub(lambda found: quote(values[found[1]], safe=""), template)
