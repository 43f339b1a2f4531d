"""The pages as a person reads them: by role, label and visible words, never by how they are built."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, Route, expect


@dataclass(frozen=True, slots=True)
class Providers:
    """Settings, *AI Providers*."""

    page: Page

    def open(self) -> "Providers":
        self.page.get_by_role("link", name="Settings").click()
        self.page.wait_for_url("**/settings/providers")
        return self

    def card(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def connect(self, name: str) -> "Dialog":
        self.card(name).get_by_role("button", name="Connect").click()
        return Dialog(self.page)


@dataclass(frozen=True, slots=True)
class Dialog:
    """The sign-in dialog."""

    page: Page

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def link(self) -> Locator:
        return self.box.get_by_role("link", name="Sign in at")

    @property
    def paste(self) -> Locator:
        return self.box.get_by_label("Paste the address you landed on")

    @property
    def problem(self) -> Locator:
        return self.box.get_by_role("alert")

    @property
    def redirect_port(self) -> int:
        query = parse_qs(urlsplit(self.link.get_attribute("href") or "").query)
        return urlsplit(query["redirect_uri"][0]).port or 0

    def follow(self) -> "Consent":
        """Click the link; the provider's page opens beside this one."""
        with self.page.expect_popup() as opened:
            self.link.click()
        return Consent(opened.value)

    def finish(self, pasted: str) -> None:
        self.paste.fill(pasted)
        self.box.get_by_role("button", name="Finish").click()

    def cancel(self) -> None:
        with self.page.expect_response(lambda answer: answer.request.method == "DELETE"):
            self.box.get_by_role("button", name="Cancel").last.click()
        expect(self.box).to_be_hidden()


@dataclass(frozen=True, slots=True)
class Consent:
    """The practice provider's sign-in, in a page of its own."""

    page: Page

    def allow(self, person: str = "Ada Lovelace") -> None:
        self._decide(person, "Allow")

    def deny(self, person: str = "Ada Lovelace") -> None:
        self._decide(person, "Deny")

    def allow_from_elsewhere(self) -> str:
        """Allow in a browser that cannot reach the app, as on another computer; return the address it is sent to."""
        landed: list[str] = []

        def strand(route: Route) -> None:
            answer = route.fetch(max_redirects=0)
            if "code=" not in answer.headers.get("location", ""):
                route.fulfill(response=answer)
                return
            landed.append(answer.headers["location"])
            route.fulfill(body="This site cannot be reached.")

        self.page.route("**/sign-in/*", strand)
        self.allow()
        expect(self.page.get_by_text("This site cannot be reached.")).to_be_visible()
        return landed[0]

    def _decide(self, person: str, decision: str) -> None:
        self.page.get_by_role("radio", name=person).check()
        self.page.get_by_role("button", name="Continue").click()
        self.page.get_by_role("button", name=decision, exact=True).click()


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat: its bar, its composer and its answers."""

    page: Page

    @property
    def message(self) -> Locator:
        return self.page.get_by_label("Message", exact=True)

    @property
    def answers(self) -> Locator:
        return self.page.get_by_role("article")

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.answers.last

    @property
    def bar(self) -> Locator:
        """The row below the message: model, payer, folder."""
        return self.page.locator("form", has=self.message)

    @property
    def send_button(self) -> Locator:
        return self.page.get_by_role("button", name="Send", exact=True)

    @property
    def stop_button(self) -> Locator:
        return self.page.get_by_role("button", name="Stop the answer")

    def say(self, text: str) -> None:
        """Send a message; the answer has then begun."""
        before = self.answers.count()
        self.message.fill(text)
        self.message.press("Enter")
        expect(self.answers).to_have_count(before + 1)

    def hear(self, *parts: str) -> None:
        """Wait until the last answer is complete and says all of these."""
        for part in parts:
            expect(self.answer).to_contain_text(part)
        expect(self.send_button).to_be_visible()

    def choose_model(self, name: str = "practice-small", provider: str = "Sandbox") -> None:
        """Choose a model at a provider that is connected."""
        self.open_picker()
        self.picker_group(provider).get_by_role("button", name=name).click()
        expect(self.page.get_by_label(f"Model: {provider.lower()}:{name}")).to_be_visible()

    def open_picker(self) -> None:
        self.page.get_by_label("Model:").click()

    def picker_group(self, provider: str) -> Locator:
        return self.page.get_by_role("region", name=provider, exact=True)

    def choose_folder(self, folder: Path) -> None:
        self.ask_for_folder(folder)
        expect(self.page.get_by_label(f"Folder: {folder}")).to_be_visible()

    def ask_for_folder(self, folder: Path) -> None:
        self.page.get_by_label("Folder:").click()
        self.page.get_by_label("Folder for this chat").fill(str(folder))
        self.page.get_by_role("button", name="Use this folder").click()

    @property
    def approval(self) -> Locator:
        """The card of the call that waits."""
        return self.page.locator("form", has=self.page.get_by_role("button", name="Allow once"))

    def allow(self, how: str = "Allow once") -> None:
        self.approval.get_by_role("button", name=how).click()

    def deny(self, reason: str) -> None:
        self.approval.get_by_label("Reason for denying").fill(reason)
        self.approval.get_by_role("button", name="Deny", exact=True).click()


def hold(page: Page, address: str) -> list[Route]:
    """Keep requests waiting until a test lets them go on; they come into the list."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route(address, keep)
    return held
