"""What `doorkey use` chooses, and where."""

import json

import pytest

from tests.cli.acme import keep, somebody
from tests.cli.terminal import Terminal


@pytest.fixture
def people(house):
    """Two accounts at one provider, the first of which is its default."""
    return keep(house, **somebody("ada")), keep(house, **somebody("bob"))


def use(house, *arguments):
    terminal = Terminal(house)
    return terminal.run("use", *arguments), terminal


def serving(house):
    _, terminal = use(house, "--list", "--json")
    return {each["account"]: each["selected"] for each in json.loads(terminal.out)["serving"]}


def test_here_an_account_serves_in_this_folder_alone(house, people):
    ada, bob = people

    code, terminal = use(house, "bob@example.com", "--here")

    assert code == 0
    assert f"bob@example.com serves acme in {house.here}." in terminal.err
    assert serving(house) == {bob.id: f"rule for {house.here}"}
    house.here = house.here.parent
    assert serving(house) == {ada.id: "default for acme"}


def test_a_folder_is_named_by_its_true_path(house, people, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "work")

    use(house, "bob@example.com", "--folder", str(tmp_path / "link"))

    assert [each.folder for each in house.services.book.rules.all()] == [str(tmp_path.resolve() / "work")]


def test_where_only_one_may_serve_the_other_is_refused_with_the_way_out(house, people):
    use(house, "ada@example.com", "--here", "--only")
    terminal = Terminal(house)

    code = terminal.run("token", "acme", "--account", "bob@example.com")

    assert (code, terminal.out) == (5, "")
    assert f"In {house.here} only ada@example.com may serve acme." in terminal.err
    assert f"doorkey use --folder {house.here} --remove acme" in terminal.err


def test_a_rule_is_lifted_by_its_folder(house, people):
    use(house, "bob@example.com", "--here")

    code, _ = use(house, "--here", "--remove", "acme")

    assert code == 0
    assert house.services.book.rules.all() == []
    assert use(house, "--here", "--remove", "acme")[0] == 1


def test_the_list_tells_rules_and_who_serves_here(house, people, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    use(house, "bob@example.com", "--folder", str(gone), "--only")
    gone.rmdir()

    _, terminal = use(house, "--list")

    assert terminal.out.splitlines()[0].split("  ")[1:] == ["acme", "bob@example.com", "only, folder is gone"]
    assert terminal.out.splitlines()[1:] == ["here: acme is served by ada@example.com (default for acme)"]


def test_the_rule_of_a_folder_that_is_gone_can_be_lifted(house, people, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    use(house, "bob@example.com", "--folder", str(folder))
    folder.rmdir()

    assert use(house, "--folder", str(folder), "--remove", "acme")[0] == 0


@pytest.mark.parametrize(
    "arguments", [(), ("--here",), ("ada@example.com", "--only"), ("--remove", "acme")], ids=" ".join
)
def test_what_cannot_be_meant_is_said_so(house, people, arguments):
    assert use(house, *arguments)[0] == 2


def test_a_folder_that_is_not_there_gets_no_rule(house, people, tmp_path):
    code, terminal = use(house, "ada@example.com", "--folder", str(tmp_path / "nowhere"))

    assert code == 1
    assert "There is no folder" in terminal.err


def test_accounts_say_which_rule_selects_them_here(house, people):
    use(house, "bob@example.com", "--here")
    as_json, plain = Terminal(house), Terminal(house)

    as_json.run("accounts", "--json")
    plain.run("accounts")

    entries = json.loads(as_json.out)["accounts"]
    assert [(each["default"], each["selected"]) for each in entries] == [
        (True, None),
        (False, f"rule for {house.here}"),
    ]
    assert "serves here: rule for" in " ".join(plain.out.split())


def test_a_chat_that_begins_in_a_folder_with_a_rule_stays_with_that_account(house, people):
    _, bob = people
    use(house, "bob@example.com", "--here")

    Terminal(house).run("chat", "--model", "acme:practice-small", "Hello")

    (chat,) = house.stores.conversations.all()
    assert chat.account == bob.id


def test_a_chat_with_a_folder_of_its_own_follows_the_rule_of_that_one(house, people, tmp_path):
    _, bob = people
    use(house, "bob@example.com", "--folder", str(tmp_path))

    Terminal(house).run("chat", "--model", "acme:practice-small", "--folder", str(tmp_path), "Hello")

    (chat,) = house.stores.conversations.all()
    (run,) = house.stores.runs.of(chat.id)
    assert chat.account is None
    assert run.served.account == bob.id


def test_the_account_of_the_environment_is_listed_as_the_one_that_serves(house, people, monkeypatch):
    _, bob = people
    monkeypatch.setenv("DOORKEY_ACCOUNT", "bob@example.com")

    assert serving(house) == {bob.id: "asked for by DOORKEY_ACCOUNT"}


@pytest.mark.parametrize("other", [["ada@example.com"], ["--remove", "acme"], ["--only"]])
def test_a_list_that_is_also_to_change_something_is_a_mistake(house, other):
    keep(house, **somebody("ada"))

    code, terminal = use(house, "--list", *other)

    assert (code, terminal.out) == (2, "")
