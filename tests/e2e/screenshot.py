"""Takes the pictures of the README from the real app, so that one command keeps them true."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from doorkey.sandbox import server
from tests.conftest import QUIET, find_chromium
from tests.e2e.app import App
from tests.e2e.conftest import enter
from tests.e2e.pages import Chat, Providers

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 800}
QUESTION = "Who pays for this answer?"
WISH = 'Write a file hello.txt that says "One key for every door."'


@contextmanager
def desk() -> Iterator[App]:
    """Set up an app with Ada signed in, in a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="doorkey-") as folder:
        home, project = Path(folder, "home"), Path(folder, "keys")
        project.mkdir()
        os.environ["DOORKEY_HOME"] = str(home)
        practice = server.start()
        app = App(home=home, folder=project, practice_url=practice.url)
        app.configure()
        try:
            yield app
        finally:
            app.stop()
            practice.stop()


def have_a_conversation(chat: Chat, folder: Path) -> None:
    """Ask something, then something that needs a yes."""
    chat.choose_model()
    chat.choose_folder(folder)
    chat.say(QUESTION)
    chat.hear("nobody is billed")
    chat.say(WISH)
    expect(chat.approval).to_be_visible()


def take(page: Page, name: str) -> None:
    """Keep what the window shows, with nothing moving in it."""
    page.mouse.move(0, 0)
    page.screenshot(path=IMAGES / name, animations="disabled", caret="hide")


def main() -> None:
    """Take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with desk() as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=QUIET)
        launch_url = app.start()
        app.sign_in()
        page = enter(browser.new_page(viewport=SIZE), launch_url)
        have_a_conversation(Chat(page), app.folder)
        take(page, "app.png")
        Providers(page).open().card("Sandbox").scroll_into_view_if_needed()
        take(page, "providers.png")
        browser.close()


if __name__ == "__main__":
    main()
