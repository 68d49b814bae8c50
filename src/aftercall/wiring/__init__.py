"""The composition root: the only place that sees settings, engine and adapters together."""

from aftercall.adapters.journal.sqlite import open_archive
from aftercall.adapters.sources import SourceOptions
from aftercall.wiring.checkup import check_up
from aftercall.wiring.findings import CheckResult, Probe
from aftercall.wiring.forecast import CampaignForecast, Forecast, plan_files
from aftercall.wiring.results import report_at, write_results
from aftercall.wiring.session import Job, Rows, Session, open_session

__all__ = [
    "CampaignForecast",
    "CheckResult",
    "Forecast",
    "Job",
    "Probe",
    "Rows",
    "Session",
    "SourceOptions",
    "check_up",
    "open_archive",
    "open_session",
    "plan_files",
    "report_at",
    "write_results",
]
