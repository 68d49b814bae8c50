"""Whether the CRM is in the tenant's way."""

from collections.abc import Mapping
from dataclasses import replace

import aftercall
from benchmarks.rig import (
    ENVIRONMENT,
    Cost,
    Peer,
    fast_server,
    ours,
    rows,
    settings,
    simulator,
    stopwatch,
)

LATENCY_MS = 20
FOR_EVER_MS = 3_600_000


def hanging(size: int) -> Mapping[str, float]:
    """Return rows per second, and CPU, with a CRM that never answers against those without one."""
    with fast_server(LATENCY_MS) as one, simulator("--crm-latency-ms", str(FOR_EVER_MS)) as crm:
        alone = ours(one, size, crm=False)
        beside = _beside(replace(one, crm_url=crm.crm_url), size)
    return {
        "with a CRM that hangs, against none": beside.per_second / alone.per_second,
        "CPU with a CRM that hangs, against none": beside.cpu_seconds / alone.cpu_seconds,
    }


def _beside(one: Peer, size: int) -> Cost:
    with settings(one) as config, stopwatch() as spent:
        # What is timed are the tenant's writes: nobody waits for the CRM at the end.
        config["crm"]["drain_seconds"] = 0.0
        report = aftercall.sync(rows(size), config, ENVIRONMENT)
    if report.successful != size or report.deliveries != {"waiting": size}:
        message = f"{report.successful} of {size} rows were applied, events: {report.deliveries}"
        raise RuntimeError(message)
    return Cost(size, report.elapsed_seconds, spent[1])
