"""The pace of a campaign: a GCRA limiter whose whole state is one number.

The generic cell rate algorithm (ITU-T I.371) keeps the *theoretical arrival time* `tat`: the
instant at which the next request is due if all before it kept the pace. A reservation moves it
forward. Slots are evenly spaced, so no second of any alignment holds more than the rate.

A request may leave later than its slot: its permit was late, the journal, or the process. Then
the ones after it follow a little closer than slots do until the lateness is made up for; they
never leave in a bunch. All times are whole microseconds since the epoch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

SECOND_US = 1_000_000

AHEAD_US_MAX = 5 * SECOND_US
"""A `tat` further ahead than this and one reservation means that the clock was set back."""

BEHIND_US_MAX = SECOND_US
"""So far behind its slots a campaign may be and still make up for it; older slots are dropped."""

TIMER_US = 2_000
"""How late a timer may be on a machine that is not busy."""


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
    def jitter_us(self) -> int:
        """How late a request may leave without moving the next one.

        A quarter of the spacing, so that requests stay apart, and no less than timers are late.
        As many slots as the limit allows in a second span more than that second; no more than
        half of what they span more is ours to be late in.
        """
        apart = max(self.spacing_us // 4, TIMER_US)
        if self.headroom <= 0:
            return apart
        return min(int(self.places * (self.spacing_us - SECOND_US / self.per_second)) // 2, apart)

    @cached_property
    def gap_us(self) -> int:
        """Microseconds between two requests while lateness is made up for.

        The other half of the headroom is used for that. Without headroom the tenant is one that
        takes bursts, and it is made up for faster, but not in a burst.
        """
        if self.headroom <= 0:
            return max(1, self.spacing_us * 3 // 4)
        return -int(-(self.spacing_us + SECOND_US / self.per_second) // 2)

    @property
    def places(self) -> int:
        """How many requests the tenant counts together: those of a second, or one alone."""
        return max(1, int(self.per_second))

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


@dataclass(slots=True)
class Spacing:
    """Keeps requests apart that are behind their slots.

    Attributes:
        earliest_us: the next request leaves no sooner.
    """

    earliest_us: int = 0

    def leave(self, now_us: int, pace: Pace) -> None:
        """Note that a request may leave now."""
        self.earliest_us = max(self.earliest_us, now_us - pace.jitter_us) + pace.gap_us

    def left(self, now_us: int, pace: Pace) -> None:
        """Note that the last one has left only now."""
        self.earliest_us = max(self.earliest_us, now_us - pace.jitter_us + pace.gap_us)


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
