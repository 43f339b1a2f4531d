"""A real app, a real browser and a practice provider for each test; whatever the browser complains of fails it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebError, expect

from doorkey.sandbox import server
from doorkey.sandbox.server import Running
from tests.e2e.app import App

HERE = Path(__file__).parent
expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")
            # One worker takes them all: a browser and an app beside each test are enough for a machine.
            if item.config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group("browser"))


@dataclass
class Complaints:
    """What browsers wrote to their consoles as errors: failed scripts, refusals, breaches of the page's policy."""

    lines: list[str] = field(default_factory=list)
    _expected: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", self._catch)

    def expect(self, part: str) -> None:
        """Let a test say which complaint it provokes."""
        self._expected.append(part)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.lines.append(message.text)

    def _catch(self, failure: WebError) -> None:
        self.lines.append(str(failure.error))

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.lines if not any(part in line for part in self._expected)]


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    heard = Complaints()
    yield heard
    assert heard.unexpected == []


@pytest.fixture
def window(chrome: Browser, complaints: Complaints) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser windows that share nothing with each other: `window(color_scheme="dark", …)`."""
    with ExitStack() as opened:

        def make(**options: Any) -> BrowserContext:
            context = opened.enter_context(chrome.new_context(**options))
            context.set_default_timeout(20_000)
            complaints.listen(context)
            return context

        yield make


@pytest.fixture
def practice() -> Iterator[Running]:
    running = server.start()
    yield running
    running.stop()


@pytest.fixture
def app(home: Path, practice: Running) -> Iterator[App]:
    """Make an app that is configured and not started."""
    folder = home / "desk"
    folder.mkdir()
    made = App(home=home / "doorkey", folder=folder, practice_url=practice.url)
    made.configure()
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture
def page(app: App, window: Callable[..., BrowserContext]) -> Page:
    """Start the app and let a browser in by its one-time address."""
    return enter(window().new_page(), app.start())


@pytest.fixture
def signed_in(app: App, window: Callable[..., BrowserContext]) -> Page:
    """Start the app with Ada signed in, and let a browser in."""
    launch_url = app.start()
    app.sign_in()
    return enter(window().new_page(), launch_url)


def enter(page: Page, launch_url: str) -> Page:
    """Follow a one-time address to the first page."""
    page.goto(launch_url)
    page.wait_for_url("http://127.0.0.1:*/")
    return page
