"""A chat gets another name, in its head, in the list and in the title of the window."""

from playwright.sync_api import expect

from tests.e2e.pages import Chat


def test_a_chat_is_renamed_by_keyboard(signed_in):
    chat = Chat(signed_in)
    chat.choose_model()
    chat.say("say: Hello.")
    chat.hear("Hello.")

    signed_in.get_by_label("Rename this chat").click()
    field = signed_in.get_by_label("Name of this chat")
    expect(field).to_be_focused()
    expect(signed_in.locator("form", has=field)).to_be_in_viewport(ratio=1)
    signed_in.keyboard.type("Plans for Rome")
    signed_in.keyboard.press("Enter")

    expect(signed_in.get_by_role("heading", name="Plans for Rome")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Plans for Rome")).to_be_visible()
    expect(signed_in).to_have_title("Plans for Rome · Doorkey")
    expect(field).to_be_hidden()
    signed_in.reload()
    expect(signed_in.get_by_role("heading", name="Plans for Rome")).to_be_visible()
