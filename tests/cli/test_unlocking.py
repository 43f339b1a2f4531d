"""How a passphrase is asked for."""

import pytest

from doorkey.cli.unlocking import TerminalPassphrases
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable
from tests.cli.terminal import Terminal


def passphrases(*answers, **settings):
    return TerminalPassphrases(Terminal(None, *answers, **settings).io)


def test_the_person_at_the_terminal_is_asked():
    assert passphrases("open sesame").ask() == Secret("open sesame")


def test_stdin_belongs_to_the_command_that_runs():
    with pytest.raises(KeyUnreadable, match="nobody can be asked"):
        passphrases(stdin="open sesame\n").ask()


def test_a_new_one_is_typed_twice():
    assert passphrases("open sesame", "open sesame").choose() == Secret("open sesame")


def test_a_slip_is_noticed():
    with pytest.raises(KeyUnreadable, match="two different"):
        passphrases("open sesame", "open sesam").choose()


def test_a_new_one_may_come_from_stdin():
    assert passphrases(stdin="open sesame\n").choose() == Secret("open sesame")


@pytest.mark.parametrize("typed", [{"interactive": True}, {"stdin": ""}, {"stdin": "\n"}])
def test_nothing_is_no_passphrase(typed):
    with pytest.raises(KeyUnreadable, match="Nothing was typed"):
        passphrases(**typed).choose()
