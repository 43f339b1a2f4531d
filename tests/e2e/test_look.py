"""How the page fits: on a phone and on a desk, dark and light, by touch and by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import enter
from tests.e2e.pages import Chat, Providers
from tests.journeys.configs import CLAUDE

PHONE = {"width": 390, "height": 780}
DESK = {"width": 1280, "height": 800}

TOUCH = 40

TOO_SMALL = f"""
() => [...document.querySelectorAll("button, a[href], summary, input:not([type=hidden]), textarea")]
  .filter(part => part.checkVisibility({{ opacityProperty: true, visibilityProperty: true }}))
  .filter(part => !part.closest("p, .prose, dd, li p"))
  .map(part => [part.getAttribute("aria-label") || part.textContent.trim() || part.id, part.getBoundingClientRect()])
  .filter(([, box]) => box.width > 1 && (box.height < {TOUCH} || box.width < {TOUCH}))
  .map(([name, box]) => `${{name}}: ${{box.width}} x ${{box.height}}`)
"""


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def visit(app, window):
    """Start the app with Ada signed in, and open it in a window of a shape and a colour scheme."""
    launch_url = app.start()
    app.sign_in()

    def open_window(**options):
        return enter(window(**options).new_page(), launch_url)

    return open_window


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_nothing_is_wider_than_the_screen(visit, size, app):
    page = visit(viewport=size)
    chat = Chat(page)
    assert overflow(page) == 0
    expect(chat.message).to_be_in_viewport(ratio=1)
    chat.choose_model()
    chat.choose_folder(app.folder)
    chat.say(
        "say: "
        + "Donaudampfschifffahrt" * 20
        + "\n\n```\n"
        + "x" * 300
        + "\n```\n\n|a|b|\n|-|-|\n|"
        + "y" * 200
        + "|c|"
    )
    chat.hear("Donaudampfschifffahrt")

    wide = {"chat": overflow(page)}
    expect(chat.message).to_be_in_viewport(ratio=1)
    for place in ("providers", "appearance", "audit", "browsers"):
        page.goto(page.url.split("/chats/")[0].split("/settings/")[0] + f"/settings/{place}")
        wide[place] = overflow(page)

    assert wide == dict.fromkeys(wide, 0)


def test_the_terms_of_a_way_to_sign_in_are_read_whole_on_a_phone(app, practice, window):
    app.configure(CLAUDE.format(url=practice.url))
    page = enter(window(viewport=PHONE, has_touch=True, is_mobile=True).new_page(), app.start())
    page.goto(f"{app.url}/settings/providers")
    dialog = Providers(page).connect("Anthropic")

    dialog.box.get_by_role("button", name="Claude Pro or Max").tap()

    expect(dialog.box.get_by_text("Anthropic's terms keep this sign-in")).to_be_visible()
    assert dialog.box.evaluate("dialog => dialog.scrollWidth - dialog.clientWidth") == 0


def test_everything_is_large_enough_to_touch(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    expect(Chat(page).message).to_be_visible()

    small = {"new chat": page.evaluate(TOO_SMALL)}
    page.get_by_role("button", name="Menu").tap()
    expect(page.get_by_role("link", name="Settings")).to_be_visible()
    small["menu"] = page.evaluate(TOO_SMALL)
    page.get_by_role("link", name="Settings").tap()
    page.wait_for_url("**/settings/providers")
    small["providers"] = page.evaluate(TOO_SMALL)

    assert small == {place: [] for place in small}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_systems_colours(visit, scheme):
    page = visit(viewport=DESK, color_scheme=scheme)

    ground, ink = (
        sum(page.evaluate(f"getComputedStyle(document.body).{name}.match(/[\\d.]+/g).slice(0, 3).map(Number)"))
        for name in ("backgroundColor", "color")
    )

    assert (ground > ink) == (scheme == "light")


def test_a_chosen_theme_stands_above_the_systems(visit):
    page = visit(viewport=DESK, color_scheme="light")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.goto(page.url + "settings/appearance")

    page.get_by_role("button", name="Dark").click()

    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_a_message_is_reached_and_sent_by_keyboard_alone(visit):
    page = visit(viewport=DESK)
    chat = Chat(page)
    chat.choose_model()
    page.reload()
    expect(chat.message).to_be_focused()

    page.keyboard.type("say: By hand.")
    page.keyboard.press("Enter")

    page.wait_for_url("**/chats/*")
    chat.hear("By hand.")


def test_a_model_that_is_chosen_by_keyboard_leaves_the_focus_on_the_message(visit):
    page = visit(viewport=DESK)
    chat = Chat(page)
    page.get_by_label("Model:").press("Enter")
    expect(page.get_by_label("Find a model")).to_be_focused()

    chat.picker_group("Sandbox").get_by_role("button", name="practice-large").press("Enter")

    expect(page.get_by_label("Model: sandbox:practice-large")).to_be_visible()
    expect(chat.message).to_be_focused()


def test_the_way_back_from_the_message_ends_at_the_skip_link(visit):
    page = visit(viewport=DESK)
    expect(Chat(page).message).to_be_focused()
    skip = page.get_by_role("link", name="Skip to the content")

    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if skip.evaluate("link => link === document.activeElement"):
            break

    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
