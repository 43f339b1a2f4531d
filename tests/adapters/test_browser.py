import os
import re
import stat
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from doorkey.adapters.browser import SystemBrowser

URL = "http://127.0.0.1:8377/launch?token=canary&x='\"<>#key=canary"


class Desktop:
    """A folder of programs that write down what they were started with, through a pipe that a test waits on."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.pipe = folder / "pipe"
        os.mkfifo(self.pipe)
        self.environ = {"PATH": str(folder), "DISPLAY": ":0"}

    def install(self, name: str) -> Path:
        program = self.folder / name
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' {name} \"$@\" >'{self.pipe}'\necho noise\necho noise >&2\n")
        program.chmod(0o755)
        return program

    def started(self) -> list[str]:
        return self.pipe.read_text().splitlines()


@pytest.fixture
def desktop(tmp_path):
    return Desktop(tmp_path)


def test_the_desktop_opens_the_page(desktop):
    desktop.install("xdg-open")

    assert SystemBrowser(desktop.environ, platform="linux").open("https://sso.acme.example/authorize?a=b&c=d")
    assert desktop.started() == ["xdg-open", "https://sso.acme.example/authorize?a=b&c=d"]


def test_on_macos_open_does(desktop):
    desktop.install("open")
    del desktop.environ["DISPLAY"]

    assert SystemBrowser(desktop.environ, platform="darwin").open("https://acme.example/")
    assert desktop.started() == ["open", "https://acme.example/"]


def test_the_named_browser_is_preferred(desktop):
    desktop.install("xdg-open")
    desktop.install("fox")
    browser = SystemBrowser(desktop.environ | {"BROWSER": "fox --new-window %s:other"}, platform="linux")

    assert browser.open("https://acme.example/")
    assert desktop.started() == ["fox", "--new-window", "https://acme.example/"]


def test_a_remote_editors_program_needs_no_screen(desktop):
    program = desktop.install("remote-open")

    assert SystemBrowser({"BROWSER": str(program)}, platform="linux").open("https://acme.example/")
    assert desktop.started() == ["remote-open", "https://acme.example/"]


NO_BROWSER = {
    "without a screen": {"DISPLAY": ""},
    "switched off": {"BROWSER": "none"},
    "not installed": {"PATH": "/nowhere"},
    "a text browser": {"BROWSER": "w3m"},
    "an unknown program": {"BROWSER": "no-such-program"},
    "an open quote": {"BROWSER": "fox 'new"},
}


@pytest.mark.parametrize("change", NO_BROWSER.values(), ids=NO_BROWSER)
def test_where_there_is_no_browser_nothing_is_started(desktop, change):
    desktop.install("xdg-open")
    desktop.install("w3m")
    browser = SystemBrowser(desktop.environ | change, platform="linux")

    assert not browser.open("https://acme.example/")
    assert not browser.open_private(URL)


def test_over_ssh_a_mac_has_no_browser(desktop):
    desktop.install("open")
    environ = desktop.environ | {"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}

    assert not SystemBrowser(environ, platform="darwin").open("https://acme.example/")


def test_a_program_that_cannot_be_started_is_no_browser(desktop):
    program = desktop.install("xdg-open")
    program.write_bytes(b"\x7fELF, but not really")

    assert not SystemBrowser(desktop.environ, platform="linux").open("https://acme.example/")


@pytest.mark.parametrize("address", ["--version", "file:///etc/passwd", "javascript:alert(1)", ""])
def test_only_web_pages_are_opened(desktop, address):
    desktop.install("xdg-open")
    browser = SystemBrowser(desktop.environ, platform="linux")

    assert not browser.open(address)
    assert not browser.open_private(address)


class Links(HTMLParser):
    """Where a page leads: its links and its refresh."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if values.get("http-equiv") == "refresh":
            self.found.append(values["content"].removeprefix("0;url="))
        if tag == "a":
            self.found.append(values["href"])


def opened_file(desktop) -> Path:
    [_, address] = desktop.started()
    assert "canary" not in address
    return Path(unquote(urlsplit(address).path))


def test_a_private_page_is_opened_through_a_file_of_its_owner(desktop):
    desktop.install("xdg-open")
    browser = SystemBrowser(desktop.environ, platform="linux")

    assert browser.open_private(URL)

    page = opened_file(desktop)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert stat.S_IMODE(page.parent.stat().st_mode) == 0o700
    assert Links(page.read_text()).found == [URL, URL]
    browser.close()


def test_the_file_is_removed_when_it_is_closed(desktop):
    desktop.install("xdg-open")
    browser = SystemBrowser(desktop.environ, platform="linux")
    browser.open_private(URL)
    page = opened_file(desktop)

    browser.close()
    browser.close()

    assert not page.parent.exists()


def test_every_private_page_has_a_file_of_its_own(desktop):
    desktop.install("xdg-open")
    browser = SystemBrowser(desktop.environ, platform="linux")

    browser.open_private(URL)
    first = opened_file(desktop)
    browser.open_private(URL)
    second = opened_file(desktop)

    assert first != second
    assert re.fullmatch(r"open-\w+\.html", second.name)
    browser.close()
