"""What to type after a run: the exact commands, the most useful first."""

from collections.abc import Mapping, Sequence

from aftercall.domain.follow_ups import UNDONE, FollowUpState
from aftercall.domain.report import Report
from aftercall.domain.status import Status
from aftercall.interfaces.cli.options import Place
from aftercall.interfaces.cli.report_text import Step

RETRIED = (Status.FAILED, Status.REJECTED, Status.MISSING)


def steps_after(
    report: Report, place: Place, files: Mapping[str, str], given: Sequence[str] = ()
) -> list[Step]:
    """Return the commands that go on from a report.

    Args:
        report: the run's report.
        place: where its configuration and journal are.
        files: its result files by name.
        given: options about columns and pace that a resumed run needs again.
    """
    if report.state != "finished":
        going_on = place.command("resume", report.run, *given)
        steps = [Step("go on with what is open", going_on)]
        if report.state == "running":
            return []
        return steps + _about_opt_outs(report, place) + _about_crm(report, place)
    steps = _about_opt_outs(report, place)
    if report.count(Status.FAILED):
        again = place.command("retry", report.run)
        steps.append(Step("try the failed rows again", again))
    if report.failed and "failed" in files:
        feed = place.command("sync", files["failed"])
        steps.append(Step("correct the rows of that file, then feed it back", feed))
    steps += _about_follow_ups(report, place)
    steps += _about_crm(report, place)
    if not files:
        steps.append(Step("have the rows in files", place.command("export", report.run)))
    audit = place.command("audit", "export", "--run", report.run, "--out", "audit.json")
    steps.append(Step("take the audit trail along", audit))
    return steps


def _about_opt_outs(report: Report, place: Place) -> list[Step]:
    steps: list[Step] = []
    if report.opt_outs.not_landed:
        words = "see which opt-outs did not land, and by when they have to"
        steps.append(Step(words, place.command("optouts")))
    elif report.opt_outs.late:
        words = "see which opt-outs landed late, and record why"
        steps.append(Step(words, place.command("optouts", "--status", "late")))
    if report.opt_outs.partial:
        words = "see what the call records of opt-outs lack, which was wrong in the input"
        steps.append(Step(words, place.command("audit", "gaps", "--run", report.run)))
    return steps


def _about_follow_ups(report: Report, place: Place) -> list[Step]:
    undone = [state for state in FollowUpState if state in UNDONE and report.followed_up(state)]
    if not undone:
        return []
    states = [word for state in undone for word in ("--state", state.value)]
    command = place.command("followups", "list", "--run", report.run, *states)
    return [Step("see which follow-ups were not done, and why", command)]


def _about_crm(report: Report, place: Place) -> list[Step]:
    steps: list[Step] = []
    if report.deliveries.get("waiting"):
        for name in report.disabled:
            words = f"once the endpoint {name}, which asked not to be called (410), listens again"
            steps.append(Step(words, place.command("crm", "enable", name)))
        going_on = place.command("crm", "deliver")
        steps.append(Step("go on telling the CRM, or add --wait to see it through", going_on))
    if report.deliveries.get("dead"):
        again = place.command("crm", "replay", "--run", report.run)
        steps.append(Step("send the CRM again what it did not take", again))
    return steps
