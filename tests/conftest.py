"""What every test may count on: a home of its own, no credentials, no way out of this machine."""

import errno
import ipaddress
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pings",
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
POSTGRES = os.environ.get("DOORKEY_TEST_POSTGRES", "postgresql://doorkey_test:doorkey_test@127.0.0.1:5432/postgres")
AMBIENT = re.compile(r"(?i).*_(api_key|token|proxy)|no_proxy|(openai|anthropic|codex|claude|openrouter|doorkey)_.*")


# Where model servers usually listen: one that runs on this machine must change no test.
USUAL_PORTS = frozenset({11434, 1234, 8080, 8000})


def refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Stop a test that would reach another machine, or a model server here, whichever library it does it with."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if arguments[1][1] in USUAL_PORTS:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "tests knock at no model server")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not is_loopback(host):
        message = f"tests reach loopback only, not {host!r}"
        raise RuntimeError(message)


def is_loopback(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


sys.addaudithook(refuse_the_network)

# A property says what is true, not how fast this machine is today.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def find_chromium() -> str | None:
    return os.environ.get("DOORKEY_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@cache
def postgres_answers() -> bool:
    import psycopg

    with suppress(psycopg.OperationalError), psycopg.connect(POSTGRES, connect_timeout=3):
        return True
    return False


def unshared(*kinds: str) -> list[str]:
    """Write what stands before a command that is to run in namespaces of its own; who is not root becomes it there."""
    return ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), *kinds]


@pytest.fixture(name="unshared")
def give_unshared() -> Callable[..., list[str]]:
    """Write what starts a command in namespaces of its own; for tests marked `namespaces`."""
    return unshared


@cache
def namespaces_are_permitted() -> bool:
    if not shutil.which("unshare"):
        return False
    tried = [*unshared("--pid", "--fork", "--mount", "--mount-proc"), "true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


def peer_is_there() -> bool:
    installed = Path(__file__).parent / "peers/oidc/node_modules/oidc-provider"
    return installed.is_dir() and shutil.which("node") is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, the browser last: a mistake shows as early as it can."""
    items.sort(key=lambda item: [bool(item.get_closest_marker(name)) for name in ("browser", "slow")])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, and say why; in CI nothing may be skipped."""
    lacks = None
    if item.get_closest_marker("browser") and not find_chromium():
        lacks = "no Chromium: install it, or name one in DOORKEY_CHROMIUM"
    if item.get_closest_marker("postgres") and not postgres_answers():
        lacks = (
            "no PostgreSQL with a role `doorkey_test`: make it as .ci/run does, or name one in DOORKEY_TEST_POSTGRES"
        )
    if item.get_closest_marker("peer") and not peer_is_there():
        lacks = "no authorization server to sign in at: `npm ci` in tests/peers/oidc brings it, where Node.js is"
    if item.get_closest_marker("namespaces") and not namespaces_are_permitted():
        lacks = "no namespaces of Linux: they need root, or a kernel that lets everybody have them"
    if lacks:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacks)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test an empty home, and an environment without credentials or proxies."""
    folder = tmp_path_factory.mktemp("home")
    for name in filter(AMBIENT.fullmatch, list(os.environ)):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("DOORKEY_HOME", str(folder / "doorkey"))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return folder


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def chromium() -> str | None:
    """Tell the browser's path, for Playwright's `executable_path`; for tests marked `browser`."""
    return find_chromium()


# Lasts to the end, where the tests with a browser stand: while it is open, its event loop runs in this thread, where
# no second Playwright and no async test could run theirs.
@pytest.fixture(scope="session")
def chrome(chromium: str | None) -> "Iterator[Browser]":
    """Start the browser once; for tests marked `browser`, each of which opens a window of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=QUIET) as browser:
        yield browser


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Make an empty database and drop it afterwards; for tests marked `postgres`."""
    import psycopg

    name = f"doorkey_test_{uuid.uuid4().hex}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield POSTGRES.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
