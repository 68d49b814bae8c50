"""Rate limits of the tenant: what is let through, and how refusals are worded."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Literal, Protocol

from aftercall.simulator.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

WINDOW_SECONDS = 1.0
_SHORTEST_WAIT = 0.001
_ROUNDING = 1e-9

LimiterKind = Literal["window", "bucket"]
RetryAfterStyle = Literal["alternate", "seconds", "date", "none"]


class Limiter(Protocol):
    """Decides about one stream of requests; asking and taking are separate steps.

    They are separate because a request may need the consent of two limiters, and one that is
    refused by the second must not use up the first.
    """

    def wait(self, now: float) -> float:
        """Return 0 if a request may pass now, else the seconds until one may."""
        ...

    def take(self, now: float) -> None:
        """Count a request that passed."""
        ...


class SlidingWindow:
    """At most ``rate`` requests in any window of one second, wherever it is placed."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Return 0 if a request may pass now, else the seconds until one may."""
        times = self._times
        while times and now - times[0] >= WINDOW_SECONDS:
            times.popleft()
        if len(times) < self._rate:
            return 0.0
        return max(times[0] + WINDOW_SECONDS - now, _SHORTEST_WAIT)

    def take(self, now: float) -> None:
        """Count a request that passed."""
        self._times.append(now)


class TokenBucket:
    """``rate`` requests per second on average, up to ``burst`` of them at once."""

    def __init__(self, rate: int, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._level = float(burst)
        self._filled_at = -math.inf

    def wait(self, now: float) -> float:
        """Return 0 if a request may pass now, else the seconds until one may."""
        gained = (now - self._filled_at) * self._rate
        self._level = min(self._burst, self._level + gained)
        self._filled_at = now
        if self._level >= 1.0 - _ROUNDING:
            return 0.0
        return max((1.0 - self._level) / self._rate, _SHORTEST_WAIT)

    def take(self, now: float) -> None:
        """Count a request that passed."""
        del now  # wait() has just filled the bucket up to this moment
        self._level = max(0.0, self._level - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRules:
    """What the tenant allows.

    Attributes:
        kind: A strict sliding window or a token bucket.
        rate: Requests per second and campaign; 0 means no limit.
        burst: Size of the bucket, for the kind "bucket".
        tenant_rate: Requests per second of all campaigns together; 0 means no limit.
    """

    kind: LimiterKind = "window"
    rate: int = 10
    burst: int = 10
    tenant_rate: int = 0

    def __post_init__(self) -> None:
        if min(self.rate, self.tenant_rate) < 0 or self.burst < 1:
            raise InvalidInputError("rates must not be negative, and a burst is at least 1")

    def limiter(self, rate: int) -> Limiter | None:
        """Build a limiter for a rate, or nothing where the rate is unlimited."""
        if rate == 0:
            return None
        if self.kind == "bucket":
            return TokenBucket(rate, self.burst)
        return SlidingWindow(rate)


class CampaignTraffic:
    """What arrived for one campaign, whether it was let through or not."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self.requests = 0
        self.peak_per_second = 0
        self.throttled = 0

    def arrive(self, now: float) -> None:
        """Count an arrival and the busiest second so far."""
        recent = self._recent
        recent.append(now)
        while now - recent[0] >= WINDOW_SECONDS:
            recent.popleft()
        self.requests += 1
        self.peak_per_second = max(self.peak_per_second, len(recent))


class Gate:
    """Lets requests through or not, per campaign and for the whole tenant."""

    def __init__(self, rules: LimitRules, campaign_rates: Mapping[str, int] | None = None) -> None:
        self._rules = rules
        self._campaign_rates = campaign_rates or {}
        self._tenant = rules.limiter(rules.tenant_rate)
        self._campaigns: dict[str, tuple[Limiter | None, CampaignTraffic]] = {}

    def admit(self, campaign: str, now: float) -> float:
        """Return 0 for a request that may pass, else the seconds the caller should wait."""
        own, traffic = self._of(campaign)
        traffic.arrive(now)
        limiters = [limiter for limiter in (own, self._tenant) if limiter is not None]
        wait = max((limiter.wait(now) for limiter in limiters), default=0.0)
        if wait > 0:
            traffic.throttled += 1
            return wait
        for limiter in limiters:
            limiter.take(now)
        return 0.0

    def stats(self) -> dict[str, dict[str, int]]:
        """Return requests, busiest second and refusals of every campaign seen."""
        return {
            campaign: {
                "requests": traffic.requests,
                "peak_per_second": traffic.peak_per_second,
                "throttled": traffic.throttled,
            }
            for campaign, (_, traffic) in self._campaigns.items()
        }

    def _of(self, campaign: str) -> tuple[Limiter | None, CampaignTraffic]:
        entry = self._campaigns.get(campaign)
        if entry is None:
            rate = self._campaign_rates.get(campaign, self._rules.rate)
            entry = self._campaigns[campaign] = (self._rules.limiter(rate), CampaignTraffic())
        return entry


class RetryAfter:
    """Writes Retry-After in the two forms HTTP allows, by turns unless told otherwise."""

    def __init__(self, style: RetryAfterStyle) -> None:
        self._style = style
        self._count = 0

    def headers(self, wait: float, wall: float) -> dict[str, str]:
        """Return the header for a caller that should wait so many seconds."""
        if self._style == "none":
            return {}
        as_date = self._style == "date" or (self._style == "alternate" and self._count % 2 == 1)
        self._count += 1
        if as_date:
            # Rounded up: a date has whole seconds and must not lie before the free moment.
            return {"Retry-After": formatdate(math.ceil(wall + wait), usegmt=True)}
        return {"Retry-After": str(max(1, math.ceil(wait)))}
