"""The system's clock."""

import time


class SystemClock:
    """The time of day and a clock that is never set back."""

    def now_us(self) -> int:
        """Return microseconds since the epoch."""
        return time.time_ns() // 1000

    seconds = staticmethod(time.monotonic)
    """Returns seconds on the monotonic clock."""
