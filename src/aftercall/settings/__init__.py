"""The configuration: read once, checked as a whole, handed on as plain values.

A flag wins over the environment, the environment over the file, the file over the defaults.
Secrets are never part of it: `load_credentials` and `load_crm_secrets` read them.
"""

from aftercall.settings.credentials import (
    SecretText,
    load_credentials,
    load_crm_secrets,
)
from aftercall.settings.crm import ONLY_ENDPOINT, SIGNING_VARIABLE, Crm, CrmEndpoint
from aftercall.settings.follow_ups import FollowUps
from aftercall.settings.layers import DEFAULT_FILE, load_settings, settings_from
from aftercall.settings.opt_outs import OptOuts
from aftercall.settings.tables import (
    Journal,
    Limits,
    Results,
    Retry,
    Rows,
    Settings,
    Tenant,
)

__all__ = [
    "DEFAULT_FILE",
    "ONLY_ENDPOINT",
    "SIGNING_VARIABLE",
    "Crm",
    "CrmEndpoint",
    "FollowUps",
    "Journal",
    "Limits",
    "OptOuts",
    "Results",
    "Retry",
    "Rows",
    "SecretText",
    "Settings",
    "Tenant",
    "load_credentials",
    "load_crm_secrets",
    "load_settings",
    "settings_from",
]
