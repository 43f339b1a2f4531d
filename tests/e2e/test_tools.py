"""Tools in a folder: nothing is written or run before a person has seen exactly what, and said yes."""

import signal

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import enter
from tests.e2e.pages import Chat

WRITE = 'Write a file notes.txt with "Keys open doors."'


@pytest.fixture
def project(home):
    folder = home / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def chat(signed_in, project):
    """A chat with a model and a folder."""
    opened = Chat(signed_in)
    opened.choose_model()
    opened.choose_folder(project)
    return opened


def test_allow_once_writes_exactly_what_the_card_showed(chat, project):
    chat.say(WRITE)
    expect(chat.approval).to_contain_text("Write a file waits for you")
    expect(chat.approval).to_contain_text("notes.txt")
    expect(chat.approval).to_contain_text("Keys open doors.")
    assert not (project / "notes.txt").exists()

    chat.allow()

    chat.hear("The result came back to me")
    assert (project / "notes.txt").read_text() == "Keys open doors.\n"
    expect(chat.approval).to_have_count(0)


def test_a_denial_and_its_reason_reach_the_model(chat, project):
    chat.say(WRITE)

    chat.deny("I want it in another folder")

    chat.hear("That was denied", "I want it in another folder", "Ask again whenever you change your mind")
    assert not (project / "notes.txt").exists()


def test_an_approval_by_keyboard_leaves_the_focus_on_the_message(chat):
    chat.say(WRITE)

    chat.approval.get_by_role("button", name="Allow once").press("Enter")

    chat.hear("The result came back to me")
    expect(chat.message).to_be_focused()


def test_enter_on_the_card_never_allows(chat, project):
    chat.say(WRITE)

    chat.approval.get_by_label("Reason for denying").press("Enter")

    chat.hear("That was denied")
    assert not (project / "notes.txt").exists()


def test_allow_in_this_chat_asks_no_more_for_the_same_path(chat, project):
    chat.say(WRITE)
    chat.allow("Allow in this chat")
    chat.hear("The result came back to me")

    chat.say('Write a file notes.txt with "Doors have locks."')

    chat.hear("The result came back to me")
    assert (project / "notes.txt").read_text() == "Doors have locks.\n"
    chat.say('Write a file other.txt with "Doors have locks."')
    expect(chat.approval).to_contain_text("other.txt")


def test_a_reload_keeps_the_question(chat, project):
    chat.say(WRITE)
    expect(chat.approval).to_be_visible()

    chat.page.reload()

    expect(chat.approval).to_contain_text("Keys open doors.")
    chat.allow()
    chat.hear("The result came back to me")
    assert (project / "notes.txt").exists()


def test_two_tabs_decide_a_question_once(chat, project):
    chat.say(WRITE)
    expect(chat.approval).to_be_visible()
    second = Chat(chat.page.context.new_page())
    second.page.goto(chat.page.url)
    expect(second.approval).to_be_visible()

    chat.deny("not now")

    chat.hear("not now")
    second.hear("not now")
    expect(second.approval).to_have_count(0)
    assert not (project / "notes.txt").exists()


def test_a_question_outlives_the_app(chat, project, app):
    chat.say(WRITE)
    expect(chat.approval).to_be_visible()
    address = chat.page.url
    chat.page.goto("about:blank")

    app.stop(signal.SIGKILL)
    enter(chat.page, app.start())

    chat.page.goto(address)
    expect(chat.approval).to_contain_text("Keys open doors.")
    chat.allow()
    chat.hear("The result came back to me")
    assert (project / "notes.txt").read_text() == "Keys open doors.\n"


def test_a_command_says_how_far_it_can_reach(chat, project):
    chat.say("Run `echo opened > door.txt`")
    expect(chat.approval).to_contain_text("echo opened > door.txt")
    expect(chat.approval.get_by_text("not confined").or_(chat.approval.get_by_text("bubblewrap"))).to_be_visible()

    chat.allow()

    chat.hear("The result came back to me")
    assert (project / "door.txt").read_text() == "opened\n"


def test_reading_asks_nobody(chat, project):
    (project / "hello.txt").write_text("A quiet word.\n")

    chat.say("Read hello.txt")

    chat.hear("A quiet word.", "The result came back to me")


def test_the_vaults_own_folder_is_refused(signed_in, app, complaints):
    complaints.expect("status of 422")
    chat = Chat(signed_in)

    chat.ask_for_folder(app.home)

    expect(signed_in.get_by_role("status")).to_contain_text("Doorkey")
    expect(chat.page.get_by_label("Folder: none")).to_be_visible()
