"""The composition root: the only place that sees settings, engine and adapters together."""

from aftercall.adapters.journal.sqlite import open_archive, open_audit
from aftercall.adapters.sources import SourceOptions
from aftercall.wiring.checkup import check_up
from aftercall.wiring.crm import Round, Trial, configured, endpoints_of, redelivery_at, send_tests
from aftercall.wiring.findings import CheckResult, Probe
from aftercall.wiring.forecast import CampaignForecast, Forecast, plan_files
from aftercall.wiring.results import report_at, write_results
from aftercall.wiring.session import Job, Rows, Session, open_session
from aftercall.wiring.trail import Trail, make_key, open_trail, rotate_key, trust_of

__all__ = [
    "CampaignForecast",
    "CheckResult",
    "Forecast",
    "Job",
    "Probe",
    "Round",
    "Rows",
    "Session",
    "SourceOptions",
    "Trail",
    "Trial",
    "check_up",
    "configured",
    "endpoints_of",
    "make_key",
    "open_archive",
    "open_audit",
    "open_session",
    "open_trail",
    "plan_files",
    "redelivery_at",
    "report_at",
    "rotate_key",
    "send_tests",
    "trust_of",
    "write_results",
]
