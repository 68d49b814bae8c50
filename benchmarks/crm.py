"""Whether the CRM is in the tenant's way."""

from collections.abc import Mapping
from dataclasses import replace

from benchmarks.rig import fast_server, ours, simulator

LATENCY_MS = 20
FOR_EVER_MS = 3_600_000


def hanging(size: int) -> Mapping[str, float]:
    """Return rows per second, and CPU, with a CRM that never answers against those without one."""
    with fast_server(LATENCY_MS) as one, simulator("--crm-latency-ms", str(FOR_EVER_MS)) as crm:
        alone = ours(one, size, crm=None)
        # What is timed are the tenant's writes: nobody waits for the CRM at the end.
        beside = ours(replace(one, crm_url=crm.crm_url), size, crm={"drain_seconds": 0.0})
    return {
        "with a CRM that hangs, against none": beside.per_second / alone.per_second,
        "CPU with a CRM that hangs, against none": beside.cpu_seconds / alone.cpu_seconds,
    }
