"""What a rehearsal lets go wrong: which faults, how often, and what they are in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer

from aftercall.interfaces.cli.options import Ending

SHARE = 0.05
"""How many requests a fault hits that is chosen by its name alone."""

ON_CALL, MISSING = "on_call", "missing"
"""What contacts are like rather than what goes wrong: the share of the contacts."""

WORDS: Mapping[str, str] = {
    "reset_before": "the connection was lost, nothing was changed",
    "reset_after": "the change was made, its answer was lost",
    "error_before": "503, nothing was changed",
    "error_after_commit": "500, although the change was made",
    "slow": "no answer in time, although the change was made",
    "slow_before": "no answer in time, the change was made later",
    "garbage": "an answer that is none",
    "truncated": "the change was made, its answer broke off",
    "unauthorized": "all tokens were revoked",
    "conflict": "somebody touched the contact just before the write",
    "throttle": "429 although the pace was kept",
    "huge": "an answer of many megabytes",
    "redirect": "a redirect, which is not followed",
    "list_gaps": "a list of contacts left every other one out",
    "list_short": "a list of contacts ended half-way",
    "list_order": "a list of contacts came in another order",
    "list_twice": "a list told contacts twice, and differently",
    "list_strangers": "a list told of contacts that were not asked for",
    "list_blanks": "a list told of contacts no more than their ids",
    "token_down": "nobody could sign in for a while",
    "token_slow": "signing in took long",
    "crm_reset_before": "the CRM's connection was lost, the event was not taken",
    "crm_reset_after": "the CRM took the event, its answer was lost",
    "crm_error": "500 from the CRM",
    "crm_throttle": "429 from the CRM",
    "crm_slow": "the CRM answered late",
    "crm_redirect": "a redirect from the CRM",
    "crm_huge": "a huge answer from the CRM",
    "crm_gone": "410 from the CRM: it takes no events any more",
    ON_CALL: "the contact was on a call for a second",
    MISSING: "there was no such contact",
}

MIX: Mapping[str, float] = {
    "reset_before": 0.02,
    "reset_after": 0.03,
    "error_before": 0.02,
    "error_after_commit": 0.02,
    "slow": 0.005,
    "garbage": 0.01,
    "truncated": 0.01,
    "unauthorized": 0.002,
    "conflict": 0.02,
    "throttle": 0.005,
    "list_gaps": 0.02,
    "list_twice": 0.02,
    "token_down": 0.2,
    "crm_reset_after": 0.02,
    "crm_error": 0.03,
    "crm_throttle": 0.01,
    ON_CALL: 0.03,
}
"""What `--faults` lets go wrong: about every sixth request, and every row comes through."""

SLOW_SECONDS = "3.5"
"""Later than a rehearsal waits for an answer."""

HUGE_BYTES = str(8 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Mischief:
    """What is to go wrong: the share of the requests by kind, and which ones by a seed."""

    shares: Mapping[str, float]
    seed: int

    def options(self) -> Iterator[str]:
        """Yield the simulator's options."""
        yield from ("--seed", str(self.seed), "--fault-limit", "1")
        yield from ("--slow-seconds", SLOW_SECONDS, "--huge-bytes", HUGE_BYTES)
        contacts = {ON_CALL: "--active-ratio", MISSING: "--missing-ratio"}
        for kind, share in self.shares.items():
            if kind in contacts:
                yield from (contacts[kind], str(share))
            else:
                yield from ("--fault", f"{kind}={share}")

    @property
    def crm_recovers(self) -> bool:
        """Whether the CRM takes every event in the end."""
        return "crm_gone" not in self.shares


def mischief_of(output: Ending) -> Mischief:
    """Return what the options of `sync` say is to go wrong.

    Raises:
        typer.BadParameter: a kind or a share is none, or it is to go wrong in earnest.
    """
    if not output.rehearse:
        message = "only a rehearsal lets things go wrong on purpose: add --rehearse."
        raise typer.BadParameter(message, param_hint="--faults" if output.faults else "--fault")
    chosen = dict(_chosen(output.fault or ()))
    return Mischief((dict(MIX) if output.faults else {}) | chosen, output.seed)


def _chosen(given: Sequence[str]) -> Iterator[tuple[str, float]]:
    for text in given:
        kind, equals, share = text.partition("=")
        if kind not in WORDS:
            message = f"there is no fault {kind!r}. Faults: {', '.join(WORDS)}."
            raise typer.BadParameter(message, param_hint="--fault")
        try:
            number = float(share) if equals else SHARE
        except ValueError:
            number = -1.0
        if not 0.0 <= number <= 1.0:
            message = f"{text!r}: the share must be a number from 0 to 1, such as {kind}=0.1."
            raise typer.BadParameter(message, param_hint="--fault")
        yield kind, number
