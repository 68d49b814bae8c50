"""How many connections there can be beside all else that this process has open."""

import resource
import sys

KEPT_FREE = 32
"""What the journal and its readers, inputs and results, the event loop and the streams take."""


def connections_max() -> int:
    """Return how many connections the limit of open files leaves room for (``ulimit -n``)."""
    files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files_max == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(1, files_max - KEPT_FREE)
