"""Which of several results is about which of the items that were sent."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from aftercall.domain.disposition import Json
from aftercall.domain.follow_ups import NUMBER_DIGITS_MIN
from aftercall.wire.json_paths import text_of, value_at

_NO_DIGIT = re.compile(r"\D")


def in_order(
    results: Sequence[Json], path: str, sent: Sequence[Mapping[str, Json]]
) -> list[Json] | None:
    """Return results in the order of what was sent.

    A result says at `path` which number it is about, in the tenant's own way of writing it. It is
    out of place if it is about the number of another item; one that says nothing known is not.

    Returns:
        The results; None if they are out of order and cannot be put into it.
    """
    told = [_digits(value_at(result, path)) for result in results]
    numbers = [[found for value in item.values() if (found := _digits(value))] for item in sent]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, several in enumerate(numbers):
        for number in several:
            places[_tail(number)].append(place)

    def meant(number: str) -> int | None:
        """Return which of the places that are left a number is about, by its place among them."""
        left = places.get(_tail(number), ())
        return next((at for at, place in enumerate(left) if _any(number, numbers[place])), None)

    if all(
        _any(number, several) or meant(number) is None
        for number, several in zip(told, numbers, strict=True)
    ):
        return list(results)
    ordered: dict[int, Json] = {}
    for result, number in zip(results, told, strict=True):
        at = meant(number)
        if at is None:
            return None
        ordered[places[_tail(number)].pop(at)] = result
    if len(ordered) < len(results):
        return None
    return [ordered[place] for place in range(len(results))]


def _digits(value: Json) -> str:
    """Return the digits of a telephone number without zeros before them; empty if it is none."""
    digits = _NO_DIGIT.sub("", text_of(value) or "").lstrip("0")
    return digits if len(digits) >= NUMBER_DIGITS_MIN else ""


def _tail(digits: str) -> str:
    return digits[-NUMBER_DIGITS_MIN:]


def _any(number: str, sent: Sequence[str]) -> bool:
    """Say whether a number is one of those that were sent, with or without its country's code."""
    return any(number.endswith(one) or one.endswith(number) for one in sent)
