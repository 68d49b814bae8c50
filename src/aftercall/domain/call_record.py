"""The call record: what US law asks for about every telemarketing call (16 CFR 310.5(a)(2)).

The Telemarketing Sales Rule lists ten items, (i) to (x), which sellers and telemarketers are to
keep for five years, since 15 October 2024; `docs/compliance.md` says what this was checked against.
All fields are optional; `missing_of` says which of them a call lacks.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from math import floor, isfinite

from aftercall.domain import instant
from aftercall.domain.cells import Now, Problem, is_absent, is_text, read_moment

Value = bool | int | str
"""What a field holds, as JSON."""

TEXT_CHARACTERS_MAX = 500
SECONDS_MAX = 7 * 86_400
"""No call takes a week: such a duration is in milliseconds, or is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What is known of the call that led to a disposition. What is None is not known.

    Attributes:
        telemarketer: the company that placed or received the call (i).
        seller: the company for which it was made (ii).
        good_or_service: what it was about (iii).
        consumer_type: ``individual`` or ``business`` (iv).
        call_direction: ``outbound`` or ``inbound`` (v).
        prerecorded_message: whether a prerecorded message was played (vi).
        calling_number: the number that called, E.164, such as ``+12025550123`` (vii); personal,
            for it is the customer's when the call is inbound.
        called_number: the number that was called, E.164 (vii); personal.
        call_started_at: when the call began, with a zone (vii).
        call_duration_seconds: how long it took, in whole seconds (vii).
        script_used: which script the agent read from (viii).
        recording_used: which prerecorded message was played (viii).
        caller_id_number: the number that the called person was shown, E.164 (ix).
        caller_id_name: the name that was shown, if one was (ix).
        caller_id_authorization: the contract that allows showing them (ix).
        call_disposition: ``answered``, ``connected``, ``dropped``, ``transferred`` or another (x).
        transferred_to: the number, E.164, or IP address the call was transferred to (x).
        transferred_company: whose that is, if it is another company's (x).
        dialed_manually: one person entered this one number by hand; then (vii) and (x) need not
            be kept.
        customer_name: whom the call reached; personal. Not one of the ten items.
    """

    telemarketer: str | None = None
    seller: str | None = None
    good_or_service: str | None = None
    consumer_type: str | None = None
    call_direction: str | None = None
    prerecorded_message: bool | None = None
    calling_number: str | None = field(default=None, repr=False)
    called_number: str | None = field(default=None, repr=False)
    call_started_at: datetime | None = None
    call_duration_seconds: int | None = None
    script_used: str | None = None
    recording_used: str | None = None
    caller_id_number: str | None = None
    caller_id_name: str | None = None
    caller_id_authorization: str | None = None
    call_disposition: str | None = None
    transferred_to: str | None = None
    transferred_company: str | None = None
    dialed_manually: bool | None = None
    customer_name: str | None = field(default=None, repr=False)

    @property
    def public(self) -> dict[str, Value]:
        """What audit entries hold in clear, by name; only what is given."""
        return {name: value for name, value in self._given() if name not in PERSONAL}

    @property
    def personal(self) -> dict[str, Value]:
        """What audit entries hold only commitments to, by name; only what is given."""
        return {name: value for name, value in self._given() if name in PERSONAL}

    def _given(self) -> Iterable[tuple[str, Value]]:
        for name in NAMES:
            value = getattr(self, name)
            if isinstance(value, datetime):
                yield name, instant.text(instant.to_ms(value))
            elif value is not None:
                yield name, value


def record_from(stored: Mapping[str, object]) -> CallRecord:
    """Return the record of which `stored` holds `public` and `personal` together."""
    values: dict[str, object] = {name: stored[name] for name in NAMES if name in stored}
    started = values.get("call_started_at")
    if isinstance(started, str):
        values["call_started_at"] = instant.parse(started)
    return CallRecord(**values)  # type: ignore[arg-type]


NAMES = tuple(one.name for one in fields(CallRecord))
"""The fields' names, as columns and in messages."""

PERSONAL = frozenset({"called_number", "calling_number", "customer_name"})
"""What says who was called, or who called: it can be erased."""

ITEMS: Mapping[str, str] = {
    "telemarketer": "(i)",
    "seller": "(ii)",
    "good_or_service": "(iii)",
    "consumer_type": "(iv)",
    "call_direction": "(v)",
    "prerecorded_message": "(vi)",
    "calling_number": "(vii)",
    "called_number": "(vii)",
    "call_started_at": "(vii)",
    "call_duration_seconds": "(vii)",
    "script_used": "(viii)",
    "recording_used": "(viii)",
    "caller_id_number": "(ix)",
    "caller_id_authorization": "(ix)",
    "call_disposition": "(x)",
    "transferred_to": "(x)",
}
"""The item of 16 CFR 310.5(a)(2) that each field belongs to without which it can be incomplete."""

RULE = "16 CFR 310.5(a)(2)"
MANUAL_EXEMPT = frozenset({"(vii)", "(x)"})
TRANSFERRED = "transferred"


def missing_of(record: Mapping[str, object], present: Collection[str]) -> list[str]:
    """Return the fields that the rule asks for and a call's entry lacks, in their order.

    Args:
        record: what the entry holds in clear.
        present: the names of all fields that it holds, those with commitments included.

    What depends on another field is asked for only when that says so: a recording of a
    prerecorded message, a target of a transfer, a caller id of a call that is not inbound.
    """
    played = record.get("prerecorded_message") is True
    disposition = record.get("call_disposition")
    transferred = isinstance(disposition, str) and disposition.casefold() == TRANSFERRED
    inbound = record.get("call_direction") == "inbound"
    spared = {
        "script_used": played,
        "recording_used": not played,
        "transferred_to": not transferred,
        "caller_id_number": inbound,
        "caller_id_authorization": inbound,
    }
    manual = record.get("dialed_manually") is True
    return [
        name
        for name, item in ITEMS.items()
        if name not in present and not spared.get(name) and not (manual and item in MANUAL_EXEMPT)
    ]


def read_call_record(
    cells: Mapping[str, object], now: Now, problems: list[Problem]
) -> CallRecord | None:
    """Read the fields of a call record among `cells`, and within the cell ``call_record``.

    Returns those that are right, and adds why others are wrong; None if there are none.
    """
    within = cells.get("call_record")
    if is_absent(within) and not (cells.keys() & _NAMES):
        return None
    given = dict(_within(within, problems))
    given |= {name: cells[name] for name in NAMES if not is_absent(cells.get(name))}
    found: dict[str, object] = {}
    for name in NAMES:
        if is_absent(given.get(name)):
            continue
        if name == "call_started_at":
            found[name] = read_moment(name, given[name], now, problems)
            continue
        try:
            found[name] = _READERS.get(name, _text)(given[name])
        except _Flaw as flaw:
            problems.append(Problem(name, flaw.code, f"The {name} {flaw.words}.", flaw.hint))
    given_ones = {name: value for name, value in found.items() if value is not None}
    return CallRecord(**given_ones) if given_ones else None  # type: ignore[arg-type]


_NAMES = frozenset(NAMES)


class _Flaw(Exception):
    """What is wrong with a cell."""

    def __init__(self, code: str, words: str, hint: str) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
        self.hint = hint


def _within(cell: object, problems: list[Problem]) -> Mapping[str, object]:
    if is_absent(cell):
        return {}
    if isinstance(cell, CallRecord):
        return {name: getattr(cell, name) for name in NAMES}
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            cell = None
    if not isinstance(cell, Mapping):
        message, hint = "The call_record is no JSON object.", 'Write {"seller": "..."}.'
        problems.append(Problem("call_record", "wrong_type", message, hint))
        return {}
    unknown = [name for name in cell if name not in _NAMES]
    if unknown:
        message = f"The call_record has {len(unknown)} names that are no fields of it."
        hint = f"Its fields are: {', '.join(NAMES)}."
        problems.append(Problem("call_record", "unknown_name", message, hint))
    return cell


def _text(cell: object) -> str:
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell) if cell.bit_length() <= 64 else ""  # Ids of scripts and contracts.
    if not isinstance(cell, str):
        raise _Flaw("wrong_type", "is not a text", "Write it in quotes.")
    words = cell.strip()
    if len(words) > TEXT_CHARACTERS_MAX:
        limit = f"At most {TEXT_CHARACTERS_MAX} are allowed; give a name or an id."
        raise _Flaw("too_long", f"is {len(words)} characters long", limit)
    if not is_text(words) or not words.isprintable():
        raise _Flaw("control_characters", "holds control characters", "Write it on one line.")
    return words


_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def _flag(cell: object) -> bool:
    if isinstance(cell, int) and cell in {0, 1}:
        return bool(cell)
    words = cell.strip().casefold() if isinstance(cell, str) else ""
    if words not in _FLAGS:
        raise _Flaw("bad_flag", "is neither yes nor no", "Write yes or no, or true or false.")
    return _FLAGS[words]


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SPACING = re.compile(r"[\s().\-]")


def _number(cell: object) -> str:
    """Return a telephone number in the form of ITU-T E.164, section 6: at most 15 digits."""
    words = _SPACING.sub("", cell) if isinstance(cell, str) else ""
    if not _E164.fullmatch(words):
        hint = "Write it with + and the country's code, like +12025550123 or +1 202-555-0123."
        raise _Flaw("bad_number", "is not an international telephone number", hint)
    return words


def _number_or_address(cell: object) -> str:
    if isinstance(cell, str):
        try:
            return str(ipaddress.ip_address(cell.strip()))
        except ValueError:
            pass
    return _number(cell)


_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-9]{1,2}(?:\.[0-9]{1,9})?)")
_ISO = re.compile(
    r"PT(?=[0-9])(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?",
    re.IGNORECASE,
)


def _duration(cell: object) -> int:
    """Return whole seconds, to the nearest one."""
    seconds: float | None = None
    if isinstance(cell, timedelta):
        seconds = cell.total_seconds()
    elif isinstance(cell, int | float) and not isinstance(cell, bool):
        seconds = float(cell) if abs(cell) < 10**12 else None
    elif isinstance(cell, str):
        words = cell.strip()
        parts = _CLOCK.fullmatch(words) or _ISO.fullmatch(words)
        if parts:
            hours, minutes, rest = (float(part or 0) for part in parts.groups())
            seconds = hours * 3600 + minutes * 60 + rest
        elif _SECONDS.fullmatch(words):
            seconds = float(words)
    if seconds is None or not isfinite(seconds) or not 0 <= seconds <= SECONDS_MAX:
        hint = "Write seconds, like 125, or 0:02:05, or PT2M5S; a week at most."
        raise _Flaw("bad_duration", "is not a duration of a call", hint)
    return floor(seconds + 0.5)


def _choice(*choices: str) -> Callable[[object], str]:
    def read(cell: object) -> str:
        words = cell.strip().casefold() if isinstance(cell, str) else ""
        if words not in choices:
            told = " or ".join(choices)
            raise _Flaw("bad_choice", f"is not {told}", f"Write {told}.")
        return words

    return read


_READERS: Mapping[str, Callable[[object], object]] = {
    "consumer_type": _choice("individual", "business"),
    "call_direction": _choice("outbound", "inbound"),
    "prerecorded_message": _flag,
    "dialed_manually": _flag,
    "calling_number": _number,
    "called_number": _number,
    "caller_id_number": _number,
    "transferred_to": _number_or_address,
    "call_duration_seconds": _duration,
}
"""How each field is read that is more than a text."""
