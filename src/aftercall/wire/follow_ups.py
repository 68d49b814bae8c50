"""Follow-ups on the wire: one request for one or for several of a kind, and what is answered."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aftercall.domain import answer
from aftercall.domain.answer import WriteAnswer
from aftercall.domain.disposition import Disposition, Json
from aftercall.domain.follow_ups import Action, FollowUp, FollowUpKind, with_numbers
from aftercall.wire.http import HttpRequest, HttpResponse, MaybeSent, SendFailure
from aftercall.wire.json_paths import json_value, put_at, value_at
from aftercall.wire.language.follow_up import FollowUpWrite
from aftercall.wire.masking import Mask
from aftercall.wire.profile import Profile, follow_ups_of
from aftercall.wire.refusals import Asked, refusal_of, ruled_refusal, trouble_of, words_of
from aftercall.wire.requests import Basis, Unwritable, filled, headers_of
from aftercall.wire.results import in_order
from aftercall.wire.signs import says_failure
from aftercall.wire.target import Target

PARTLY = 206
"""The status by which CXone says of a list that not all of it was done."""

OF_THE_ITEM = frozenset({400, 409, 422})
"""Refusals that can be about what is to be done, and so can say that it is done already."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a request: a token, and the id that both sides log."""

    token: str
    request_id: str


def rules_for(profile: Profile, kind: FollowUpKind) -> FollowUpWrite | None:
    """Return how a kind of follow-up is carried out; None if the profile declares none."""
    return follow_ups_of(profile).get(kind)


def flaw_of(
    profile: Profile, action: Action, row: Disposition, told: Mapping[str, str]
) -> Unwritable | None:
    """Return why a row cannot be followed up by an action; None if it can."""
    rules = rules_for(profile, action.kind)
    if rules is None:
        words = f"The profile {profile.name} declares no [follow_ups.{action.kind}]."
        return Unwritable("no_such_follow_up", words)
    try:
        filled(rules.fields, row, Basis(told=told, target=action.target))
    except Unwritable as flaw:
        return flaw
    return None


def url_of(target: Target, rules: FollowUpWrite, one: FollowUp) -> str:
    """Return where a follow-up goes; those with the same address may share a request."""
    values = {
        "campaign": one.row.campaign,
        "contact": one.row.contact,
        "target": one.action.target,
    }
    return target.api(rules.url, rules.version, values)


def follow_up_request(
    target: Target, rules: FollowUpWrite, several: Sequence[FollowUp], sender: Sender
) -> HttpRequest:
    """Carry out follow-ups of one kind that have the same address.

    Raises:
        Unwritable: a row has not what the tenant needs.
    """
    parts = _parts(rules, several)
    body: dict[str, Json] = {}
    if rules.items is None:
        body = parts[0]
    else:
        put_at(body, rules.items, parts)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    headers = headers_of(target.profile, sender.token, sender.request_id)
    headers["Content-Type"] = "application/json"
    return HttpRequest(rules.method, url_of(target, rules, several[0]), headers, text.encode())


def _parts(rules: FollowUpWrite, several: Sequence[FollowUp]) -> list[dict[str, Json]]:
    return [
        filled(rules.fields, one.row, Basis(told=one.told, target=one.action.target))
        for one in several
    ]


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an answer is read by.

    Attributes:
        profile: the tenant's language.
        kind: what was asked for.
        secrets: what must not come back.
        now_ms: the time, for a ``Retry-After`` that is a date.
    """

    profile: Profile
    kind: FollowUpKind
    secrets: tuple[str, ...]
    now_ms: int

    def asked(self, mask: Mask) -> Asked:
        """Return it as the rules about refusals take it."""
        return Asked(self.kind.value, self.now_ms, mask)

    def mask(self, several: Sequence[FollowUp]) -> Mask:
        """Return what is taken out of the words about some follow-ups."""
        if len(several) == 1:
            return Mask(self.secrets, with_numbers(several[0].row))
        return _MaskOfAll(self.secrets, None, tuple(with_numbers(one.row) for one in several))


@dataclass(frozen=True, slots=True)
class _MaskOfAll(Mask):
    """What must not come back about any of several rows."""

    rows: tuple[Disposition, ...] = ()

    def words(self, text: str) -> str:
        """Return what the tenant says, without any row's personal data."""
        words = self.value(text)
        for row in self.rows:
            words = Mask((), row).words(words)
        return words


def read_follow_ups(
    hearing: Hearing, rules: FollowUpWrite, several: Sequence[FollowUp], response: HttpResponse
) -> list[WriteAnswer]:
    """Say for each follow-up of a request what its answer means."""
    if response.status not in rules.success:
        return [_refused(hearing, rules, several, response)] * len(several)
    body = response.body.strip()
    document = json_value(body)
    if body and document is None:
        words = f"The answer is {len(body)} bytes, and no JSON."
        return [answer.Uncertain("garbage", words)] * len(several)
    signs = rules.failure
    results = None if signs.items is None else value_at(document, signs.items)
    if results is not None:
        return _read_results(hearing, rules, several, (response.status, results))
    if not says_failure(signs, document):
        if response.status == PARTLY:
            words = "The answer says that only a part was done, and not which."
            return [answer.Uncertain("results_differ", words)] * len(several)
        return [answer.Accepted()] * len(several)
    if len(several) > 1:
        words = "The answer says failure, and not of which item."
        return [answer.Uncertain("answer_says_failure", words)] * len(several)
    return [_of_item(hearing, rules, several, response.status, document)]


def _read_results(
    hearing: Hearing,
    rules: FollowUpWrite,
    several: Sequence[FollowUp],
    told: tuple[int, Json],
) -> list[WriteAnswer]:
    """Say for each follow-up what its own result means, of a status and a list of results."""
    status, results = told
    ordered, words = _ordered(rules, several, results)
    if words:
        return [answer.Uncertain("results_differ", words)] * len(several)
    return [
        _of_item(hearing, rules, [one], status, item)
        for one, item in zip(several, ordered, strict=True)
    ]


def _ordered(
    rules: FollowUpWrite, several: Sequence[FollowUp], results: Json
) -> tuple[Sequence[Json], str]:
    """Return a result for each follow-up; or, if they cannot be told apart, why."""
    if not isinstance(results, list):
        return (), "The answer has no list of results."
    if len(results) != len(several):
        return (), f"The answer has {len(results)} results for {len(several)} items."
    if not all(isinstance(each, Mapping) for each in results):
        return (), "The answer has results that say nothing."
    if rules.result_of is None:
        return results, ""
    ordered = in_order(results, rules.result_of, _parts(rules, several))
    if ordered is None:
        return (), "The results are about other items than those that were sent."
    return ordered, ""


def failed_follow_ups(several: Sequence[FollowUp], failure: SendFailure) -> list[WriteAnswer]:
    """Say for each follow-up of a request what it means that no answer came."""
    if isinstance(failure, MaybeSent):
        return [answer.Uncertain(failure.code, failure.words)] * len(several)
    return [answer.Unavailable(failure.code, failure.words, sent=False)] * len(several)


def _refused(
    hearing: Hearing, rules: FollowUpWrite, several: Sequence[FollowUp], response: HttpResponse
) -> WriteAnswer:
    asked = hearing.asked(hearing.mask(several))
    told = words_of(hearing.profile, response, hearing.asked(Mask()))
    if len(several) == 1 and response.status in OF_THE_ITEM and _is_so(rules, told):
        return answer.Accepted()
    refusal = refusal_of(hearing.profile, response, asked)
    if refusal is not None:
        return refusal
    code, words = trouble_of(hearing.profile, response, asked)
    # A redirect is answered by something in front of the tenant.
    if 300 <= response.status < 400:
        return answer.Unavailable(code, words)
    return answer.Uncertain(code, words)


def _of_item(
    hearing: Hearing, rules: FollowUpWrite, one: Sequence[FollowUp], status: int, item: Json
) -> WriteAnswer:
    """Say what one result of several means."""
    if not says_failure(rules.failure, item):
        return answer.Accepted()
    told = HttpResponse(status, {}, json.dumps(item).encode())
    if _is_so(rules, words_of(hearing.profile, told, hearing.asked(Mask()))):
        return answer.Accepted()
    asked = hearing.asked(hearing.mask(one))
    ruled = ruled_refusal(hearing.profile, told, asked)
    if ruled is not None:
        return ruled
    return answer.Refused("item_refused", words_of(hearing.profile, told, asked))


def _is_so(rules: FollowUpWrite, words: str) -> bool:
    """Say whether a refusal's words mean that it had been done before."""
    return rules.done_words is not None and bool(re.search(rules.done_words, words, re.IGNORECASE))
