"""The commands about the CRM: what it was told, and what to do when it was not."""

# ruff: noqa: PLC0415 - what a command needs is imported when it runs: --help stays quick.

from typing import Annotated

import typer

from aftercall.domain.delivery import EventState
from aftercall.interfaces.cli.options import Chosen, Place, Sending, grouped

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
OneEvent = Annotated[str, typer.Argument(metavar="EVENT", hidden=True)]
SomeEvents = Annotated[list[str] | None, typer.Argument(metavar="EVENT", hidden=True)]
OneEndpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", hidden=True)]
MaybeEndpoint = Annotated[str | None, typer.Argument(metavar="ENDPOINT", hidden=True)]
SomeEndpoints = Annotated[
    list[str] | None,
    typer.Option("--endpoint", metavar="NAME", help="To this endpoint only. Repeatable."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="What the CRM was told; tell it again.", no_args_is_help=True)
    group.command("list")(crm_list)
    group.command("show")(crm_show)
    group.command("deliver")(crm_deliver)
    group.command("replay")(crm_replay)
    group.command("test")(crm_test)
    group.command("enable")(crm_enable)
    group.command("rotate-secret")(crm_rotate_secret)
    app.add_typer(group, name="crm")


@grouped
def crm_list(
    place: Place,
    chosen: Chosen,
    status: Annotated[
        EventState | None, typer.Option(help="With this status only.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Events at most.")] = 50,
    *,
    json: Json = False,
) -> int:
    """List the events for the CRM, the newest first."""
    from aftercall.interfaces.cli import events

    return events.listed(place, events.asked_for(chosen, status), limit, json=json)


@grouped
def crm_show(
    event: OneEvent,
    place: Place,
    *,
    body: Annotated[bool, typer.Option("--body", help="Show what it tells, too.")] = False,
    json: Json = False,
) -> int:
    """Show an event and every attempt to deliver it.

    EVENT is its id, the webhook-id that the CRM sees.
    """
    from aftercall.interfaces.cli import events

    return events.show(place, event, body=body, json=json)


@grouped
def crm_deliver(
    place: Place,
    endpoint: SomeEndpoints = None,
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Go on until no event waits any more.")
    ] = False,
    json: Json = False,
) -> int:
    """Deliver the events that are due, without a run.

    Nothing is sent to the tenant. Stop with Ctrl-C: what is not delivered waits.
    """
    from aftercall.interfaces.cli import deliveries

    return deliveries.deliver(place, endpoint or (), wait=wait, json=json)


@grouped
def crm_replay(
    place: Place,
    chosen: Chosen,
    sending: Sending,
    event: SomeEvents = None,
    status: Annotated[
        EventState,
        typer.Option(
            metavar="[delivered|dead]",  # What waits is refused with words of its own.
            help="With this status. Delivered ones need to be narrowed down.",
        ),
    ] = EventState.DEAD,
) -> int:
    """Send events again: the dead ones, or those that are named.

    EVENT is an id; without one it is every event that the options describe. They keep their ids.
    """
    from aftercall.interfaces.cli import events, replaying

    if event:
        events.check_alone(chosen)
    asked = replaying.Replay(tuple(event or ()), events.asked_for(chosen, status), sending)
    return replaying.replay(place, asked)


@grouped
def crm_test(place: Place, endpoint: SomeEndpoints = None, *, json: Json = False) -> int:
    """Send each endpoint a signed test event and say what it answered."""
    from aftercall.interfaces.cli import deliveries

    return deliveries.test(place, endpoint or (), json=json)


@grouped
def crm_enable(endpoint: OneEndpoint, place: Place) -> int:
    """Let an endpoint be called again, and at once.

    ENDPOINT is its name. One that answered 410 is not called before; for any other, events that
    wait for their next attempt become due now.
    """
    from aftercall.interfaces.cli import replaying

    return replaying.enable(place, endpoint)


@grouped
def crm_rotate_secret(place: Place, endpoint: MaybeEndpoint = None, *, json: Json = False) -> int:
    """Make a new secret and say where to put it; it is stored nowhere.

    ENDPOINT is the name of an endpoint; it may be left out if there is only one.
    """
    from aftercall.interfaces.cli import rotation

    return rotation.rotate(place, endpoint, json=json)
