import hashlib
import hmac

import pytest

from aftercall.domain.commitment import commitment, commitments, opens, salt_of
from aftercall.domain.disposition import Json

ROW_SALT = bytes(range(32))


def test_a_commitment_is_made_as_the_documentation_says() -> None:
    salt = hmac.new(ROW_SALT, b"notes", hashlib.sha256).digest()
    expected = hashlib.sha256(salt + '"Called Zoë back."'.encode()).hexdigest()
    assert commitments(ROW_SALT, {"notes": "Called Zoë back."}) == {"notes": expected}


def test_only_what_is_present_is_committed_to() -> None:
    assert commitments(ROW_SALT, {}) == {}
    assert set(commitments(ROW_SALT, {"custom_fields": {"a": 1}})) == {"custom_fields"}


def test_without_a_salt_nothing_is_committed_to() -> None:
    assert commitments(None, {"notes": "x"}) == {}


@pytest.mark.parametrize("other", ["Y", "x ", None, {"notes": "x"}, ["x"]])
def test_another_value_does_not_open_a_commitment(other: Json) -> None:
    salt = salt_of(ROW_SALT, "notes")
    committed = commitment(salt, "x")
    assert opens(committed, salt, "x")
    assert not opens(committed, salt, other)


def test_another_salt_does_not_open_a_commitment() -> None:
    committed = commitment(salt_of(ROW_SALT, "notes"), "x")
    assert not opens(committed, salt_of(ROW_SALT, "custom_fields"), "x")
    assert not opens(committed, salt_of(bytes(32), "notes"), "x")


def test_the_same_value_of_two_rows_or_two_fields_does_not_show_as_the_same() -> None:
    one = commitments(ROW_SALT, {"notes": "no", "reason": "no"})
    two = commitments(bytes(32), {"notes": "no", "reason": "no"})
    assert len({*one.values(), *two.values()}) == 4
