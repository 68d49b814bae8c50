"""The languages that tenants speak in histories: who they are, who we are, and the profile."""

from functools import cache

from aftercall.adapters.profiles import load_profile
from aftercall.wire.profile import Profile, profile_from
from aftercall.wire.target import Identity, Target

from .acd import AcdTenant
from .history import GOOD_FOR_SECONDS, History
from .lists import ListTenant
from .tenant import CLIENT, SECRET, Tenant

IDENTITIES = {
    "outbound-v1": Identity(CLIENT, SECRET),
    "lists": Identity(CLIENT, SECRET),
    "acd": Identity(key_id=CLIENT, key_secret=SECRET),
}
TENANTS: dict[str, type[Tenant]] = {
    "outbound-v1": Tenant,
    "lists": ListTenant,
    "acd": AcdTenant,
}


def target_of(history: History) -> Target:
    """Return the tenant as the engine knows it."""
    return _target(history.surface, history.etags, history.good_for)


@cache
def _target(surface: str, etags: bool, good_for: float) -> Target:  # noqa: FBT001 - cached by all three
    lists = surface == "lists"
    profile = _with_lists(etags, good_for) if lists else load_profile(surface)
    return Target(profile, "https://tenant.example")


def _with_lists(etags: bool, good_for: float) -> Profile:  # noqa: FBT001
    tables = load_profile("outbound-v1").model_dump(by_alias=True, exclude_unset=True)
    tables["read"]["bulk"] = {
        "method": "POST",
        "url": "/api/v1/outbound/campaigns/{campaign}/contacts/search",
        "ids_in": "json",
        "ids": "ids",
        "max": 8,
        "items": "leads",
        "id": "no",
        "envelope": "lead",
    } | ({"etag": "version"} if etags else {})
    if good_for != GOOD_FOR_SECONDS:
        tables["read"] |= {"etag_covers_state": True, "good_for_seconds": good_for}
    tables["write"]["if_match"] = etags
    return profile_from(tables)
