"""The commented configuration that `aftercall init` writes."""

import json
import re
from dataclasses import dataclass

_TEXT = """\
# The configuration of aftercall. Fill in what is marked >>>; then run: aftercall check
# A line behind '# ' shows a default, or an example where it says so.
# Every key: docs/configuration.md. Secrets do not belong here but in the environment: those that
# the profile needs (aftercall check names them), and AFTERCALL_CRM_SECRET if [crm] has a url.

[tenant]
# >>> The name before .niceincontact.com in your tenant's address.
# instance = "na1"                        # example
# base_url = "https://cxone.example.com"  # example: a gateway, in place of it
# profile = "outbound-v1"
# ca_file = "ca.pem"                      # example: trust these certificates only
# client_cert_file = "client.pem"         # example: mutual TLS
# proxy = "http://proxy.example.com:3128" # example
# connect_seconds = 10.0
# read_seconds = 30.0
# total_seconds = 60.0
# response_bytes_max = 1048576

# >>> Your tenant's outcome codes and what each means: positive, negative, callback,
# opt_out (written first) or unreachable. A code that is not listed is never written.
[outcomes]
INTERESTED = "positive"
APPOINTMENT_SET = "positive"
NOT_INTERESTED = "negative"
CALLBACK_LATER = "callback"
NO_ANSWER = "unreachable"
BUSY = "unreachable"
VOICEMAIL = "unreachable"
WRONG_NUMBER = "unreachable"
DO_NOT_CALL = "opt_out"

# What the tenant calls a code, where the profile speaks ids: its id or its name.
[outcome_ids]
# INTERESTED = "1012"                     # example; aftercall outcomes pull fills it in

[limits]
# requests_per_second = 10.0              # to each campaign, reads and writes
# requests_per_second_total = 100.0       # example: to the whole tenant; open by default
# concurrency = 50                        # requests in flight
# batch = 50                              # rows of a campaign's turn
# headroom = 0.05                         # share of the pace left unused
# turn_seconds = 1.0

[limits.campaigns]
# 4711 = 25.0                             # example: requests per second of this campaign

[retry]
# attempts_max = 6
# wait_seconds_initial = 1.0              # doubled after each attempt ...
# wait_seconds_max = 60.0                 # ... up to this
# elapsed_minutes_max = 60.0

[rows]
# on_conflict = "newest"                  # several outcomes of a contact: newest, first, error
# unchanged_when = "same_outcome"         # or "same_everything"
# defer_minutes = 15.0                    # wait for a contact that is on a call
# clock_skew_seconds = 120.0

# >>> Columns of your files that are not called campaign, contact, outcome, agent, notes,
# custom_fields, timestamp or event_id.
[rows.columns]
# contact = "Lead ID"                     # example

[rows.constants]
# campaign = "4711"                       # example: for every row, whatever the file says

[rows.defaults]
# agent = "dialer"                        # example: where the cell is empty

[crm]
# url = "https://crm.example.com/hooks"   # example: who is told; nobody by default
# include = []                            # or ["notes", "custom_fields"]
# concurrency = 10
# timeout_seconds = 15.0
# drain_seconds = 10.0
# allow_private = false                   # may url lead into your own network?
# ca_file = "ca.pem"                      # example: trust these certificates only
# Several endpoints, each with its own filter and secret: docs/crm.md

[opt_outs]
# business_days = 10                      # after the day an opt-out was received
# near_days = 3                           # so many left: aftercall optouts ends with code 4
# time_zone = "America/New_York"          # where a day begins and ends

[follow_ups]
# callbacks = []                          # tags, DNC groups, callbacks: docs/follow-ups.md

[journal]
# url = "sqlite:///aftercall.db"          # beside this file

# What was done stands in the journal for good: docs/compliance.md. "aftercall audit keygen" makes
# the key that signs it.
[audit]
# key_file = "aftercall-audit.key"        # beside this file
# retain_days = 1856                      # five years and thirty days

[results]
# directory = "."                         # beside this file
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of the tenant; what is None is left to be filled in."""

    profile: str | None = None
    instance: str | None = None
    base_url: str | None = None


NOTHING = Answers()


def starter_text(answers: Answers = NOTHING) -> str:
    """Return the configuration to start from, as TOML, with what is known filled in."""
    text = _TEXT
    for key, value in (
        ("profile", answers.profile),
        ("instance", answers.instance),
        ("base_url", answers.base_url),
    ):
        if value is not None:
            line = f"{key} = {json.dumps(value)}".replace("\\", r"\\")
            text = re.sub(rf"(?m)^# {key} = .*$", line, text, count=1)
    known = answers.instance is not None or answers.base_url is not None
    return text.replace("# >>> The name before", "# The name before") if known else text
