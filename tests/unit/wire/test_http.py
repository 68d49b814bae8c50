import pytest

from aftercall.wire.http import HttpRequest, MaybeSent, NotSent, SendFailure


@pytest.mark.parametrize("kind", [NotSent, MaybeSent])
def test_a_failure_to_send_has_a_code_and_words(kind: type[SendFailure]) -> None:
    failure = kind("timeout", "no answer in time")
    assert (failure.code, failure.words, str(failure)) == (
        "timeout",
        "no answer in time",
        "no answer in time",
    )


def test_never_sent_is_told_from_maybe_sent() -> None:
    assert not issubclass(NotSent, MaybeSent)
    assert not issubclass(MaybeSent, NotSent)


def test_what_is_shown_of_a_request_is_its_method_and_address() -> None:
    request = HttpRequest("GET", "https://t/x", {"Authorization": "Bearer s3cret"}, b"s3cret")
    assert repr(request) == "HttpRequest(method='GET', url='https://t/x')"
