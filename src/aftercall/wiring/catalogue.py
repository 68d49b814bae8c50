"""Fetching what a tenant calls its outcomes."""

import asyncio
import random
from collections.abc import Callable, Mapping

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.transport import HttpTransport
from aftercall.domain.answer import Absent, Forbidden, ReadAnswer, Refused, Unavailable
from aftercall.domain.pacing import SECOND_US
from aftercall.engine.halt import Halt
from aftercall.engine.lookups import Listed, Lookups
from aftercall.engine.session import Means, Session
from aftercall.errors import AccessDenied, AftercallError, ConfigInvalid, TenantUnreachable
from aftercall.settings import Settings
from aftercall.wire.auth import Token
from aftercall.wire.catalogue import Configured, Outcome, outcomes_of
from aftercall.wire.http import HttpRequest, HttpResponse, SendFailure
from aftercall.wire.language.codes import Codes
from aftercall.wiring.values import identity_of, pace_of, target_of, transport_options

LIKENESS = "x-simulated-tenant"
"""The header by which a simulator says that it stands in for a tenant, with ids that are made up.

Whoever simulates a tenant can send it; nothing else is known here of who does.
"""


async def fetch_outcomes(
    settings: Settings, environment: Mapping[str, str], configured: Configured
) -> list[Outcome]:
    """Return the tenant's dispositions as outcomes; nothing is written anywhere.

    Args:
        settings: where the tenant is.
        environment: the credentials.
        configured: the codes that there are.

    Raises:
        AftercallError: the profile has no list of them, the tenant has none where it says, or who
            answers only stands in for the tenant.
        Paused: the tenant does not let us in or does not give the list.
    """
    target = target_of(settings)
    codes, identity = target.profile.codes, identity_of(target.profile, environment)
    if codes.catalogue is None:
        message = f"The profile {target.profile.name} has no list of outcomes to fetch."
        raise AftercallError(message, fix=_by_hand(codes))
    clock = SystemClock()
    spacing_seconds = pace_of(settings, target.profile, "").spacing_us / SECOND_US
    async with HttpTransport(transport_options(settings)) as transport:
        session = Session(target, identity, Means(transport, clock, random.random, Halt()))

        async def send(
            build: Callable[[Token], HttpRequest],
        ) -> HttpResponse | SendFailure:
            # There is no lane here, as there is no row: one after the other, at a campaign's pace.
            await asyncio.sleep(spacing_seconds)
            try:
                response = await transport.send(build(await session.token()))
            except SendFailure as failure:
                return failure
            _check_real(response, target.base_url)
            return response

        await session.token()
        lookups = Lookups(session, clock)
        items = _listed(codes.catalogue, await lookups.listed(codes.catalogue, "", send))
        groups: Mapping[str, str] | None = None
        if codes.groups is not None:
            groups = _listed(codes.groups, await lookups.listed(codes.groups, "", send)).names()
    return outcomes_of(items.items, groups, codes.categories, configured)


def _by_hand(codes: Codes) -> str:
    """Say how outcomes are given where the profile names no list with all of them."""
    match codes.source:
        case "identity":
            return "List them under [outcomes] by hand; codes are sent as they stand there."
        case "static":
            return "List them under [outcomes], and their ids under [outcome_ids], by hand."
        case "lookup":
            return (
                "Name a list that has them all (one without key) as [codes] catalogue in the"
                " profile; or list them under [outcomes] by hand, and under [outcome_ids] what the"
                " tenant calls them."
            )


def _check_real(response: HttpResponse, url: str) -> None:
    """Refuse a list that is none of the tenant's: it would be used with the real one later.

    Raises:
        AftercallError: it says that it is none.
    """
    if LIKENESS not in response.headers:
        return
    message = f"At {url} is a simulator: ids that it lists are made up, and are no tenant's."
    fix = (
        "Turn to the real tenant first: unset AFTERCALL__TENANT__BASE_URL, or correct the address"
        " under [tenant]. Nothing was changed."
    )
    raise AftercallError(message, fix=fix, next_command="aftercall outcomes pull")


def _listed(name: str, got: Listed | ReadAnswer) -> Listed:
    match got:
        case Listed():
            return got
        case Forbidden(words):
            told = words.removeprefix(f"{name}: ")
            message = f"The tenant does not let us see its {name} (403): {told}"
            fix = "Have the permission granted to these credentials."
            raise AccessDenied(message, fix=fix, next_command="aftercall check")
        case Absent() | Refused():
            message = f"The tenant has no list where the profile looks for its {name}"
            message += f": {got.words}" if got.words else "."
            fix = f"Correct the url of [lookup.{name}], or tenant.base_url if that is wrong."
            raise ConfigInvalid(message, fix=fix, next_command="aftercall check --deep")
        case Unavailable("answer_too_long", words):
            message = f"The tenant's {name} are too long: {words}"
            fix = "Raise tenant.response_bytes_max."
            raise TenantUnreachable(message, fix=fix, next_command="aftercall outcomes pull")
        case _:
            words = getattr(got, "words", "") or "no answer that could be used"
            message = f"The tenant did not give its {name}: {words.removeprefix(f'{name}: ')}"
            raise TenantUnreachable(message, fix="Try again.", next_command="aftercall check")
