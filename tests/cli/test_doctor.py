"""What `doorkey doctor` finds, and the fix beside each finding."""

import json
import socket

import pytest

from doorkey.bootstrap import open_house
from doorkey.domain.account import Standing, State
from doorkey.errors import StoreBusy, VaultDamaged
from doorkey.testing.practice import ACME
from tests.cli.acme import keep
from tests.cli.terminal import Terminal
from tests.company import Proxy


def told(terminal):
    return json.loads(terminal.out)["findings"]


def findings(terminal):
    return [(each["check"], each["text"], each["fix"]) for each in told(terminal)]


def faults(terminal):
    return {each["check"]: each["fix"] for each in told(terminal) if not each["ok"]}


def test_a_house_in_order_exits_with_0(house):
    keep(house)
    terminal = Terminal(house)

    code = terminal.run("doctor", "--json")

    assert (code, faults(terminal)) == (0, {})
    assert ("accounts", "1 ready", None) in findings(terminal)


def test_people_get_a_line_for_each_finding(house):
    terminal = Terminal(house)

    terminal.run("doctor")

    assert {line[:4] for line in terminal.out.splitlines()} <= {"ok  ", "    "}
    assert "ok  accounts    none yet\n" in terminal.out


@pytest.fixture
def nowhere(config):
    """A house whose way out ends at a proxy on this computer, which lets nobody through."""
    with Proxy(status=403) as proxy:
        config.write_text(f'[network]\nproxy = "{proxy.url}"\n{config.read_text()}')
        with open_house(here=config.parent) as house:
            yield house


def test_at_a_terminal_no_line_is_wider_than_it(nowhere):
    keep(nowhere, standing=Standing(state=State.SIGN_IN_NEEDED, reason="It was revoked, and more. " * 5))
    terminal = Terminal(nowhere, interactive=True)

    terminal.run("doctor", "--all")

    assert max(map(len, terminal.out.splitlines())) <= 80
    assert " ".join(terminal.out.split()).count("It was revoked, and more.") == 5


def test_the_practice_provider_of_an_account_is_asked_and_answers(house, practice):
    keep(house)
    terminal = Terminal(house)

    terminal.run("doctor", "--json")

    assert any(check == "reach" and f"{practice} answers in " in text for check, text, _ in findings(terminal))


def test_a_provider_that_does_not_answer_is_a_fault_with_its_remedy(config):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    config.write_text(ACME.format(url=f"http://127.0.0.1:{port}"))
    with open_house(here=config.parent) as house:
        keep(house)
        terminal = Terminal(house)
        code = terminal.run("doctor", "--json")

    assert (code, faults(terminal)["reach"]) == (1, "Start the server there, or correct its address in config.toml.")


def test_every_provider_is_asked_when_all_are_wanted(nowhere):
    terminal = Terminal(nowhere)

    code = terminal.run("doctor", "--all", "--json")

    reached = [text for check, text, _ in findings(terminal) if check == "reach"]
    assert code == 1
    assert any(text.startswith("acme models: http://127.0.0.1:") for text in reached)
    assert any(text.startswith("openai models: The proxy ") and "(403)" in text for text in reached)


def test_no_password_of_a_proxy_is_told(config):
    canary = "canary-71d0"
    network = f'[network]\nproxy = "http://ann:{canary}@127.0.0.1:1"\nca_bundle = "missing.pem"\n'
    config.write_text(network + config.read_text())
    with open_house(here=config.parent) as house:
        keep(house)
        terminal = Terminal(house)
        code = terminal.run("doctor", "--json")

    assert (code, list(faults(terminal))) == (1, ["trust"])
    assert any("http://********@127.0.0.1:1" in text for _, text, _ in findings(terminal))
    assert canary not in terminal.out + terminal.err


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


def test_a_file_that_is_no_toml_is_not_said_to_be_in_force_elsewhere(config):
    config.write_text(f"no toml\n{config.read_text()}")

    with open_house(here=config.parent) as house:
        terminal = Terminal(house)
        terminal.run("doctor", "--json")

    [told] = [finding for finding in findings(terminal) if finding[0] == "config.toml"]
    assert told[1].endswith("nothing in the file is in force.")
    assert told[2] == "Correct the line."


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


def test_a_vault_that_does_not_open_is_a_finding_among_what_can_be_seen(config):
    terminal = Terminal(VaultDamaged("The file is damaged.", hint="Restore it."))

    code = terminal.run("doctor", "--json")

    checks = [each["check"] for each in told(terminal)]
    assert (code, faults(terminal)) == (1, {"vault": "Restore it."})
    assert ("vault", "The file is damaged.", "Restore it.") in findings(terminal)
    assert {"version", "data", "app", "proxy", "trust"} <= set(checks)
    assert "reach" not in checks


def test_a_failure_after_the_house_was_opened_is_no_closed_vault(house):
    def busy(*, every):
        raise StoreBusy("Another program holds it.")

    house.checkup = busy
    terminal = Terminal(house)

    assert terminal.run("doctor", "--json") == 4
    assert json.loads(terminal.out)["error"] == "store_busy"
