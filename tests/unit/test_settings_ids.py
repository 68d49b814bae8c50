"""Ids in a configuration, and what they cannot be."""

from typing import Any

import pytest
import typer

from aftercall.errors import ConfigInvalid
from aftercall.interfaces.cli.preparing import Wanted
from aftercall.settings import settings_from
from aftercall.wiring.values import target_of

BASE: dict[str, Any] = {"tenant": {"instance": "na1"}, "outcomes": {"SALE": "positive"}}


def test_ids_that_the_profile_would_not_send_are_refused() -> None:
    settings = settings_from(BASE | {"outcome_ids": {"SALE": "17"}}, {})
    with pytest.raises(ConfigInvalid) as caught:
        target_of(settings)
    assert "outbound-v1 sends codes as they stand" in caught.value.message
    tenant = BASE["tenant"] | {"profile": "acd"}
    settings = settings_from(BASE | {"tenant": tenant, "outcome_ids": {"SALE": "17"}}, {})
    assert target_of(settings).ids == {"SALE": "17"}


@pytest.mark.parametrize("name", ["..", "../3", "a\nb"])
def test_an_id_that_would_lead_elsewhere_is_none(name: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        settings_from(BASE | {"follow_ups": {"dnc_groups": {"opt_out": ["301", name]}}}, {})
    assert "is no id: it is part of an address" in caught.value.message


@pytest.mark.parametrize("contact", ["../..", "C1/..", "C1/../../token", "C1/a\nb"])
def test_a_contact_to_check_is_one(contact: str) -> None:
    with pytest.raises(typer.BadParameter):
        Wanted(contact, deep=False, write=None).probe()
