"""Rule 6 from the outside: of everything secret that went over the wire, nothing is anywhere but where it belongs."""

import json
import re
import signal
import stat
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from doorkey.testing.practice import approve, bring_back
from tests.journeys.person import Login, sign_in
from tests.journeys.program import PATIENCE

pytestmark = pytest.mark.slow

# A browser that writes down how it was started, what the list of processes shows of it, and what it would load.
BROWSER = """#!/bin/sh
printf '%s\\n' "$@" >>"{seen}/argv"
tr '\\0' '\\n' </proc/self/cmdline >>"{seen}/processes" 2>/dev/null
ps -eo args >>"{seen}/processes" 2>/dev/null
: >"{seen}/done"
"""


@dataclass
class Witness:
    """Whatever somebody else could see, by where it was seen."""

    seen: dict[str, str] = field(default_factory=dict)

    def hears(self, where: str, text: str) -> None:
        self.seen[where] = self.seen.get(where, "") + text

    def leaks(self, secrets: set[str]) -> list[tuple[str, str]]:
        """Name each place with the beginning of what it holds; whole secrets stay out of the test's own output."""
        return [(where, secret[:12]) for where, text in self.seen.items() for secret in secrets if secret in text]


SENT = ("code", "code_verifier", "refresh_token", "token")
ISSUED = ("access_token", "refresh_token", "id_token")


@dataclass(frozen=True)
class Caught:
    """The secrets of a run by their kind: `closed` may be nowhere, `public` only in the address to be opened."""

    closed: dict[str, set[str]]
    public: set[str]

    @property
    def all(self) -> set[str]:
        return set().union(*self.closed.values())


def caught(wire) -> Caught:
    """Collect every code, verifier, token, key, state and nonce that the practice provider met."""
    closed, public = defaultdict(set), set()
    for exchange in wire.seen:
        sent = exchange.form if exchange.path in {"/token", "/revoke"} else {}
        issued = json.loads(exchange.answer) if exchange.path == "/token" and exchange.answer[:1] == b"{" else {}
        for name, value in [*((name, sent.get(name)) for name in SENT), *((name, issued.get(name)) for name in ISSUED)]:
            closed[name].add(value)
        closed["code"].update(parse_qs(urlsplit(exchange.location).query).get("code", []))
        closed["bearer"].add(exchange.headers.get("authorization", "").removeprefix("Bearer "))
        if exchange.path == "/authorize":
            public |= {exchange.query[name] for name in ("state", "nonce")}
    return Caught({kind: set(filter(None, values)) for kind, values in closed.items()}, public)


def files_of(*folders: Path) -> str:
    found = chain.from_iterable(folder.rglob("*") for folder in folders)
    return "\n".join(path.read_bytes().decode("latin-1") for path in found if path.is_file())


@dataclass
class App:
    """The running app, seen through its page by somebody with a session."""

    process: object
    launch: str
    witness: Witness
    http: httpx2.Client
    key: str = ""

    @property
    def secrets(self) -> set[str]:
        token = parse_qs(urlsplit(self.launch).query)["token"][0]
        return {token, self.key, *self.http.cookies.values()}

    def enter(self) -> None:
        self.key = parse_qs(urlsplit(self.launch).fragment)["key"][0]
        page = self.http.get(self.launch.partition("#")[0])
        assert page.status_code == 200
        self.witness.hears("the launch page", page.text)

    def ask(self, method: str, path: str, /, **body: object) -> httpx2.Response:
        headers = {"x-doorkey-key": self.key, "origin": str(self.http.base_url).rstrip("/")}
        answer = self.http.request(method, path, headers=headers, json=body if method != "GET" else None)
        self.witness.hears(f"{method} {path.partition('?')[0]}", f"{answer.headers}\n{answer.text}")
        return answer


@contextmanager
def running(program, witness, **environ):
    process = program.start("open", "--port", "0", **environ)
    launch = process.stdout.readline().strip()
    port = urlsplit(launch).port
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
        try:
            yield App(process, launch, witness, http)
        finally:
            process.send_signal(signal.SIGINT)
            ended = program.finish(process)
            witness.hears("what the app said", ended.out + ended.err)


@pytest.fixture
def browser(home):
    """Somebody who watches how browsers are started here."""
    seen = home / "seen"
    seen.mkdir()
    script = home / "browser"
    script.write_text(BROWSER.format(seen=seen))
    script.chmod(0o700)
    return script


@pytest.fixture
def temporary(home):
    folder = home / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def watched(program, browser, temporary):
    """An installation that says all it can say, and opens the browser that is watched."""
    program.environ |= {"DOORKEY_DEBUG": "1", "BROWSER": str(browser), "TMPDIR": str(temporary)}
    return program


def in_the_terminal(program, practice, witness, project):
    """Sign in by code and by key, fail to, chat with tools, renew, revoke, log out; keep what every command said."""

    def run(*arguments, **options):
        ran = program.run(*arguments, **options)
        witness.hears(f"doorkey {' '.join(arguments[:2])}", ran.out + ran.err)
        return ran

    def login(*arguments, decision="allow", code=0):
        signing = Login(program, "acme", *arguments)
        page = bring_back(approve(signing.url, decision=decision))
        ended = signing.end()
        witness.hears("the page after a sign-in", f"{page.headers}{page.text}")
        witness.hears("doorkey login", ended.out + ended.err)
        assert ended.code == code, ended

    practice.sandbox._world.token_lifetime = 0
    login("--name", "first")
    practice.sandbox._world.token_lifetime = 3600
    login("--no-browser", decision="deny", code=1)
    practice.sandbox.faults.add("garbage", endpoint="token")
    login("--no-browser", code=4)
    practice.sandbox.faults.add("revoked_grant", endpoint="token")
    key = practice.sandbox.make_key()
    run("login", "acme", "--method", "api-key", "--name", "keyed", stdin=f"{key}\n")
    run("login", "acme", "--method", "api-key", stdin=f"{key} {key}\n")
    run("token", "acme", "--account", "first")  # The sign-in was revoked: no token comes of it.
    login("--account", "first")
    model = ("chat", "--model", "acme:practice-small", "--folder", str(project))
    for account in ("first", "keyed"):
        assert run(*model, "--account", account, "list the files here").code == 0
        assert run(*model, "--account", account, "write a file").code == 5
    practice.sandbox.faults.add("unavailable", endpoint="model")
    run(*model, "--account", "first", "hello")
    practice.sandbox.faults.add("cut_stream", endpoint="model")
    run(*model, "--account", "first", "hello")
    for line in ("accounts", "accounts --json", "doctor", "doctor --json", "models", "providers", "use first"):
        run(*line.split())
    program.grow_old(before_its_end=timedelta(minutes=-1))
    token = program.run("token", "acme", "--account", "first")
    practice.sandbox.faults.add("unavailable", endpoint="revoke")
    assert run("logout", "first", "--revoke").code == 4
    return {key, token.out.strip()}


def in_the_app(app, practice, project):
    """Do the same through the page, and look at every page that shows accounts and chats."""
    app.enter()
    begun = app.ask("POST", "/api/sign-ins", provider="acme").json()
    app.ask("POST", f"/api/sign-ins/{begun['id']}/reply", text="http://127.0.0.1/callback?code=x&state=y")
    replied = app.ask("POST", f"/api/sign-ins/{begun['id']}/reply", text=approve(begun["url"]))
    assert replied.json()["state"] == "signed_in", replied.text
    denied = app.ask("POST", "/api/sign-ins", provider="acme").json()
    app.ask("POST", f"/api/sign-ins/{denied['id']}/reply", text=approve(denied["url"], decision="deny"))
    app.ask("POST", "/connect/acme", method="oauth")
    app.ask("POST", "/connect/acme/key", method="api-key", key=(key := practice.sandbox.make_key()))
    prompt = "list the files here"
    opened = app.ask("POST", "/chats", prompt=prompt, model="acme:practice-small", folder=str(project))
    chat = opened.headers["hx-redirect"]
    page = app.ask("GET", chat)
    run = re.search(r"/runs/([\w-]+)/", page.text)[1]
    app.ask("GET", f"/runs/{run}/stream")
    for path in (chat, "/", "/settings/providers", "/settings/browsers", "/api/providers", "/api/accounts", "/picker"):
        assert app.ask("GET", path).status_code == 200, path
    app.ask("GET", f"{chat}/nothing")
    app.ask("DELETE", f"/api/accounts/{replied.json()['account']['id']}?revoke=true")
    return {key}


def test_no_secret_is_anywhere_but_where_it_belongs(watched, practice, wire, temporary, home):
    witness, project = Witness(), home / "project"
    project.mkdir()
    (project / "hello.txt").write_text("hello")

    keys = in_the_terminal(watched, practice, witness, project)
    witness.hears("the files after the commands", files_of(watched.home))
    with running(watched, witness) as app:
        keys |= in_the_app(app, practice, project)
        # While the app runs, its last writes are still in the write-ahead logs.
        witness.hears("the files while the app runs", files_of(watched.home))
        own = app.secrets
        wait_for(home / "seen" / "done")
    witness.hears("the files at the end", files_of(watched.home, temporary))
    witness.hears("how browsers were started", (home / "seen" / "argv").read_text())
    witness.hears("the list of processes", (home / "seen" / "processes").read_text())

    secrets = caught(wire)
    addresses = [text for where, text in witness.seen.items() if where.startswith("POST /")]
    assert all(secrets.closed.values()), "one kind never went over the wire"
    assert keys & secrets.all
    assert len(own) == 3
    assert any(state in text for text in addresses for state in secrets.public), "the net would catch nothing"
    assert witness.leaks(secrets.all | keys | own) == []
    offered = ("POST /api/sign-ins", "POST /connect/acme", "how browsers were started", "the list of processes")
    elsewhere = Witness({where: text for where, text in witness.seen.items() if not where.startswith(offered)})
    assert elsewhere.leaks(secrets.public) == []


def test_the_page_is_opened_through_a_file_of_its_owner(watched, temporary, home):
    witness = Witness()

    with running(watched, witness) as app:
        wait_for(home / "seen" / "done")
        (address,) = (home / "seen" / "argv").read_text().split()
        page = Path(urlsplit(address).path)
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (page, page.parent)]
        content = page.read_text()
        launch = app.launch

    assert address.startswith("file://")
    assert modes == [0o600, 0o700]
    assert launch.partition("&")[0].partition("#")[0] in content
    assert list(temporary.rglob("*.html")) == []


def test_the_folders_and_files_are_the_owners_alone(program, practice):
    sign_in(program, "acme")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in program.home.iterdir()}
    del modes["config.toml"]  # The person's own; it holds no secret.
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(program.home.stat().st_mode) == 0o700


def wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)
