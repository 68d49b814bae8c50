from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from aftercall.wire.masking import LEFT_OUT, Mask, masked

from .make import row

SECRET = 'k3y/with+signs & "quotes"=='
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJh.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        SECRET.upper(),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote_plus(SECRET).lower(),
        b64encode(SECRET.encode()).decode(),
        SECRET.replace('"', '\\"'),
    ],
)
def test_a_secret_is_masked_in_every_form(form: str) -> None:
    assert masked(f"bad <{form}>!", (TOKEN, SECRET)).removesuffix("=>!").startswith("bad <[secret]")


@pytest.mark.parametrize("client", ["a", "ab", "abc", "client-4711"])
def test_a_secret_within_basic_credentials_is_masked(client: str) -> None:
    basic = b64encode(f"{client}:{SECRET}".encode()).decode()
    told = masked(f"Basic {basic} is wrong", (SECRET,))
    assert basic[len(client) + 8 : -8] not in told
    assert "is wrong" in told


def test_a_part_of_a_secret_leaves_nothing_of_the_words() -> None:
    assert masked(f"token {TOKEN[:20]}... is invalid", (TOKEN,)) == LEFT_OUT
    assert masked(f"token {TOKEN[:8]}... is invalid", (TOKEN,)) != LEFT_OUT


def test_without_secrets_words_stay_as_they_are() -> None:
    assert masked("why", ()) == "why"
    assert masked("why", ("",)) == "why"
    assert masked("", (SECRET,)) == ""


def test_a_mask_takes_the_rows_personal_data_out_of_words_only() -> None:
    mask = Mask((TOKEN,), row(notes="call her"))
    assert mask.words(f"call her {TOKEN}") == "[notes] [secret]"
    assert mask.value(f"call her {TOKEN}") == "call her [secret]"


def test_what_is_shown_of_a_mask_tells_nothing() -> None:
    assert repr(Mask((TOKEN,), row(notes="call her"))) == "Mask()"
