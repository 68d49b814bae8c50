"""The CRM's endpoints in the configuration."""

from typing import Any

import pytest

from aftercall.domain.outcomes import Category
from aftercall.errors import ConfigInvalid
from aftercall.settings import Settings, load_crm_secrets, settings_from

URL = "https://crm.example.com/hooks"
MINIMAL: dict[str, Any] = {
    "tenant": {"instance": "na1"},
    "outcomes": {"INTERESTED": "positive"},
}


def load(crm: dict[str, Any], **environment: str) -> Settings:
    return settings_from(MINIMAL | {"crm": crm}, environment)


def problems(crm: dict[str, Any], **environment: str) -> list[str]:
    with pytest.raises(ConfigInvalid) as found:
        load(crm, **environment)
    return [line.strip() for line in found.value.message.splitlines()[1:]]


def named(name: str, **keys: Any) -> dict[str, Any]:
    return {"endpoints": {name: {"url": URL, **keys}}}


def test_without_anything_nobody_is_told() -> None:
    assert load({}).crm.all_endpoints() == {}


def test_the_url_of_the_table_is_the_endpoint_crm() -> None:
    crm = {
        "url": URL,
        "include": ["notes"],
        "concurrency": 3,
        "allow_private": True,
        "ca_file": __file__,
    }
    ((name, one),) = load(crm).crm.all_endpoints().items()
    assert (name, one.url, one.include, one.concurrency) == ("crm", URL, ("notes",), 3)
    assert (one.signing_env, one.allow_private) == ("AFTERCALL_CRM_SECRET", True)
    assert str(one.ca_file) == __file__
    assert (one.categories, one.campaigns) == ((), ())


def test_endpoints_have_tables_of_their_own_beside_it() -> None:
    sales = {"url": URL, "categories": ["positive", "callback"], "campaigns": ["4711"]}
    legal = {"url": URL, "signing_env": "LEGAL_KEYS"}
    crm = {"url": URL, "endpoints": {"sales": sales, "legal": legal}}
    found = load(crm).crm.all_endpoints()
    assert list(found) == ["crm", "sales", "legal"]
    assert found["sales"].categories == (Category.POSITIVE, Category.CALLBACK)
    assert found["sales"].campaigns == ("4711",)
    assert found["sales"].signing_env == "AFTERCALL_CRM_SECRET_SALES"
    assert found["legal"].signing_env == "LEGAL_KEYS"


def test_the_environment_reaches_into_the_table_of_an_endpoint() -> None:
    found = load(
        named("sales"),
        AFTERCALL__CRM__ENDPOINTS__SALES__CONCURRENCY="4",
        AFTERCALL__CRM__ENDPOINTS__SALES__CAMPAIGNS="['4711']",
        AFTERCALL__CRM__ENDPOINTS__LEGAL__URL=URL,
    ).crm.all_endpoints()
    assert (found["sales"].concurrency, found["sales"].campaigns) == (4, ("4711",))
    assert found["legal"].url == URL


@pytest.mark.parametrize(
    ("crm", "told"),
    [
        (
            {"url": URL, **named("crm")},
            "crm.endpoints: has an endpoint crm, which crm.url is already: give one of the two",
        ),
        ({"endpoints": {"sales": {}}}, "crm.endpoints.sales.url: missing"),
        (
            {"endpoints": {"sales": {"url": "http://crm.example"}}},
            (
                "crm.endpoints.sales.url: must begin with https://; http:// is only for this"
                " machine (127.0.0.1)"
            ),
        ),
        (
            named("sales", campaign=["1"]),
            'crm.endpoints.sales.campaign: unknown key; did you mean "campaigns"?',
        ),
        (
            named("sales", categories=["positiv"]),
            (
                'crm.endpoints.sales.categories.0: "positiv" is unknown; one of "positive",'
                ' "negative", "callback", "opt_out", "unreachable" is wanted; did you mean'
                ' "positive"?'
            ),
        ),
        (
            named("sales", concurrency=0),
            "crm.endpoints.sales.concurrency: 0 is too small; at least 1",
        ),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_told_where_it_stands(
    crm: dict[str, Any], told: str
) -> None:
    assert problems(crm) == [told]


@pytest.mark.parametrize("name", ["Sales", "sa-les", "sa__les", "_s", "", "x" * 33, "key_file"])
def test_a_name_has_to_be_one_that_a_variable_can_carry(name: str) -> None:
    (told,) = problems(named(name))
    assert "is no name for an endpoint" in told


def test_a_secret_in_place_of_its_variable_is_refused_and_not_repeated() -> None:
    (told,) = problems(named("sales", signing_env="whsec_c2VjcmV0"))
    assert told == (
        "crm.endpoints.sales.signing_env: must be the name of an environment variable in"
        " capitals; the secret itself does not belong here"
    )


def test_a_misspelled_variable_of_an_endpoint_is_named() -> None:
    (told,) = problems(named("sales"), AFTERCALL__CRM__ENDPOINTS__SALES__URLL="x")
    assert told.startswith("AFTERCALL__CRM__ENDPOINTS__SALES__URLL: unknown variable; did you mean")


def test_the_secrets_of_an_endpoint_come_from_its_variable_or_its_file(tmp_path: Any) -> None:
    found = load_crm_secrets({"LEGAL_KEYS": "one-of-two-secrets two-of-two-secrets"}, "LEGAL_KEYS")
    assert [each.get_secret_value() for each in found] == [
        "one-of-two-secrets",
        "two-of-two-secrets",
    ]
    (tmp_path / "keys").write_text("the-third-of-secrets\n")
    found = load_crm_secrets({"LEGAL_KEYS_FILE": str(tmp_path / "keys")}, "LEGAL_KEYS")
    assert [each.get_secret_value() for each in found] == ["the-third-of-secrets"]
    with pytest.raises(ConfigInvalid, match="LEGAL_KEYS is not set"):
        load_crm_secrets({"AFTERCALL_CRM_SECRET": "x"}, "LEGAL_KEYS")
