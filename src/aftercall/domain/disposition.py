"""A disposition: one call outcome that is to be written, and how it is read from a row."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from aftercall.domain import call_record
from aftercall.domain.call_record import CallRecord, read_call_record
from aftercall.domain.cells import Now, Problem, is_absent, is_text, read_moment
from aftercall.domain.outcomes import CODE, Category, OutcomeMatrix, nearest_code

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""A JSON value."""

ID_CHARACTERS_MAX = 128
NOTES_CHARACTERS_MAX = 8_000
CUSTOM_BYTES_MAX = 65_536
CUSTOM_DEPTH_MAX = 16
INTEGER_BITS_MAX = 4096
"""Python refuses to write integers of thousands of digits out (`sys.set_int_max_str_digits`)."""

EASTERNMOST = timezone(timedelta(hours=14))
"""Kiribati's zone, in which every day and hour comes first."""

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters other than tab and line breaks."""

CANONICAL = (
    "campaign",
    "contact",
    "outcome",
    "agent",
    "notes",
    "custom_fields",
    "timestamp",
    "event_id",
    "opt_out_received_at",
    "call_record",
    *call_record.NAMES,
)
"""The names of a disposition's fields, as columns and in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposition:
    """One call outcome to be written to one contact of one campaign.

    Attributes:
        campaign: the tenant's id of the campaign; an opaque string.
        contact: the tenant's id of the contact within the campaign; an opaque string.
        outcome: an outcome code of the configured matrix, such as ``"INTERESTED"``.
        agent: the id of the agent who took the call.
        notes: free text; None leaves the tenant's notes as they are.
        custom_fields: further values by name; None leaves the tenant's as they are.
        timestamp: when the outcome was reached, with a zone; None means now.
        event_id: the sender's own id of this outcome, if it has one: two dispositions of
            a contact with the same id are the same disposition.
        opt_out_received_at: when the person asked not to be called again, with a zone; None
            means at `timestamp`. Only of an outcome whose category is opt_out.
        call_record: what is known of the call itself, for the record that US law asks for.

    Creating one checks nothing: like a row of a file it is checked when it is handed over, so
    that one wrong value among thousands is reported and the others go on.
    """

    campaign: str
    contact: str
    outcome: str
    agent: str
    notes: str | None = field(default=None, repr=False)
    custom_fields: Mapping[str, Json] | None = field(default=None, repr=False)
    timestamp: datetime | None = None
    event_id: str | None = None
    opt_out_received_at: datetime | None = None
    call_record: CallRecord | None = None

    @property
    def personal(self) -> Mapping[str, Json]:
        """What is kept out of audit entries and can be erased, by name; only what is given."""
        given: Mapping[str, Json] = {"notes": self.notes, "custom_fields": self.custom_fields}
        called = {} if self.call_record is None else self.call_record.personal
        return {name: value for name, value in given.items() if value is not None} | called


@dataclass(frozen=True, slots=True)
class Rules:
    """What a valid disposition is, for one tenant.

    Attributes:
        outcomes: the codes that may be written.
        now: the time at which the input is read, UTC; what a missing timestamp becomes.
        skew_seconds: how far ahead of `now` a timestamp may lie before it counts as future.
    """

    outcomes: OutcomeMatrix
    now: datetime
    skew_seconds: float = 120.0

    def category(self, disposition: Disposition) -> Category:
        """Return what the outcome of a valid `disposition` means."""
        return self.outcomes[disposition.outcome]

    @property
    def present(self) -> Now:
        """What timestamps are held against."""
        return Now(self.now, self.skew_seconds)


def read_disposition(
    cells: Mapping[str, object], rules: Rules
) -> tuple[Disposition | None, tuple[Problem, ...]]:
    """Read canonical `cells` (field name to cell) as a disposition.

    An opt-out does not wait for its call record to be in order: what is wrong in that is left
    out of the disposition, and the problems say what it was.

    Returns:
        The disposition and no problems but those of an opt-out's call record, or None and every
        problem of the row, not only the first. Empty cells count as absent.
    """
    problems: list[Problem] = []
    campaign = _identifier("campaign", cells, problems)
    contact = _identifier("contact", cells, problems)
    agent = _identifier("agent", cells, problems)
    outcome = _outcome(cells.get("outcome"), rules, problems)
    notes = _notes(cells.get("notes"), problems)
    custom = _custom_fields(cells.get("custom_fields"), problems)
    timestamp = read_moment("timestamp", cells.get("timestamp"), rules.present, problems)
    event_id = _identifier("event_id", cells, problems, required=False)
    received = _opt_out_received(cells, outcome, rules, problems)
    flaws: list[Problem] = []
    call = read_call_record(cells, rules.present, flaws)
    spared = outcome is not None and rules.outcomes[outcome] is Category.OPT_OUT
    if flaws and not spared:
        problems += flaws
        flaws.clear()
    if problems or campaign is None or contact is None or agent is None or outcome is None:
        return None, (*problems, *flaws)
    disposition = Disposition(
        campaign=campaign,
        contact=contact,
        outcome=outcome,
        agent=agent,
        notes=notes,
        custom_fields=custom,
        timestamp=timestamp,
        event_id=event_id,
        opt_out_received_at=received,
        call_record=call,
    )
    return disposition, tuple(flaws)


def identity_of(cells: Mapping[str, object]) -> dict[str, str]:
    """Return those of campaign, contact, outcome and agent that are well-formed; others empty.

    An invalid row is still listed under what it did say, if that can be shown safely.
    """
    names = ("campaign", "contact", "outcome", "agent")
    return {name: _identifier(name, cells, [], required=False) or "" for name in names}


def opt_out_of(cells: Mapping[str, object], rules: Rules) -> datetime | None:
    """Say when the opt-out was received that an invalid row of `cells` seems to be.

    A row that is refused for anything else may still hold somebody's request not to be called.
    It seems to be one if its outcome, or the code that was probably meant, is an opt-out.

    Returns:
        The opt-out's own time, else the outcome's, else now, whichever can be read first; None if
        it is no opt-out. A time without a zone counts as the earliest that it can mean: rather
        than late, the deadline is seen early.
    """
    cell = cells.get("outcome")
    code = cell.strip() if isinstance(cell, str) else ""
    meant = code if code in rules.outcomes else nearest_code(code[:64], rules.outcomes)
    if meant is None or rules.outcomes[meant] is not Category.OPT_OUT:
        return None
    for name in ("opt_out_received_at", "timestamp"):
        found = read_moment(name, _earliest(cells.get(name)), rules.present, [])
        if found is not None:
            return found
    return rules.now


def _earliest(cell: object) -> object:
    """Return a time without a zone as one of the zone in which it comes first."""
    try:
        moment = datetime.fromisoformat(cell.strip()) if isinstance(cell, str) else cell
    except ValueError:
        return cell
    if isinstance(moment, datetime) and moment.utcoffset() is None:
        return moment.replace(tzinfo=EASTERNMOST)
    return cell


def _opt_out_received(
    cells: Mapping[str, object], outcome: str | None, rules: Rules, problems: list[Problem]
) -> datetime | None:
    name = "opt_out_received_at"
    received = read_moment(name, cells.get(name), rules.present, problems)
    if received is None or outcome is None or rules.outcomes[outcome] is Category.OPT_OUT:
        return received
    # One of the two is wrong, and it may be that somebody is about to be called again.
    message = f"The row says when an opt-out was received, but {outcome} is no opt-out."
    hint = f"Give the outcome code of the opt-out, or leave {name} empty."
    problems.append(Problem(name, "not_an_opt_out", message, hint))
    return None


def _identifier(
    name: str, cells: Mapping[str, object], problems: list[Problem], *, required: bool = True
) -> str | None:
    cell = cells.get(name)
    if is_absent(cell):
        if required:
            hint = f"Fill the {name} in, or give one for all rows: --set {name}=VALUE."
            problems.append(Problem(name, "missing_value", f"The {name} is empty.", hint))
        return None
    # JSON sources often give numeric ids; a float or a bool is never meant as one.
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell) if cell.bit_length() <= INTEGER_BITS_MAX else hex(cell)
    if not isinstance(cell, str):
        problems.append(
            Problem(name, "wrong_type", f"The {name} is not a text.", "Write it in quotes.")
        )
        return None
    words = cell.strip()
    wrong = _identifier_flaw(words)
    if wrong is not None:
        problems.append(Problem(name, "bad_identifier", f"The {name} {wrong[0]}.", wrong[1]))
        return None
    return words


def is_identifier(words: str) -> bool:
    """Say whether a text can be one segment of a URL's path."""
    return _identifier_flaw(words) is None


def _identifier_flaw(words: str) -> tuple[str, str] | None:
    if len(words) > ID_CHARACTERS_MAX:
        return (
            f"is {len(words)} characters long; at most {ID_CHARACTERS_MAX} are allowed",
            "Is another column in its place?",
        )
    # The id becomes one segment of a URL's path. Percent-encoding guards every character, but
    # dot segments keep their meaning even when encoded (RFC 3986, section 5.2.4 and 6.2.2.3).
    if words in {".", ".."} or _PATH_STEP.search(words):
        return "contains a path step ('..')", "Give the bare id."
    if not is_text(words) or not words.isprintable():
        return "contains control or unprintable characters", "Give the bare id."
    return None


_PATH_STEP = re.compile(r"\.\.[/\\]|[/\\]\.\.$")


def _outcome(cell: object, rules: Rules, problems: list[Problem]) -> str | None:
    if is_absent(cell):
        problems.append(
            Problem("outcome", "missing_value", "The outcome is empty.", "Fill in an outcome code.")
        )
        return None
    code = cell.strip() if isinstance(cell, str) else ""
    if code in rules.outcomes:
        return code
    shown = code if CODE.fullmatch(code) else "the value"
    near = nearest_code(code[:64], rules.outcomes)
    hint = f"Did you mean {near}? " if near else ""
    if CODE.fullmatch(code):
        hint += f"Codes are listed under [outcomes] in the configuration; add {code} there."
        message = f"The outcome {shown} is not in the outcome matrix."
        problems.append(Problem("outcome", "unknown_outcome", message, hint))
    else:
        hint += "A code is 3 to 20 capital letters or underscores."
        message = "The outcome is not a well-formed outcome code."
        problems.append(Problem("outcome", "bad_outcome", message, hint))
    return None


def _notes(cell: object, problems: list[Problem]) -> str | None:
    if is_absent(cell):
        return None
    if not isinstance(cell, str):
        problems.append(
            Problem("notes", "wrong_type", "The notes are not a text.", "Write them in quotes.")
        )
        return None
    if len(cell) > NOTES_CHARACTERS_MAX:
        message = f"The notes are {len(cell)} characters long."
        hint = f"At most {NOTES_CHARACTERS_MAX} are allowed; shorten them."
        problems.append(Problem("notes", "too_long", message, hint))
        return None
    if not is_text(cell) or CONTROL.search(cell):
        hint = "Only line breaks and tabs are allowed besides text; is the encoding right?"
        problems.append(
            Problem("notes", "control_characters", "The notes hold control characters.", hint)
        )
        return None
    return cell


def _custom_fields(cell: object, problems: list[Problem]) -> Mapping[str, Json] | None:
    if is_absent(cell):
        return None
    value = cell
    if isinstance(cell, str):
        try:
            value = json.loads(cell, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            hint = 'Write a JSON object, such as {"score": 7}.'
            problems.append(
                Problem("custom_fields", "not_json", "The custom fields are not JSON.", hint)
            )
            return None
    if not isinstance(value, Mapping):
        hint = 'Write a JSON object, such as {"score": 7}.'
        problems.append(
            Problem("custom_fields", "wrong_type", "The custom fields are no JSON object.", hint)
        )
        return None
    flaw = _custom_flaw(value)
    if flaw is not None:
        problems.append(Problem("custom_fields", flaw[0], flaw[1], flaw[2]))
        return None
    plain = {str(name): _plain(part) for name, part in value.items()}
    return plain or None


def _plain(value: Json) -> Json:
    """Return a JSON value made of plain dicts and lists, whatever kinds of them it was made of."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _refuse_constant(name: str) -> object:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _custom_flaw(value: Mapping[object, object]) -> tuple[str, str, str] | None:
    flaw = _json_flaw(value, CUSTOM_DEPTH_MAX)
    if flaw is not None:
        return ("not_json", f"The custom fields hold {flaw}.", "Only JSON values are allowed.")
    size = len(json.dumps(value, ensure_ascii=False, default=dict).encode())
    if size > CUSTOM_BYTES_MAX:
        return (
            "too_long",
            f"The custom fields are {size} bytes long.",
            f"At most {CUSTOM_BYTES_MAX} are allowed.",
        )
    return None


def _json_flaw(value: object, depth: int) -> str | None:
    """Say what in `value` is not JSON, or None; `depth` is how many levels are left."""
    if depth == 0:
        return f"more than {CUSTOM_DEPTH_MAX} levels"
    match value:
        case str():
            return None if is_text(value) else "text that is no UTF-8"
        case None | bool():
            return None
        case int():
            return None if value.bit_length() <= INTEGER_BITS_MAX else "a number that is too long"
        case float():
            return None if math.isfinite(value) else "a number that is not finite"
        case Mapping():
            if not all(isinstance(name, str) for name in value):
                return "a name that is not a text"
            parts = [*value.keys(), *value.values()]
        case list() | tuple():
            parts = list(value)
        case _:
            return f"a {type(value).__name__}"
    return next((flaw for part in parts if (flaw := _json_flaw(part, depth - 1))), None)
