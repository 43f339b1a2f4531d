"""What `doorkey doctor` finds, and the fix beside each finding."""

import json

from doorkey.bootstrap import open_house
from doorkey.domain.account import Standing, State
from tests.cli.acme import keep
from tests.cli.terminal import Terminal


def findings(terminal):
    return [(each["check"], each["text"], each["fix"]) for each in json.loads(terminal.out)["findings"]]


def faults(terminal):
    return {check: fix for check, _, fix in findings(terminal) if fix}


def test_a_house_in_order_exits_with_0(house):
    keep(house)
    terminal = Terminal(house)

    code = terminal.run("doctor", "--json")

    assert (code, faults(terminal)) == (0, {})
    assert ("accounts", "1 ready", None) in findings(terminal)


def test_people_get_a_line_for_each_finding(house):
    terminal = Terminal(house)

    terminal.run("doctor")

    assert all(line.startswith("ok  ") for line in terminal.out.splitlines())


def test_a_missing_key_is_found(house, config):
    keep(house)
    (config.parent / "doorkey.key").unlink()

    with open_house(here=config.parent) as locked:
        terminal = Terminal(locked)
        code = terminal.run("doctor", "--json")

    assert (code, list(faults(terminal))) == (1, ["key"])
    assert ("accounts", "1 key unreadable", None) in findings(terminal)


def test_a_mistake_in_the_config_is_named_with_its_line(config):
    config.write_text(f"nonsense = 1\n{config.read_text()}")

    with open_house(here=config.parent) as house:
        terminal = Terminal(house)
        code = terminal.run("doctor", "--json")

    assert (code, list(faults(terminal))) == (1, ["config.toml"])
    assert any("line 1, nonsense" in text for _, text, _ in findings(terminal))


def test_a_folder_that_others_may_read_is_found(house, config):
    config.parent.chmod(0o755)
    terminal = Terminal(house)

    code = terminal.run("doctor", "--json")

    assert (code, faults(terminal)["data"]) == (1, f"chmod 700 {config.parent}")


def test_an_account_that_needs_a_person_is_named(house):
    account = keep(house, name="work", standing=Standing(state=State.SIGN_IN_NEEDED, reason="It was revoked."))
    terminal = Terminal(house)

    code = terminal.run("doctor", "--json")

    assert (code, faults(terminal)) == (1, {"accounts": f"doorkey login acme --account {account.id}"})
    assert any(text == "acme work: It was revoked." for _, text, _ in findings(terminal))
