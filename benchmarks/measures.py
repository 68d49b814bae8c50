"""The measures. Each returns one ratio of two things that were timed in the same minute."""

import asyncio
import http.client
import json
import time
from urllib.parse import urlsplit

import aftercall
from benchmarks.rig import ENVIRONMENT, Peer, peer, rows, settings

UNLIMITED = 1_000_000.0
LATENCY_MS = 20
CONCURRENCY = 50
CAMPAIGNS = 20
SCRIPT_SHARE = 40
"""The script writes one row for every so many of ours, or it would take all day."""


def sequential_ratio(size: int) -> float:
    """Return how many times faster a run is than a script that sends one request at a time."""
    with peer("--rate", "0", "--latency-ms", str(LATENCY_MS), "--crm-latency-ms", "20") as one:
        script_rows = max(5, size // SCRIPT_SHARE)
        script = script_rows / _script_seconds(one, script_rows)
        ours = size / _run_seconds(one, size, CAMPAIGNS)
    return ours / script


def latency_ceiling(size: int) -> float:
    """Return the rows per second against what 50 requests in flight allow, both requests 20 ms."""
    with peer("--rate", "0", "--latency-ms", str(LATENCY_MS)) as one:
        seconds = _run_seconds(one, size, CAMPAIGNS, crm=False)
    ceiling = CONCURRENCY / (2 * LATENCY_MS / 1000)
    return size / seconds / ceiling


def pace_used(seconds: int) -> float:
    """Return requests sent against those permitted at 10 per second; a 429 voids it."""
    with peer("--rate", "10") as one:
        used, throttled = paced(one, seconds)
    return 0.0 if throttled else used


def paced(one: Peer, seconds: int) -> tuple[float, int]:
    """Send for about so many seconds at 10 per second.

    Returns:
        Requests sent against those permitted, and how many were answered with 429.
    """
    size = CAMPAIGNS * seconds * 5
    took = _run_seconds(one, size, CAMPAIGNS, rate=10.0, crm=False)
    throttled = sum(campaign["throttled"] for campaign in one.stats()["campaigns"].values())
    return 2 * size / (took * 10 * CAMPAIGNS), throttled


def flatness(size: int) -> float:
    """Return the cost per row of taking in ten times `size` rows against that of `size`."""
    with peer("--rate", "10", "--missing-ratio", "1") as one:
        return _intake_seconds(one, 10 * size) / 10 / _intake_seconds(one, size)


def _run_seconds(
    one: Peer, size: int, campaigns: int, *, rate: float = UNLIMITED, crm: bool = True
) -> float:
    with settings(one, rate=rate, crm=crm) as config:
        report = aftercall.sync(rows(size, campaigns), config, ENVIRONMENT)
    if report.open or report.failed:
        message = f"{report.open} rows open, {report.failed} failed"
        raise RuntimeError(message)
    return report.elapsed_seconds


def _intake_seconds(one: Peer, size: int) -> float:
    """Return the seconds until all rows are in the journal."""

    async def take_in() -> float:
        with settings(one, rate=10.0, crm=False) as config:
            async with aftercall.open(config, ENVIRONMENT) as session:
                started = time.perf_counter()
                async for _ in session.sync(rows(size, CAMPAIGNS)):
                    return time.perf_counter() - started
        message = "no row was settled"
        raise RuntimeError(message)

    return asyncio.run(take_in())


def _script_seconds(one: Peer, size: int) -> float:
    """Return how long a script takes that reads, writes and tells the CRM, one by one."""
    host = urlsplit(one.url).netloc
    started = time.perf_counter()
    line = http.client.HTTPConnection(host)
    form = "grant_type=client_credentials&client_id=bench&client_secret=bench"
    line.request(
        "POST",
        "/api/v1/oauth2/token",
        form,
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    token = json.load(line.getresponse())["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for row in rows(size, CAMPAIGNS):
        url = f"/api/v1/outbound/campaigns/{row['campaign']}/contacts/script-{row['contact']}"
        line.request("GET", url, headers=headers)
        line.getresponse().read()
        body = json.dumps({"outcomeCode": row["outcome"], "agentId": row["agent"]})
        line.request("PATCH", url, body, headers)
        line.getresponse().read()
        line.request("POST", urlsplit(one.crm_url).path, body, headers)
        line.getresponse().read()
    line.close()
    return time.perf_counter() - started
