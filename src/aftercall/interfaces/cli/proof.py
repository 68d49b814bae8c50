"""What the other side of a demo or a rehearsal saw, held against what we say was done."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from rich.text import Text

from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.interfaces.cli.figures import count


@dataclass(frozen=True, slots=True)
class Witness:
    """What the tenant and the CRM saw.

    Attributes:
        changes: changes of contacts, by campaign, contact and outcome.
        repeats: writes that changed nothing.
        live_calls: writes to contacts that were on a call.
        throttled: answers 429.
        heard: different events that the CRM took.
        badly_signed: events whose signature was wrong.
        followed: different follow-ups that the tenant took, by kind.
        called_twice: callbacks that were scheduled a second time.
    """

    changes: Counter[tuple[str, str, str]]
    repeats: int
    live_calls: int
    throttled: int
    heard: int
    badly_signed: int
    followed: Mapping[str, int] = field(default_factory=dict)
    called_twice: int = 0

    def without_campaigns(self) -> Self:
        """Return the same for a tenant whose addresses name no campaign."""
        bare: Counter[tuple[str, str, str]] = Counter()
        for (_, contact, outcome), changes in self.changes.items():
            bare["", contact, outcome] += changes
        return replace(self, changes=bare)

    @classmethod
    def of(
        cls,
        stats: Mapping[str, Any],
        ledger: Iterable[Mapping[str, Any]],
        follow_ups: Sequence[Mapping[str, Any]] = (),
    ) -> Self:
        """Return what the simulator's own books say."""
        kinds = {"dnc": "dnc_group", "tag": "tags", "callback": "callback"}
        repeated = [bool(one.get("repeat")) for one in follow_ups]
        taken = [kinds[one["kind"]] for one in follow_ups]
        return cls(
            changes=Counter(
                (entry["campaign"], entry["contact"], entry["after"]["outcomeCode"])
                for entry in ledger
                if entry["effective"]
            ),
            repeats=stats["repeats"],
            live_calls=stats["live_call_writes"],
            throttled=sum(answers.get("429", 0) for answers in stats["requests"].values()),
            heard=stats["crm"]["distinct"],
            badly_signed=stats["crm"]["bad_signatures"],
            followed=Counter(k for k, again in zip(taken, repeated, strict=True) if not again),
            called_twice=sum(
                again and kind == "callback" for kind, again in zip(taken, repeated, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """The witness beside our own books.

    Attributes:
        applied: the rows that were applied, by campaign, contact and the tenant's outcome.
        witness: what the other side saw.
        events: how many events the CRM should have heard.
        done: follow-ups that were done, by kind.
        unsure: follow-ups that may have been done.
    """

    applied: Counter[tuple[str, str, str]]
    witness: Witness
    events: int = 0
    done: Mapping[str, int] = field(default_factory=dict)
    unsure: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report, witness: Witness) -> Self:
        """Put the audit trail of a report beside what was seen."""
        applied: Counter[tuple[str, str, str]] = Counter(
            (str(entry["campaign_id"]), str(entry["contact_id"]), str(entry["outcome_code"]))
            for entry in report.audit_trail
            if entry["status"] == Status.APPLIED
        )
        return cls(applied, witness, applied.total())

    @property
    def same(self) -> bool:
        """Whether each applied row is one change, and each change one applied row."""
        return self.applied == self.witness.changes

    @property
    def sound(self) -> bool:
        """Whether everything is as it was promised, whatever went wrong on the way."""
        seen = self.witness
        wrong = seen.live_calls or seen.badly_signed or seen.repeats
        return self.same and self.followed and not wrong and seen.heard == self.events

    @property
    def followed(self) -> bool:
        """Whether the tenant took no follow-up that we do not know of, and no callback twice.

        Two rows may ask for the same record or tag, which is then there once.
        """
        taken = self.witness.followed
        known = all(n <= self.done.get(k, 0) + self.unsure.get(k, 0) for k, n in taken.items())
        called = taken.get("callback", 0) >= self.done.get("callback", 0)
        return known and called and not self.witness.called_twice

    @property
    def holds(self) -> bool:
        """Whether everything is as it was promised, and the pace was kept."""
        return self.sound and not self.witness.throttled


def proof_view(proof: Proof, *, paced: bool = True) -> Iterator[Text]:
    """Yield the proof line by line, with the answers of 429 if the pace was kept."""
    seen, applied = proof.witness, proof.applied.total()
    yield Text("\nproof: what the simulated tenant and CRM wrote into their own books", "bold")
    same = "the same contacts and outcomes" if proof.same else "NOT THE SAME ONES"
    changes = count(seen.changes.total(), "change")
    yield Text(f"  tenant  {changes} for {count(applied, 'applied row')}, {same}")
    calls = count(seen.live_calls, "write")
    repeats = count(seen.repeats, "write")
    words = f"{repeats} for nothing, {calls} over a live call"
    throttled = f", {seen.throttled:,} answers of 429" if paced else ""
    yield Text(f"          {words}{throttled}")
    if proof.done or seen.followed:
        yield Text(f"          {_followed(proof)}")
    if not (proof.events or seen.heard):
        return
    signed = "each signed" if not seen.badly_signed else f"{seen.badly_signed} BADLY SIGNED"
    yield Text(f"  crm     heard {seen.heard:,} of {proof.events:,}, {signed}")


def _followed(proof: Proof) -> str:
    """Return how many different follow-ups the tenant took for those that were done."""
    seen = proof.witness
    kinds = dict.fromkeys((*proof.done, *seen.followed))
    told = (
        f"{kind} {seen.followed.get(kind, 0):,} of {proof.done.get(kind, 0):,}" for kind in kinds
    )
    wrong = "" if proof.followed else ", NOT AS WE SAY"
    return f"follow-ups taken: {', '.join(told)}{wrong}"
