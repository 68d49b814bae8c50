"""Words that options take are written again, for a quick start: they are the domain's own."""

from enum import StrEnum

import pytest

from aftercall.domain.follow_ups import FollowUpKind, FollowUpState
from aftercall.domain.opt_outs import Standing
from aftercall.domain.status import Status
from aftercall.interfaces.cli.followups import Ended
from aftercall.interfaces.cli.options import FollowUpKinds, FollowUpStates, Stands
from aftercall.interfaces.cli.work import Retried


def words(kind: type[StrEnum]) -> set[str]:
    return {str(one) for one in kind}


@pytest.mark.parametrize(
    ("option", "domain"),
    [(Stands, Standing), (FollowUpStates, FollowUpState), (FollowUpKinds, FollowUpKind)],
)
def test_an_option_takes_all_words_of_the_domain(
    option: type[StrEnum], domain: type[StrEnum]
) -> None:
    assert words(option) == words(domain)


@pytest.mark.parametrize(("option", "domain"), [(Ended, FollowUpState), (Retried, Status)])
def test_what_can_be_tried_again_is_a_word_of_the_domain(
    option: type[StrEnum], domain: type[StrEnum]
) -> None:
    assert words(option) < words(domain)
