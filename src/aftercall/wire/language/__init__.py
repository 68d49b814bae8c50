"""The profile language: what a profile's file may say, as typed tables."""

from aftercall.wire.language.bulk import Bulk
from aftercall.wire.language.codes import CategoryRule, Codes, Lookup, Page
from aftercall.wire.language.contact import READ_FIELDS, Read, Readback, States
from aftercall.wire.language.follow_up import FollowUps, FollowUpWrite
from aftercall.wire.language.refusals import ErrorRule, Errors, Pace, Verdicts
from aftercall.wire.language.sign_in import (
    Auth,
    Base,
    Discovery,
    Refresh,
    TokenAnswer,
    TokenDiscovery,
)
from aftercall.wire.language.table import Rules, normal_state
from aftercall.wire.language.write import Failure, Write, WriteField

__all__ = [
    "READ_FIELDS",
    "Auth",
    "Base",
    "Bulk",
    "CategoryRule",
    "Codes",
    "Discovery",
    "ErrorRule",
    "Errors",
    "Failure",
    "FollowUpWrite",
    "FollowUps",
    "Lookup",
    "Pace",
    "Page",
    "Read",
    "Readback",
    "Refresh",
    "Rules",
    "States",
    "TokenAnswer",
    "TokenDiscovery",
    "Verdicts",
    "Write",
    "WriteField",
    "normal_state",
]
