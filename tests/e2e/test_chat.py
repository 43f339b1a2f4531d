"""Talking to a model: who serves and who pays, the streamed answer, and pages that come and go meanwhile."""

import re

import pytest
from playwright.sync_api import expect

from doorkey.bootstrap import open_house
from tests.e2e.conftest import enter
from tests.e2e.pages import Chat, Dialog, hold

SLOW = 60


def counted(answer):
    """Read the words that `slow N` makes, in the order in which the page shows them."""
    return re.findall(r"\bword\d+\b", answer.inner_text())


def all_words():
    return [f"word{number}" for number in range(1, SLOW + 1)]


def test_the_picker_lists_models_by_provider_with_the_connected_ones_first(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()

    chat.open_picker()

    expect(chat.picker_group("Sandbox").get_by_role("button", name="practice-large")).to_be_visible()
    expect(chat.picker_group("Anthropic").get_by_role("button", name="Connect")).to_be_visible()
    names = signed_in.get_by_role("region").evaluate_all("groups => groups.map(group => group.ariaLabel)")
    assert names[0] == "Sandbox"
    assert {"OpenAI", "Anthropic"} <= set(names[1:])


def test_connect_in_the_picker_opens_the_dialog_directly(page):
    chat = Chat(page)
    chat.open_picker()

    chat.picker_group("Sandbox").get_by_role("button", name="Connect").click()
    Dialog(page).follow().allow()

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(chat.bar).to_contain_text("ada@practice.example: On this computer, free")


def test_a_model_that_is_refused_is_explained_and_the_nearest_is_one_click_away(app, window):
    with open_house(environ={"DOORKEY_HOME": str(app.home)}, here=app.home) as house:
        house.stores.preferences.set("model", "sandbox:practise-small")
    launch_url = app.start()
    app.sign_in()
    page = enter(window().new_page(), launch_url)
    chat = Chat(page)

    chat.say("who pays?")
    chat.hear("practise-small is not among the models of ada@practice.example.")
    chat.answer.get_by_role("button", name="Use sandbox:practice-small").click()

    expect(page.get_by_label("Model: sandbox:practice-small")).to_be_visible()
    chat.say("who pays?")
    chat.hear("served to Ada Lovelace")


def test_a_search_leaves_no_provider_that_has_none_of_it(signed_in):
    chat = Chat(signed_in)
    chat.open_picker()
    group = chat.picker_group("Sandbox")
    expect(group.get_by_role("button", name="practice-large")).to_be_visible()

    signed_in.get_by_label("Find a model").fill("no such model")

    expect(group).to_be_hidden()
    signed_in.get_by_label("Find a model").fill("large")
    expect(group.get_by_role("button", name="practice-large")).to_be_visible()


@pytest.fixture
def looking(app, window):
    """A first page that goes on looking for a model until a test lets its request through."""
    launch_url = app.start()
    app.sign_in()
    page = window().new_page()
    asked = hold(page, "**/bar/now")
    return enter(page, launch_url), asked


@pytest.mark.parametrize(("menu", "inside"), [("Model:", "Find a model"), ("Folder:", "Folder for this chat")])
def test_a_menu_that_was_opened_at_once_stays_open_when_the_first_model_is_found(looking, menu, inside):
    page, asked = looking
    page.get_by_label(menu).click()
    field = page.get_by_label(inside)
    field.fill("small")

    asked[0].continue_()

    expect(page.get_by_label("Model: sandbox:practice-small")).to_be_visible()
    expect(Chat(page).bar).to_contain_text("ada@practice.example")
    expect(field).to_be_focused()
    expect(field).to_have_value("small")


def test_a_choice_stands_above_a_first_model_that_is_still_looked_for(looking):
    page, asked = looking
    chat = Chat(page)

    chat.choose_model("practice-large")

    assert asked[0].request.failure == "net::ERR_ABORTED"
    chat.say("Hello!")
    chat.hear("practice-large · ada@practice.example")


def test_an_answer_says_who_served_it_and_who_paid(signed_in):
    chat = Chat(signed_in)
    chat.choose_model("practice-large")
    expect(chat.bar).to_contain_text("ada@practice.example: On this computer, free")

    chat.say("Hello!")

    chat.hear("I am the practice model", "served to Ada Lovelace", "practice-large · ada@practice.example")
    expect(chat.message).to_have_value("")


def test_code_is_coloured(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()

    chat.say("Show me some markdown")

    chat.hear("A little Markdown", "your subscription")
    code = chat.answer.locator("pre").filter(has_text="def greet")
    colours = code.locator("span").evaluate_all("spans => spans.map(span => getComputedStyle(span).color)")
    assert len(set(colours)) > 1
    expect(chat.answer.get_by_role("cell", name="your subscription")).to_be_visible()


def test_hostile_markdown_is_only_text(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    hostile = (
        'say: <script>window.hacked = 1</script> <img src="/static/x" onerror="window.hacked = 1"> '
        "[click](javascript:window.hacked=1) ![look](http://127.0.0.1:9/pixel) "
        "<form action=/launch><button>send</button> <b onclick=hacked()>end</b>"
    )

    chat.say(hostile)

    chat.hear("<script>window.hacked = 1</script>", "end</b>")
    assert chat.answer.locator("script, img, form, b, [onclick], [onerror], a[href^='javascript']").count() == 0
    assert signed_in.evaluate("window.hacked") is None


def test_stop_keeps_what_was_said_and_reaches_the_provider(signed_in, practice):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("slow 400")
    expect(chat.answer).to_contain_text("word3")

    chat.stop_button.click()

    chat.hear("Stopped.", "word3")
    expect(chat.answer).not_to_contain_text("word400")
    assert practice.sandbox.log.count(action="chat", outcome="client_left") == 1


def test_a_reload_in_mid_answer_loses_and_doubles_nothing(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say(f"slow {SLOW}")
    expect(chat.answer).to_contain_text("word5")

    signed_in.reload()

    chat.hear(f"word{SLOW}")
    assert counted(chat.answer) == all_words()


def test_a_second_tab_sees_the_same_answer_grow(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say(f"slow {SLOW}")
    expect(chat.answer).to_contain_text("word2")

    second = Chat(signed_in.context.new_page())
    second.page.goto(signed_in.url)

    expect(second.answer).to_contain_text("word10")
    for seen in (chat, second):
        seen.hear(f"word{SLOW}")
        assert counted(seen.answer) == all_words()


def test_an_answer_goes_on_while_no_page_is_open(signed_in, app):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say(f"slow {SLOW}")
    expect(chat.answer).to_contain_text("word2")
    address, window = signed_in.url, signed_in.context

    signed_in.close()

    again = enter(window.new_page(), app.launch_url())
    again.goto(address)
    Chat(again).hear(f"word{SLOW}")
    assert counted(Chat(again).answer) == all_words()


def test_twenty_paragraphs_come_whole_and_in_order(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    paragraphs = [f"Paragraph {number} tells of **doors** and `keys`." for number in range(1, 21)]

    chat.say("say: " + "\n\n".join(paragraphs))

    chat.hear("Paragraph 20 tells")
    expect(chat.answer.get_by_role("paragraph").filter(has_text="tells of")).to_have_text(
        [re.sub(r"[*`]", "", paragraph) for paragraph in paragraphs]
    )


GROW_BEFORE_THE_NEWS_OF_A_SCROLL = """
() => {
  const more = document.createElement("p");
  more.style.height = "900px";
  document.querySelector("#turns").append(more);
  document.querySelector("#scroller").dispatchEvent(new Event("scroll"));
}
"""


def test_an_answer_that_grows_while_the_page_scrolls_is_followed_until_the_reader_goes_up(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("say: Hello.")
    chat.hear("Hello.")
    to_end = signed_in.get_by_role("button", name="Go to the end")

    signed_in.evaluate(GROW_BEFORE_THE_NEWS_OF_A_SCROLL)

    expect(chat.answer).not_to_be_in_viewport()
    expect(to_end).to_be_hidden()
    chat.answers.first.evaluate("answer => answer.scrollIntoView()")
    expect(to_end).to_be_visible()
    signed_in.evaluate(GROW_BEFORE_THE_NEWS_OF_A_SCROLL)
    expect(chat.answer).to_be_in_viewport()


def test_a_chat_goes_on_and_is_listed(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("say: The first answer.")
    chat.hear("The first answer.")

    chat.say("say: The second answer.")

    chat.hear("The second answer.")
    expect(chat.answers).to_have_count(2)
    expect(signed_in.get_by_role("navigation", name="Chats").get_by_role("link", name="say: The first")).to_be_visible()
