"""Whether a CRM that fails is in the tenant's way."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.peers import fast_server, simulator
from benchmarks.rig import ours

LATENCY_MS = 20
FOR_EVER_MS = 3_600_000

# What is timed are the tenant's writes: nobody waits for the CRM at the end.
CRM = {"drain_seconds": 0.0}


def hanging(size: int) -> Mapping[str, float]:
    """Return rows per second, and CPU, with a CRM that never answers.

    Against one that answers at once, which is what it would be if it did not fail; and against
    none at all, where no event is stored either. Nothing limits the pace, so each microsecond of
    the processor shows.
    """
    with fast_server(LATENCY_MS) as one, simulator("--crm-latency-ms", str(FOR_EVER_MS)) as crm:
        alone = ours(one, size, crm=None)
        failing = ours(replace(one, crm_url=crm.crm_url), size, crm=CRM)
        healthy = ours(one, size, crm=CRM)
    return {
        "with a CRM that hangs, against a healthy one": failing.per_second / healthy.per_second,
        "with a CRM that hangs, against none": failing.per_second / alone.per_second,
        "CPU with a CRM that hangs, against none": failing.cpu_seconds / alone.cpu_seconds,
    }
