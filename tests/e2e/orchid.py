"""Orchid: a gateway that knows nothing of aftercall, of its simulator or of profiles.

It is as unlike the built-in surfaces as a gateway may be: an access key in a password grant with
the client in the header, tokens of seconds that are renewed elsewhere, versions of each operation's
own, contacts two objects deep with states by number, a disposition beside the contact, forms by PUT
that depend on a version in the body, numbers of outcomes by desk, results of their own per item.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

CLIENT = ("app", "app secret&1")
KEY = ("robot", "key+secret")
TOKEN_SECONDS = 2.0
PHASES = {1: "Calling", 2: "Talking", 3: "Parked", 4: "Done", 5: "Archived"}
CODES = {
    70: [(11, "Interested", True), (12, "Not Interested", True), (13, "Call Back", True)],
    80: [(21, "interested!", True), (22, "Do Not Call", True), (23, "Call Back", False)],
}
FIELDS = {"code", "desk", "memo", "at", "worker", "channel", "callback"}


@dataclass
class Person:
    """A contact: its name says how it behaves."""

    name: str
    rev: int = 1
    last: dict[str, Any] | None = None
    writes: int = 0
    keys: set[str] = field(default_factory=set)
    free_at: float = 0.0

    @property
    def desk(self) -> int:
        return 80 if self.name.startswith("d80") else 70

    @property
    def phase(self) -> int:
        if self.name.startswith("archived"):
            return 5
        return 2 if time.monotonic() < self.free_at else 3


@dataclass
class Reply:
    """An answer; status 0 is a connection that breaks."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def trouble(status: int, text: str, **headers: str) -> Reply:
    return Reply(status, {"trouble": {"text": text}}, headers)


class Orchid:
    """The gateway's mind."""

    def __init__(self) -> None:
        self.url = ""
        self.people: dict[str, Person] = {}
        self.seen: list[tuple[str, str]] = []
        self._tokens: dict[str, float] = {}
        self._again: set[str] = set()
        self._lock = threading.Lock()

    def person(self, name: str) -> Person | None:
        if name.startswith("gone"):
            return None
        if name not in self.people:
            free_at = time.monotonic() + (1.0 if name.startswith("talking") else 0.0)
            self.people[name] = Person(name, free_at=free_at)
            if name.startswith("newer"):
                self.people[name].last = {"code": 12, "memo": "", "at": 2_000_000_000}
        return self.people[name]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: str) -> Reply:
        with self._lock:
            url = urlsplit(target)
            self.seen.append((method, target))
            form = dict(parse_qsl(body, keep_blank_values=True))
            if url.path.startswith("/id/"):
                return self._sign_in(method, url.path, headers, form)
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if self._tokens.get(token, 0.0) < time.monotonic():
                return trouble(401, "the token has expired")
            if headers.get("x-gateway-key-id") != "outbound-7":
                return trouble(403, "no key of the gateway")
            parts = url.path.strip("/").split("/")[1:]
            if method == "PUT" and parts[0] == "v4.1" and parts[3] == "outcome":
                return self._write(parts[2], headers, form)
            return self._read(parts, parse_qs(url.query))

    def _sign_in(
        self, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, str]
    ) -> Reply:
        coded = headers.get("authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(coded).decode().partition(":")
        if method != "POST" or (unquote_plus(name), unquote_plus(secret)) != CLIENT:
            return trouble(401, "who is that client?")
        if path == "/id/v2/again":
            if form.get("refresh_token") not in self._again:
                return trouble(401, "who is that?")
            return Reply(200, {"token": self._token(), "valid": str(TOKEN_SECONDS)})
        key = (form.get("username"), form.get("password"))
        if form.get("grant_type") != "password" or key != KEY or form.get("audience") != "dialer":
            return trouble(400, "no such grant")
        again = f"again-{len(self._again)}"
        self._again.add(again)
        told = {"token": self._token(), "valid": TOKEN_SECONDS, "again": again}
        return Reply(200, {"result": {"session": told | {"rights": "people.read people.write"}}})

    def _token(self) -> str:
        token = f"token-{len(self._tokens)}"
        self._tokens[token] = time.monotonic() + TOKEN_SECONDS
        return token

    def _read(self, parts: list[str], query: Mapping[str, list[str]]) -> Reply:
        match parts:
            case ["v3", "phases"]:
                listed = [{"id": number, "label": name} for number, name in PHASES.items()]
                return Reply(200, {"data": {"phases": listed}})
            case ["v3", "desks", desk, "codes"]:
                every, first = CODES[int(desk)], int(query["from"][0])
                part = every[first : first + int(query["count"][0])]
                codes = [{"no": no, "label": name, "usable": on} for no, name, on in part]
                return Reply(200, {"data": {"all": len(every), "codes": codes}})
            case ["v3", "people", name]:
                one = self.person(name)
                if one is None:
                    return Reply(204)
                told = {"phase": one.phase, "desk": {"id": one.desk}, "rev": one.rev}
                return Reply(200, {"data": {"person": told}})
            case ["v2", "people", name, "last"]:
                one = self.person(name)
                if one is None:
                    return trouble(404, "nobody")
                held = None if one.last is None else {"last": one.last}
                return Reply(200, {"data": held})
            case _:
                return trouble(404, "no such address")

    def _write(self, name: str, headers: Mapping[str, str], form: Mapping[str, str]) -> Reply:
        one = self.person(name)
        assert one is not None
        one.writes += 1
        one.keys.add(headers["idempotency-key"])
        assert form.keys() <= FIELDS
        assert (form["channel"], form["desk"]) == ("bulk", str(one.desk))
        if headers.get("if-match") != str(one.rev):
            return trouble(412, "it has changed")
        if name.startswith("changed") and one.writes == 1:
            one.rev += 1
            return trouble(412, "it has changed")
        if name.startswith("hurried") and one.writes == 1:
            return trouble(420, "calm down", **{"X-Calm-Down": "1"})
        if name.startswith("closed") and one.writes == 1:
            return trouble(409, "the desk is closed")
        if name.startswith("never"):
            failed = {"taken": "false", "why": {"text": "not allowed here"}}
            return Reply(200, {"results": [{"taken": True}, failed]})
        if name.startswith("half") and one.writes == 1:
            return Reply(202, {"results": [{"taken": False, "why": {"text": "busy"}}]})
        if int(form["code"]) not in {number for number, _, on in CODES[one.desk] if on}:
            return trouble(422, "no such code")
        one.last = {"code": int(form["code"]), "memo": form["memo"], "at": int(form["at"])}
        one.rev += 1
        lost = name.startswith("lost") and one.writes == 1
        return Reply(0 if lost else 202, {"results": [{"taken": True, "why": {"text": ""}}]})


@contextmanager
def orchid() -> Iterator[Orchid]:
    """Serve the gateway on loopback."""
    mind = Orchid()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        do_POST = do_PUT = do_GET  # noqa: N815 - the names that the server calls

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = mind.answer(self.command, self.path, headers, body)
            if reply.status == 0:
                self.close_connection = True
                return
            content = b"" if reply.body is None else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    mind.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield mind
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
