import json

from aftercall.domain.answer import Observed
from aftercall.domain.audit import (
    Exchange,
    Finding,
    Kind,
    Settled,
    Subject,
    audit_entry,
    settled_as,
)
from aftercall.domain.call_record import CallRecord
from aftercall.domain.commitment import canonical_json, commitment, salt_of
from aftercall.domain.disposition import Json
from aftercall.domain.status import Status

from .make import NOON, NOON_MS, ORIGIN, claim

BEFORE = Observed(
    "READY", "CALL_BACK", "A2", "old secret", NOON_MS - 5000, {"phone": "0555"}, etag='"v1"'
)
EXCHANGE = Exchange(
    before=BEFORE,
    read_ms=10.25,
    write_ms=20.5,
    wait_ms=95.0,
    window_ms=3.5,
    http_status=204,
    request_id="r-1",
)


def entry(status: Status, exchange: Exchange = EXCHANGE) -> dict[str, Json]:
    subject = claim(
        notes="new secret",
        custom_fields={"phone": "0555"},
        salt=b"s" * 32,
        event_id="E1",
        opt_out_received_at=NOON,
        call_record=CallRecord(seller="Acme", called_number="+12025550555", customer_name="Jo"),
        attempt=2,
        deferral=3,
        first_deferred_ms=NOON_MS - 60_000,
    ).subject
    return audit_entry(subject, Finding(status, "why", "words"), exchange, NOON_MS + 7)


def test_an_entry_says_who_what_before_after_why_and_when() -> None:
    told = entry(Status.APPLIED)
    assert told == {
        "schema": 1,
        "kind": "settled",
        "timestamp": "2026-11-23T12:00:00.007Z",
        "run_id": "run-1",
        "row_id": 7,
        "source": "calls.csv",
        "source_sha256": "ab" * 32,
        "line": 2,
        "campaign_id": "C1",
        "contact_id": "P1",
        "outcome_code": "INTERESTED",
        "category": "positive",
        "agent_id": "A1",
        "disposition_timestamp": "2026-11-23T12:00:00.000Z",
        "event_id": "E1",
        "opt_out_received_at": "2026-11-23T12:00:00.000Z",
        "status": "applied",
        "reason": "why",
        "message": "words",
        "attempt": 2,
        "before": {
            "state": "READY",
            "outcome_code": "CALL_BACK",
            "agent_id": "A2",
            "disposition_timestamp": "2026-11-23T11:59:55.000Z",
        },
        "after": {
            "outcome_code": "INTERESTED",
            "agent_id": "A1",
            "disposition_timestamp": "2026-11-23T12:00:00.000Z",
        },
        "latency_ms": 30.75,
        "read_ms": 10.25,
        "write_ms": 20.5,
        "wait_ms": 95.0,
        "read_to_write_ms": 3.5,
        "conditional": True,
        "http_status": 204,
        "request_id": "r-1",
        "deferrals": 3,
        "deferred_since": "2026-11-23T11:59:00.000Z",
        "call_record": {"seller": "Acme"},
        "commitments": {
            "called_number": commitment(salt_of(b"s" * 32, "called_number"), "+12025550555"),
            "customer_name": commitment(salt_of(b"s" * 32, "customer_name"), "Jo"),
            "notes": commitment(salt_of(b"s" * 32, "notes"), "new secret"),
            "custom_fields": commitment(salt_of(b"s" * 32, "custom_fields"), {"phone": "0555"}),
        },
    }


def test_no_entry_holds_notes_or_custom_fields_of_either_side() -> None:
    text = canonical_json(entry(Status.APPLIED))
    assert "secret" not in text
    assert "0555" not in text


def test_only_an_applied_row_has_changed_the_tenant() -> None:
    after = {status: entry(status)["after"] for status in Status}
    assert {status for status, left in after.items() if left is not None} == {Status.APPLIED}


def test_an_open_status_is_in_doubt_and_a_settled_one_settled() -> None:
    assert entry(Status.DOUBTFUL)["kind"] == Kind.IN_DOUBT
    assert entry(Status.FAILED)["kind"] == Kind.SETTLED


def test_without_an_exchange_nothing_is_made_up() -> None:
    told = entry(Status.SUPERSEDED, Exchange())
    assert (told["before"], told["latency_ms"], told["http_status"]) == (None, None, None)
    assert told["conditional"] is False


def test_a_write_without_an_etag_was_not_conditional() -> None:
    assert entry(Status.APPLIED, Exchange(before=Observed("READY")))["conditional"] is False


def test_the_latency_of_a_row_is_its_reads_and_writes_without_the_waiting() -> None:
    assert Exchange(read_ms=1.0001, write_ms=2.0, wait_ms=900.0).latency_ms == 3.0
    assert Exchange(read_ms=1.5, wait_ms=900.0).latency_ms == 1.5
    assert Exchange(wait_ms=900.0).latency_ms is None


def test_the_text_of_an_entry_keeps_its_order_and_its_letters() -> None:
    text = canonical_json({"b": "Zoë", "a": [1, None]})
    assert text == '{"b":"Zoë","a":[1,null]}'
    assert list(json.loads(canonical_json(entry(Status.APPLIED)))) == list(entry(Status.APPLIED))


def test_an_entry_about_a_row_that_told_nothing_is_complete() -> None:
    told = audit_entry(
        Subject(row=1, origin=ORIGIN), Finding(Status.INVALID, "no"), Exchange(), NOON_MS
    )
    assert set(told) == set(entry(Status.APPLIED))
    assert (told["campaign_id"], told["disposition_timestamp"], told["attempt"]) == ("", None, 0)


def test_whoever_follows_a_run_is_told_the_place_the_status_and_the_latency() -> None:
    finding = Finding(Status.APPLIED, "written", "words")
    assert settled_as(claim().subject, finding, EXCHANGE) == Settled(
        run="run-1",
        source="calls.csv",
        line=2,
        campaign="C1",
        contact="P1",
        outcome="INTERESTED",
        status=Status.APPLIED,
        reason="written",
        message="words",
        latency_ms=30.75,
    )
    assert settled_as(claim().subject, finding).latency_ms is None
