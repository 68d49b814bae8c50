import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from aftercall.domain.audit import Exchange, Finding, audit_entry
from aftercall.domain.outcomes import Category
from aftercall.domain.status import Status
from aftercall.domain.webhook import (
    PUBLIC_FIELDS,
    Subscription,
    check_body,
    event_body,
    event_id,
    secret_bytes,
    sign,
)

from .make import NOON_MS, claim, disposition

RAW = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(RAW).decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of enough bytes").decode()


def entry() -> dict[str, object]:
    done = Finding(Status.APPLIED, "written", "")
    exchange = Exchange(read_ms=10.0, write_ms=20.5)
    return {**audit_entry(claim(event_id="E1").subject, done, exchange, NOON_MS)}


def body(**asked: object) -> dict[str, object]:
    row = disposition(notes="personal", custom_fields={"score": 7})
    text = event_body(entry(), row, **asked)  # type: ignore[arg-type]
    parsed: dict[str, object] = json.loads(text)
    return parsed


def now_ms() -> int:
    # The independent implementation reads the clock itself, and refuses old events.
    return int(datetime.now(UTC).timestamp() * 1000)


def test_the_event_has_the_envelope_and_the_public_fields_of_the_entry() -> None:
    event = body()
    assert {name: event[name] for name in event if name != "data"} == {
        "event": "DISPOSITION_UPDATE",
        "type": "disposition.updated",
        "source": "CXone_Outbound_Sync",
        "timestamp": "2026-11-23T12:00:00.000Z",
    }
    assert event["data"] == {
        "run_id": "run-1",
        "campaign_id": "C1",
        "contact_id": "P1",
        "outcome_code": "INTERESTED",
        "category": "positive",
        "agent_id": "A1",
        "disposition_timestamp": "2026-11-23T12:00:00.000Z",
        "event_id": "E1",
        "status": "applied",
        "reason": "written",
        "latency_ms": 30.5,
    }


def test_notes_and_custom_fields_are_told_only_when_asked_for() -> None:
    assert "personal" not in json.dumps(body())
    asked = body(include=("notes", "custom_fields"))["data"]
    assert isinstance(asked, dict)
    assert set(asked) == {*PUBLIC_FIELDS, "notes", "custom_fields"}
    assert (asked["notes"], asked["custom_fields"]) == ("personal", {"score": 7})


def test_the_same_row_has_the_same_event_id_and_another_row_or_endpoint_another() -> None:
    assert event_id("run-1", 7, "crm") == event_id("run-1", 7, "crm")
    places = [("run-1", 7, "crm"), ("run-1", 8, "crm"), ("run-2", 7, "crm"), ("run-1", 7, "x")]
    others = {event_id(*place) for place in places}
    assert len(others) == 4
    assert all(one.startswith("msg_") and one.isascii() for one in others)


def test_a_test_event_has_the_same_envelope_and_tells_of_no_contact() -> None:
    event = json.loads(check_body("crm", NOON_MS))
    assert set(event) == set(body())
    assert (event["type"], event["timestamp"]) == ("endpoint.test", "2026-11-23T12:00:00.000Z")
    assert set(event["data"]) == {"endpoint", "message"}


@pytest.mark.parametrize(
    ("subscription", "wanted"),
    [
        (Subscription("crm"), True),
        (Subscription("crm", frozenset({Category.POSITIVE})), True),
        (Subscription("crm", frozenset({Category.OPT_OUT, Category.CALLBACK})), False),
        (Subscription("crm", campaigns=frozenset({"C1", "C2"})), True),
        (Subscription("crm", campaigns=frozenset({"C2"})), False),
        (Subscription("crm", frozenset({Category.POSITIVE}), frozenset({"C2"})), False),
        (Subscription("crm", frozenset({Category.OPT_OUT}), frozenset({"C1"})), False),
    ],
)
def test_an_endpoint_is_told_what_all_of_its_filter_lets_by(
    subscription: Subscription,
    wanted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    assert subscription.wants(Category.POSITIVE, "C1") is wanted


@pytest.mark.parametrize("text", ['{"a":1}', '{"name":"Zoë 😀"}'])
def test_an_independent_implementation_accepts_the_signature(text: str) -> None:
    headers = sign("msg_1", now_ms(), text, [secret_bytes(SECRET)])
    assert Webhook(SECRET).verify(text, headers) == json.loads(text)
    own = Webhook(SECRET).sign(
        "msg_1", datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC), text
    )
    assert headers["webhook-signature"] == own


def test_an_independent_implementation_refuses_what_was_changed() -> None:
    headers = sign("msg_1", now_ms(), '{"a":1}', [RAW])
    assert Webhook(SECRET).verify('{"a":1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify('{"a":2}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify('{"a":1}', headers | {"webhook-id": "msg_2"})
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify('{"a":1}', headers)


def test_while_rotating_either_secret_is_accepted() -> None:
    headers = sign("msg_1", now_ms(), '{"a":1}', [secret_bytes(SECRET), secret_bytes(OTHER)])
    assert headers["webhook-signature"].count("v1,") == 2
    assert Webhook(SECRET).verify('{"a":1}', headers) == {"a": 1}
    assert Webhook(OTHER).verify('{"a":1}', headers) == {"a": 1}


def test_an_old_signature_is_refused_by_who_receives_it() -> None:
    old = now_ms() - int(timedelta(hours=1).total_seconds() * 1000)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify('{"a":1}', sign("msg_1", old, '{"a":1}', [RAW]))


def test_a_secret_is_base64_behind_its_prefix_or_its_own_bytes() -> None:
    assert secret_bytes(SECRET) == RAW
    assert secret_bytes("plain secret ä") == "plain secret ä".encode()


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_abc", "whsec_ä"])
def test_a_secret_that_is_not_base64_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError) as refusal:
        secret_bytes(secret)
    assert secret.removeprefix("whsec_") not in str(refusal.value)
