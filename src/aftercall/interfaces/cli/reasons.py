"""Reason codes in plain words."""

import re

WORDS = {
    "": "not looked at yet",
    "answer_lost": "the answer was lost",
    "answer_says_failure": "the answer to the write says failure",
    "answer_too_long": "the tenant's answer was too long",
    "attempts_used_up": "all attempts are used up; the tenant holds none",
    "bad_choice": "a value is none of those that are allowed",
    "bad_certificate": "the tenant's certificate is not trusted",
    "bad_duration": "the duration of the call is none",
    "bad_encoding": "the row is not text in the file's encoding",
    "bad_flag": "a value is neither yes nor no",
    "bad_identifier": "an id cannot be one",
    "bad_number": "a telephone number has no international form",
    "bad_outcome": "the outcome is no code",
    "bad_timestamp": "a time is no date and time",
    "cell_too_large": "a cell is too long",
    "changed_meanwhile": "the contact changed between read and write",
    "conflict": "the input holds several outcomes of the contact",
    "connect_failed": "the tenant could not be connected to",
    "connect_timeout": "the tenant could not be connected to in time",
    "control_characters": "a text holds control characters",
    "contact_closed": "the contact is closed: the tenant takes no outcome any more",
    "csv_broken": "the row is broken CSV",
    "dnc_group_inactive": "the DNC group is not in use",
    "done": "done",
    "duplicate_key": "a key of the row stands twice",
    "fed_again": "the same disposition was fed again meanwhile",
    "forbidden": "the tenant forbids this contact (403)",
    "forbidden_address": "the address must not be connected to",
    "future_timestamp": "a time lies in the future",
    "garbage": "the answer was not the tenant's",
    "gzip_bomb": "the file unpacks to far too much",
    "gzip_broken": "the compressed file is damaged",
    "item_refused": "the tenant refused it",
    "json_broken": "the row is broken JSON",
    "missing_value": "a required value is empty",
    "naive_timestamp": "a time has no zone",
    "newer_in_journal": "a newer outcome of the contact was read",
    "newer_in_journal_in_doubt": "a newer outcome was read; this one may have landed before",
    "newer_in_tenant_in_doubt": "the tenant holds a newer outcome; this one may have landed before",
    "newer_in_tenant": "the tenant holds a newer outcome of the contact",
    "no_such_contact": "the campaign has no such contact",
    "not_an_opt_out": "an opt-out was received, but the outcome is none",
    "no_such_follow_up": "the tenant's profile declares no such follow-up",
    "no_such_target": "the tenant has no such group, tag or contact",
    "no_such_disposition": "the tenant has no disposition for the outcome",
    "not_an_object": "the row is no JSON object",
    "not_first": "an earlier row disposes of the contact",
    "not_json": "the custom fields are not JSON",
    "not_now": "the run ended before its turn",
    "nul_byte": "the row holds a NUL character",
    "on_call": "the contact is on a call",
    "process_died": "the process ended while it was written",
    "proxy_refused": "the proxy refused",
    "quote_not_closed": "a quote is never closed",
    "read_back": "an answer was lost; reading back showed the write",
    "redirected": "the answer was a redirect",
    "results_differ": "the answer tells of another number of items",
    "row_too_large": "the row is too long",
    "same_disposition": "the same disposition was read before",
    "same_in_tenant": "the tenant held the same outcome already",
    "stored_later_in_tenant": "the tenant holds an outcome that may be newer",
    "throttled": "the tenant asked to slow down (429)",
    "timeout": "no answer in time",
    "too_deep": "the row is nested too deeply",
    "too_few_cells": "the row has too few cells",
    "too_long": "a text is too long",
    "too_many_cells": "the row has too many cells",
    "unauthorized": "the tenant refuses it with every token (401)",
    "under_way": "on its way to the tenant",
    "unknown_host": "the tenant's name does not resolve",
    "unknown_state": "the contact is in a state that is not known, which may be a call",
    "unknown_name": "the call record has names that are no fields of it",
    "unknown_outcome": "the outcome is not listed under [outcomes]",
    "unreadable_timestamp": "the time of the outcome that the tenant holds cannot be read",
    "was_failed": "tried again, after it had failed",
    "was_impossible": "tried again, after it had been impossible",
    "was_refused": "tried again, after it had been refused",
    "was_unknown": "tried again, after it had been unknown",
    "written": "written",
    "wrong_type": "a value is of the wrong kind",
}
"""What each code says of its rows. Tests hold it against the codes in the source."""

_REFUSED = re.compile(r"refused_(\d+)")
_STATUS = re.compile(r"status_(\d+)")


def words_of(code: str) -> str:
    """Return what a reason code says, for people; a code unknown here as its own words."""
    if refused := _REFUSED.fullmatch(code):
        return f"the tenant refused it ({refused[1]})"
    if status := _STATUS.fullmatch(code):
        return f"the tenant answered {status[1]}"
    return WORDS.get(code) or code.replace("_", " ")
