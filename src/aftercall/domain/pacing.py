"""The pace of a campaign: a GCRA limiter whose whole state is one number.

The generic cell rate algorithm (ITU-T I.371) keeps the *theoretical arrival time* `tat`: the
instant at which the next request is due if all before it kept the pace. A reservation moves it
forward. Slots are evenly spaced, so no second of any alignment holds more than the rate.
All times are whole microseconds since the epoch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

SECOND_US = 1_000_000

AHEAD_US_MAX = 5 * SECOND_US
"""A `tat` further ahead than this and one reservation means that the clock was set back."""


@dataclass(frozen=True)
class Pace:
    """How fast requests may leave.

    Attributes:
        per_second: the tenant's limit in requests per second.
        headroom: the share of it that is left unused, so that jitter on the way to the tenant
            cannot push the requests of one second over the limit.
    """

    per_second: float
    headroom: float = 0.05

    @cached_property
    def spacing_us(self) -> int:
        """Microseconds between two slots, rounded up: never above the rate."""
        return max(1, -int(-SECOND_US // (self.per_second * (1.0 - self.headroom))))

    @cached_property
    def late_us_max(self) -> int:
        """How late a slot may be used.

        Slots lie `spacing_us` apart, so a window of one second that would hold one request more
        than the limit allows spans `per_second * spacing_us`. What that is longer than a second
        is the slack; half of it is ours to be late in, the other half is for the network. Without
        headroom the tenant is one that takes bursts, and lateness is made up for.
        """
        if self.headroom <= 0:
            return SECOND_US
        slack = int(self.per_second * self.spacing_us) - SECOND_US
        return min(slack // 2, SECOND_US // 2)

    @property
    def block(self) -> int:
        """How many slots are reserved at once: about half a second's worth."""
        return max(1, min(1000, int(self.per_second / 2)))


@dataclass(frozen=True, slots=True)
class Slots:
    """Reserved slots: `count` of them from `first_us` on, `spacing_us` apart."""

    first_us: int
    count: int
    spacing_us: int


def reserve(tat_us: int, now_us: int, count: int, spacing_us: int) -> tuple[Slots, int]:
    """Reserve the next `count` slots.

    Returns:
        The slots and the new theoretical arrival time. The first slot is never before `now_us`
        nor before `tat_us`.
    """
    if tat_us > now_us + AHEAD_US_MAX + count * spacing_us:
        tat_us = now_us
    first = max(tat_us, now_us)
    return Slots(first, count, spacing_us), first + count * spacing_us


def seconds_at_least(
    requests: Mapping[str, int], pace: Callable[[str], Pace], whole: Pace | None
) -> float:
    """Return how long requests take at the least: campaigns side by side, within the whole's pace.

    Args:
        requests: how many to each campaign.
        pace: the pace of each campaign.
        whole: the pace of all campaigns together; None for no such limit.
    """
    longest_us = max(
        (number * pace(campaign).spacing_us for campaign, number in requests.items()), default=0
    )
    whole_us = 0 if whole is None else sum(requests.values()) * whole.spacing_us
    return max(longest_us, whole_us) / SECOND_US
