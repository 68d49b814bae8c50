"""What `acd` makes of the documented answers: categories, refusals, what may be repeated."""

from base64 import b64encode
from typing import Any

import pytest

from aftercall.adapters.profiles import load_profile
from aftercall.domain import answer
from aftercall.domain.answer import Found
from aftercall.domain.audit import Origin, Subject
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind
from aftercall.domain.outcomes import Category
from aftercall.domain.status import Status
from aftercall.wire.auth import Token, read_token, refreshed_by
from aftercall.wire.catalogue import Configured, outcomes_of
from aftercall.wire.codes import Item
from aftercall.wire.discovery import tenant_id_of
from aftercall.wire.follow_ups import Hearing, read_follow_ups, rules_for
from aftercall.wire.masking import Mask
from aftercall.wire.refusals import is_unauthorized
from aftercall.wire.requests import token_request
from aftercall.wire.responses import read_contact, read_written
from aftercall.wire.target import Identity, Target

from .make import answered, row

ACD = load_profile("acd")
NA1 = Target(ACD, "https://na1.nice-incontact.com", "na1")

SYSTEM = {
    1: "positive",  # Positive with amount
    2: "positive",  # Positive, no amount
    3: "opt_out",  # Negative, do not call (skill)
    4: "opt_out",  # Negative, do not call (business unit)
    5: "negative",  # Negative
    6: "negative",  # Other
    7: "callback",  # Retry, rescheduled (agent specific)
    8: "callback",  # Retry, rescheduled date (any agent)
    9: "unreachable",  # Retry later, unspecified
    10: "unreachable",  # Retry, not available
    11: "unreachable",  # Retry, answering machine
    12: "unreachable",  # Final, answering machine
    15: "unreachable",  # Busy
    18: "unreachable",  # Bad number
    20: "unreachable",  # No answer
    22: "unreachable",  # Disconnected
    23: "unreachable",  # Network busy
}
"""The documented system disposition values."""

NAMED = {
    "Negative - Do Not Call (Skill)": "opt_out",
    "DNC - Business Unit": "opt_out",
    "Retry - Rescheduled Date": "callback",
    "Callback requested": "callback",
    "Retry - Later Unspecified": "unreachable",
    "Final - Answering Machine": "unreachable",
    "Bad Number": "unreachable",
    "Positive with amount": "positive",
    "Negative": "negative",
    "Final": "negative",
    "Other": "negative",
}


def category(group_id: str, group: str) -> Category | None:
    items = [Item("1", "Some disposition", group_id)]
    (found,) = outcomes_of(items, {group_id: group}, ACD.codes.categories, Configured())
    return found.category


def test_outcomes_come_from_the_list_of_all_and_its_classifications() -> None:
    assert (ACD.codes.catalogue, ACD.codes.groups) == ("dispositions", "classifications")


@pytest.mark.parametrize(("number", "means"), SYSTEM.items())
def test_a_classification_of_an_unknown_name_goes_by_its_number(number: int, means: str) -> None:
    assert category(str(number), "Our own name") == means


@pytest.mark.parametrize(("name", "means"), NAMED.items())
def test_a_classification_goes_by_its_name_first(name: str, means: str) -> None:
    assert category("999", name) == means


def test_what_nobody_knows_has_no_category() -> None:
    assert category("999", "Our own name") is None


class TestSigningIn:
    def test_an_application_is_named_in_the_header(self) -> None:
        request = token_request(NA1, Identity("app", "secret", "key", "shh"))
        assert request is not None
        assert request.headers["Authorization"] == f"Basic {b64encode(b'app:secret').decode()}"
        assert request.body == b"grant_type=password&username=key&password=shh"

    @pytest.mark.parametrize("auth", ACD.auth, ids=lambda auth: auth.style)
    def test_a_token_is_renewed_after_55_minutes(self, auth: Any) -> None:
        told = answered(200, {"access_token": "t", "expires_in": 3600})
        got = read_token(ACD, told, 0.0, Mask(), auth)
        assert isinstance(got, Token)
        assert got.renew_at_seconds == 3300.0

    def test_a_refreshed_token_has_names_of_its_own(self) -> None:
        told = {"token": "t", "tokenExpirationTimeSec": 1800, "refreshToken": "r-2"}
        got = read_token(ACD, answered(200, told), 0.0, Mask(), refreshed_by(ACD.auth[1]))
        assert isinstance(got, Token)
        assert (got.secret, got.renew_at_seconds, got.refresh) == ("t", 1500.0, "r-2")

    def test_which_claim_is_the_tenants_id(self) -> None:
        assert tenant_id_of(NA1, {"tenantId": "t-1", "tenant": "x"}) == "t-1"


def test_a_state_that_is_told_by_its_number_is_named_by_the_list() -> None:
    assert ACD.states.lookup == "states"
    got = read_contact(ACD, answered(200, {"stateId": 7}), 0, Mask(), {"7": "EndContact"})
    assert isinstance(got, Found)
    assert got.contact.closed


TEXTS = {
    "Skill Not Configured For Dispositioning Via Script": "skill_without_script",
    "Specified Disposition Has No Classification": "no_classification",
    "Invalid Contact ID": "contact_not_active",
    "Invalid Skill": "wrong_skill",
    "Invalid Disposition Code": "no_such_disposition",
    "Invalid Commitment Amount": "bad_commitment_amount",
    "Invalid Callback Time": "bad_callback_time",
}


@pytest.mark.parametrize(("text", "reason"), TEXTS.items())
def test_the_texts_of_a_write_mean_something_there_alone(text: str, reason: str) -> None:
    told = answered(400, {"message": text})
    got = read_written(ACD, told, 0, Mask())
    assert isinstance(got, answer.Refused)
    assert got.code == reason
    assert read_contact(ACD, told, 0, Mask()) == answer.Refused("refused_400", text)


def test_the_user_and_the_token_are_told_apart() -> None:
    for status, text in ((401, "Invalid Security User"), (400, "Unable To Determine BusNo")):
        told = answered(status, {"message": text})
        assert isinstance(read_written(ACD, told, 0, Mask()), answer.Forbidden)
        assert not is_unauthorized(ACD, told, "write")
    assert is_unauthorized(ACD, answered(401, {"message": "Invalid or expired token"}), "write")
    assert is_unauthorized(ACD, answered(401, {"message": "Invalid Security User"}), "read")


class TestFollowUps:
    def heard(
        self, kind: FollowUpKind, status: int, told: object, numbers: tuple[str, ...] = ("+1",)
    ) -> list[answer.WriteAnswer]:
        several = [
            FollowUp(
                number=place,
                serial=0,
                action=Action(kind, "301"),
                row=row(custom_fields={"phone_number": number}),
                status=Status.APPLIED,
                subject=Subject(row=place, origin=Origin("R", "F", place)),
                told={},
            )
            for place, number in enumerate(numbers)
        ]
        rules = rules_for(ACD, kind)
        assert rules is not None
        return read_follow_ups(Hearing(ACD, kind, (), 0), rules, several, answered(status, told))

    def test_a_record_or_a_tag_twice_is_the_same_and_a_callback_is_not(self) -> None:
        again = {kind: rules_for(ACD, kind) for kind in FollowUpKind}
        assert {kind for kind, rules in again.items() if rules and rules.repeatable} == {
            FollowUpKind.DNC_GROUP,
            FollowUpKind.TAGS,
        }

    def test_what_is_there_already_is_done(self) -> None:
        for kind in (FollowUpKind.DNC_GROUP, FollowUpKind.TAGS):
            (got,) = self.heard(kind, 400, {"message": "The record exists already"})
            assert got == answer.Accepted()
            (got,) = self.heard(kind, 400, {"message": "Maximum of 100 already reached"})
            assert isinstance(got, answer.Refused)

    def test_each_record_has_the_result_about_its_number(self) -> None:
        numbers = ("+12025550101", "+12025550102")
        told = [
            {"success": False, "error": "Bad number", "formattedPhone": "(202) 555-0102"},
            {"success": True, "error": "", "formattedPhone": "(202) 555-0101"},
        ]
        body = {"errorCount": 1, "recordResults": told}
        got = self.heard(FollowUpKind.DNC_GROUP, 206, body, numbers)
        assert got == [answer.Accepted(), answer.Refused("item_refused", "Bad number")]

    def test_a_tag_that_was_not_put_on_is_counted(self) -> None:
        (got,) = self.heard(FollowUpKind.TAGS, 200, {"resultSet": {"errorCount": 1}})
        assert isinstance(got, answer.Refused)
        (got,) = self.heard(FollowUpKind.TAGS, 200, {"resultSet": {"errorCount": 0}})
        assert got == answer.Accepted()

    def test_an_inactive_group_is_told(self) -> None:
        (got,) = self.heard(FollowUpKind.DNC_GROUP, 409, {"message": "Group is inactive"})
        assert isinstance(got, answer.Refused)
        assert got.code == "dnc_group_inactive"
