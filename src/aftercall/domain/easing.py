"""How a pace gives way to a tenant that refuses it, and finds its way back.

The limit in the configuration may be more than the tenant grants: it was lowered, or somebody else
works with the same tenant. Going on at the full pace after each pause would be refused again and
again, and each refusal costs a whole pause. So the pace falls by a share at each refusal, and rises
by a fixed step while there is none (additive increase, multiplicative decrease, as in RFC 5681):
quickly as long as it is well below what was refused, carefully around that, and quickly again once
it is well above: then the tenant grants more than it did.

All times are seconds on a clock that is never set back.
"""

import math
from dataclasses import dataclass, replace

from aftercall.domain.pacing import Pace

FORGIVEN_SECONDS = 60.0
"""One refusal within so long is bad luck, a stall on the way perhaps. The second is not."""

DECREASE = 0.8
"""What a refusal leaves of the pace."""

INCREASE = 0.05
"""A step up, as a share of the configured pace."""

LEAST = 0.05
"""The pace falls no lower than this share of the configured one."""

QUICK_SECONDS = 5.0
"""From step to step while the pace is well below what was refused, or well above."""

CAREFUL_SECONDS = 60.0
"""From step to step near what was refused."""

WELL_BELOW = 0.9


@dataclass(frozen=True, slots=True)
class Easing:
    """How much of the configured pace is used at the moment.

    Attributes:
        share: of the configured pace, from `LEAST` to 1.
        refused_share: the share that was refused last; infinite if none is remembered.
        refused_at: when that was.
        stepped_at: when `share` changed last.
    """

    share: float = 1.0
    refused_share: float = math.inf
    refused_at: float = -math.inf
    stepped_at: float = -math.inf

    def refused(self, now: float) -> "Easing":
        """Return what a refusal at `now` makes of this.

        Refusals of requests that were on the way together count once; that is the caller's part.
        """
        if now - self.refused_at > FORGIVEN_SECONDS and self.share == 1.0:
            return replace(self, refused_at=now)
        share = max(LEAST, self.share * DECREASE)
        return Easing(share, self.share, now, now)

    def at(self, now: float) -> "Easing":
        """Return what time without a refusal has made of this by `now`."""
        eased = self
        while eased.share < 1.0:
            raised = min(1.0, eased.share + INCREASE)
            well_below = raised <= WELL_BELOW * eased.refused_share
            well_above = WELL_BELOW * eased.share >= eased.refused_share
            quick = well_below or well_above
            due = eased.stepped_at + (QUICK_SECONDS if quick else CAREFUL_SECONDS)
            if due > now:
                break
            eased = replace(eased, share=raised, stepped_at=due)
        return eased

    def of(self, pace: Pace) -> Pace:
        """Return the share of a configured pace that is used."""
        return pace if self.share == 1.0 else replace(pace, per_second=pace.per_second * self.share)
