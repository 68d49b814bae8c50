import pytest

from aftercall.domain.outcomes import CODE, Category, nearest_code

from .make import MATRIX


@pytest.mark.parametrize("code", ["ABC", "DO_NOT_CALL", "A" * 20, "___"])
def test_a_code_is_3_to_20_capitals_or_underscores(code: str) -> None:
    assert CODE.fullmatch(code)


@pytest.mark.parametrize("code", ["AB", "A" * 21, "abc", "A1B", "A B", "ÄÖÜ", "ABC\n", ""])
def test_anything_else_is_no_code(code: str) -> None:
    assert not CODE.fullmatch(code)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("interested", "INTERESTED"),
        ("Not Interested", "NOT_INTERESTED"),
        ("do-not-call!", "DO_NOT_CALL"),
        ("DO_NOT_CAL", "DO_NOT_CALL"),
        ("CALLBACK", "CALL_BACK"),
        ("  __CALL..BACK__ ", "CALL_BACK"),
    ],
)
def test_a_slip_is_recognised(given: str, meant: str) -> None:
    assert nearest_code(given, MATRIX) == meant


@pytest.mark.parametrize("given", ["", "XYZ", "123", "合意"])
def test_what_is_near_nothing_is_near_nothing(given: str) -> None:
    assert nearest_code(given, MATRIX) is None


def test_the_categories_are_those_of_the_configuration() -> None:
    assert {str(one) for one in Category} == {
        "positive",
        "negative",
        "callback",
        "opt_out",
        "unreachable",
    }
