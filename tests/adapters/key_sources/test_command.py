"""The key that a program prints."""

import shlex
import sys
from base64 import b64encode
from datetime import timedelta

import pytest

from doorkey.adapters.key_sources.command import KeyCommand
from doorkey.adapters.key_sources.source import Lock
from doorkey.errors import KeyUnreadable

KEY = bytes(range(32))
TEXT = b64encode(KEY).decode()
LOCK = Lock.of("a vault", KEY)


def python(script):
    return shlex.join([sys.executable, "-c", script])


def source(command, **settings):
    return KeyCommand(lambda: command, **settings)


def test_what_it_prints_is_the_key():
    printing = source(python(f"print('{TEXT}')"))

    assert printing.find(LOCK) == KEY
    assert printing.create("a vault").secret == KEY


def test_it_is_run_by_no_shell(tmp_path):
    with pytest.raises(KeyUnreadable):
        source(f"echo {TEXT} > {tmp_path / 'written'}").find(LOCK)

    assert list(tmp_path.iterdir()) == []


def test_it_waits_to_be_chosen(tmp_path):
    waiting = source(python(f"open({str(tmp_path / 'was run')!r}, 'w')"))

    assert waiting.read() is None
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_is_shown_and_what_it_prints_is_not(capfd):
    script = "import sys; print('canary'); print('Touch your token.', file=sys.stderr)"

    with pytest.raises(KeyUnreadable) as refused:
        source(python(script)).find(LOCK)

    shown = capfd.readouterr()
    assert shown.err == "Touch your token.\n"
    assert "canary" not in f"{shown.out} {refused.value} {refused.value.hint}"


def test_it_cannot_take_what_is_on_our_stdin():
    assert source(python(f"import sys; assert sys.stdin.read() == ''; print('{TEXT}')")).find(LOCK) == KEY


def test_one_that_makes_up_a_key_each_time_is_refused():
    made_up = python("import base64, os; print(base64.b64encode(os.urandom(32)).decode())")

    with pytest.raises(KeyUnreadable, match="another key the second time"):
        source(made_up).create("a vault")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (None, "no `key_command`"),
        (python("print('no key')"), "printed no key"),
        (python(f"print('{TEXT}'); raise SystemExit(7)"), "exit code 7"),
        ("/nowhere/at/all", "cannot be run"),
        ("'unbalanced", "cannot be run"),
    ],
)
def test_each_failure_is_said(command, said):
    with pytest.raises(KeyUnreadable, match=said):
        source(command).find(LOCK)


def test_one_that_hangs_is_ended():
    hanging = source(
        python("input_never_comes = __import__('threading').Event().wait()"), patience=timedelta(seconds=1)
    )

    with pytest.raises(KeyUnreadable, match="did not end within 1 s"):
        hanging.find(LOCK)
