"""The composition root: the only place that sees settings, engine and adapters together."""

from typing import TYPE_CHECKING

from aftercall.first_use import imported_from

if TYPE_CHECKING:
    from aftercall.adapters.journal.sqlite import open_archive, open_audit
    from aftercall.adapters.sources import SourceOptions
    from aftercall.wiring.checkup import check_up
    from aftercall.wiring.crm import (
        Round,
        Trial,
        configured,
        endpoints_of,
        redelivery_at,
        send_tests,
    )
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

_HOMES = {
    "CampaignForecast": "aftercall.wiring.forecast",
    "CheckResult": "aftercall.wiring.findings",
    "Forecast": "aftercall.wiring.forecast",
    "Job": "aftercall.wiring.session",
    "Probe": "aftercall.wiring.findings",
    "Round": "aftercall.wiring.crm",
    "Rows": "aftercall.wiring.session",
    "Session": "aftercall.wiring.session",
    "SourceOptions": "aftercall.adapters.sources",
    "Trail": "aftercall.wiring.trail",
    "Trial": "aftercall.wiring.crm",
    "check_up": "aftercall.wiring.checkup",
    "configured": "aftercall.wiring.crm",
    "endpoints_of": "aftercall.wiring.crm",
    "make_key": "aftercall.wiring.trail",
    "open_archive": "aftercall.adapters.journal.sqlite",
    "open_audit": "aftercall.adapters.journal.sqlite",
    "open_session": "aftercall.wiring.session",
    "open_trail": "aftercall.wiring.trail",
    "plan_files": "aftercall.wiring.forecast",
    "redelivery_at": "aftercall.wiring.crm",
    "report_at": "aftercall.wiring.results",
    "rotate_key": "aftercall.wiring.trail",
    "send_tests": "aftercall.wiring.crm",
    "trust_of": "aftercall.wiring.trail",
    "write_results": "aftercall.wiring.results",
}

__getattr__ = imported_from(__name__, _HOMES, globals())
