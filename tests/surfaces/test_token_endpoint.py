"""Where one signs in is asked for where that is documented; only a trusted answer counts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aftercall.adapters.clock import SystemClock
from aftercall.adapters.profiles import load_profile
from aftercall.engine.halt import Halt
from aftercall.engine.session import SIGN_IN, Means, Session
from aftercall.errors import TenantUnreachable
from aftercall.ports import Transport
from aftercall.wire.http import HttpRequest, HttpResponse
from aftercall.wire.target import Identity, Target
from aftercall.wiring.checkup import _Entrance
from tests.fault.rig import CLIENT_SECRET, ENVIRONMENT

from .rig import KEY_SECRET, KEYS, on_surface

WHO = Identity(
    client_id=ENVIRONMENT["CXONE_CLIENT_ID"],
    client_secret=CLIENT_SECRET,
    key_id=KEYS["CXONE_ACCESS_KEY_ID"],
    key_secret=KEY_SECRET,
)
DOCUMENT = "https://cxone.niceincontact.com/.well-known/openid-configuration"
OWN = "https://cxone.niceincontact.com/auth/token"


class Internet:
    """Every host is the simulated tenant, which calls itself by a name."""

    def __init__(self, transport: Transport, url: str, name: str) -> None:
        self._transport = transport
        self._url = url
        self._name = name
        self.asked: list[str] = []
        self.documents = 200

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request.url)
        if request.url == DOCUMENT and self.documents != 200:
            return HttpResponse(self.documents, {}, b"")
        path = request.url.split("/", 3)[3]
        got = await self._transport.send(replace(request, url=f"{self._url}/{path}"))
        return replace(got, body=got.body.replace(self._url.encode(), self._name.encode()))


async def signed_in(rig: Any, name: str, documents: int = 200) -> tuple[list[str], Session]:
    """Sign in on an area's hosts; return what was asked."""
    profile = load_profile("acd")
    target = Target(profile, "https://na1.nice-incontact.com", "na1")
    async with rig.session() as session:
        internet = Internet(session._outside.tenant, rig.simulator.url, name)
        internet.documents = documents
        one = Session(target, WHO, Means(internet, SystemClock(), lambda: 0.0, Halt()))
        token = await one.token()
        await one.renew(token)
        return internet.asked, one


async def test_the_token_endpoint_that_the_document_names_is_used(tmp_path: Path) -> None:
    async with on_surface("acd", tmp_path) as rig:
        asked, _ = await signed_in(rig, "https://login-eu1.niceincontact.com")

        named = "https://login-eu1.niceincontact.com/auth/token"
        api = "https://cxone.niceincontact.com/.well-known/cxone-configuration"
        # Asked for once; renewing goes where signing in went.
        assert [url.partition("?")[0] for url in asked] == [DOCUMENT, named, api, named]


async def test_without_a_document_the_profiles_own_address_counts(tmp_path: Path) -> None:
    async with on_surface("acd", tmp_path) as rig:
        asked, _ = await signed_in(rig, "https://login.niceincontact.com", documents=404)

        assert asked[:2] == [DOCUMENT, OWN]
        assert asked.count(DOCUMENT) == 1


@pytest.mark.parametrize(
    "name",
    [
        "https://niceincontact.com.evil.example",
        "https://user@login.niceincontact.com",
        "http://login.niceincontact.com",
        "https://[broken",
    ],
)
async def test_credentials_are_sent_nowhere_else(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aftercall.engine.session.SIGN_IN", replace(SIGN_IN, attempts_max=2))
    async with on_surface("acd", tmp_path) as rig:
        with pytest.raises(TenantUnreachable, match="none to be trusted"):
            await signed_in(rig, name)
        assert rig.simulator.stats()["tokens_issued"] == 0


async def test_check_asks_for_it_too_and_says_why_it_is_not_trusted(tmp_path: Path) -> None:
    target = Target(load_profile("acd"), "https://na1.nice-incontact.com", "na1")
    async with on_surface("acd", tmp_path) as rig, rig.session() as session:
        found = []
        for name in ("https://login-eu1.niceincontact.com", "https://evil.example"):
            internet = Internet(session._outside.tenant, rig.simulator.url, name)
            found.append([one async for one in _Entrance(target, WHO, internet).findings()])

        assert [one.level for one in found[0]] == ["ok", "ok", "ok"]
        assert "login-eu1.niceincontact.com issued a token" in found[0][0].words
        (refused,) = found[1]
        assert (refused.name, refused.level) == ("sign in", "fail")
        assert "none to be trusted" in refused.words


async def test_a_configured_address_is_asked_for_no_other(tmp_path: Path) -> None:
    async with on_surface("acd", tmp_path) as rig:
        rig.environment |= ENVIRONMENT
        async with rig.session() as session:
            target = session._outside.target
            internet = Internet(session._outside.tenant, rig.simulator.url, rig.simulator.url)
            one = Session(target, WHO, Means(internet, SystemClock(), lambda: 0.0, Halt()))
            await one.token()

        assert internet.asked[0] == f"{rig.simulator.url}/auth/token"


async def test_the_simulated_document_has_the_documented_fields(tmp_path: Path) -> None:
    async with on_surface("acd", tmp_path) as rig, rig.session() as session:
        url = f"{rig.simulator.url}/.well-known/openid-configuration"
        got = await session._outside.tenant.send(HttpRequest("GET", url, {}))

        assert json.loads(got.body).keys() == {
            "issuer",
            "token_endpoint",
            "token_endpoint_auth_methods_supported",
        }
