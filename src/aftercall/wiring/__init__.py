"""The composition root: the only place that sees settings, engine and adapters together."""

from aftercall.adapters.journal.sqlite import open_archive, open_audit
from aftercall.adapters.sources import SourceOptions
from aftercall.wiring.checkup import CheckResult, check_up
from aftercall.wiring.forecast import CampaignForecast, Forecast, plan_files
from aftercall.wiring.results import report_at, write_results
from aftercall.wiring.session import Job, Rows, Session, open_session
from aftercall.wiring.trail import Trail, make_key, open_trail, rotate_key, trust_of

__all__ = [
    "CampaignForecast",
    "CheckResult",
    "Forecast",
    "Job",
    "Rows",
    "Session",
    "SourceOptions",
    "Trail",
    "check_up",
    "make_key",
    "open_archive",
    "open_audit",
    "open_session",
    "open_trail",
    "plan_files",
    "report_at",
    "rotate_key",
    "trust_of",
    "write_results",
]
