"""The key of a vault in the hands of a person: moved, rotated, lost, recovered, and only where it belongs."""

import shlex
import signal
import sys
from base64 import b64encode

import pytest

from tests.journeys.person import sign_in

pytestmark = pytest.mark.slow

PASSPHRASE = "correct horse battery staple"
OTHER_KEY = b64encode(bytes(32)).decode()


@pytest.fixture
def signed_in(program):
    sign_in(program, "acme", "--name", "ada")
    return program


def token(program, **environ):
    return program.run("token", "acme", **environ)


def everywhere(program):
    """Everything on the disk and everything that was said."""
    files = [path.read_bytes() for path in program.home.rglob("*") if path.is_file()]
    return b"\n".join([*files, "\n".join(program.said).encode()])


def test_a_key_is_rotated_lost_and_recovered_with_the_code(signed_in):
    code = signed_in.run("key", "rotate").out
    (signed_in.home / "doorkey.key").unlink()
    lost = token(signed_in)

    recovered = signed_in.run("key", "recover", "--json", stdin=code)

    assert (lost.code, recovered.code) == (6, 0)
    assert recovered.json["opens"]
    assert token(signed_in).code == 0


def test_a_passphrase_is_typed_at_the_terminal(signed_in):
    chosen = signed_in.at_terminal(
        "key", "use", "passphrase", answers={"at least 12 characters": PASSPHRASE, "once more": PASSPHRASE}
    )
    opened = signed_in.at_terminal("token", "acme", answers={"Passphrase of the vault": PASSPHRASE})
    wrong = signed_in.at_terminal("token", "acme", answers={"Passphrase of the vault": "something else"})
    alone = token(signed_in)
    listed = signed_in.accounts()

    assert (chosen.code, opened.code, wrong.code, alone.code) == (0, 0, 6, 6)
    assert listed[0]["state"] == "key_unreadable"
    assert not (signed_in.home / "doorkey.key").exists()


def test_a_key_comes_from_a_command_that_fails_aloud(signed_in):
    place = signed_in.home.parent / "key-of-a-manager"
    place.write_text(OTHER_KEY)
    config = signed_in.home / "config.toml"
    config.write_text(f'key_command = "cat {place}"\n{config.read_text()}')

    moved = signed_in.run("key", "use", "command")
    served = token(signed_in)
    place.unlink()
    failed = token(signed_in)

    assert (moved.code, served.code, failed.code) == (0, 0, 6)
    assert "No such file" in failed.err
    assert "key_command failed" in failed.err


def test_a_key_moves_to_the_environment_and_back(signed_in):
    there = signed_in.run("key", "use", "environment", DOORKEY_KEY=OTHER_KEY)
    with_it, without = token(signed_in, DOORKEY_KEY=OTHER_KEY), token(signed_in)
    back = signed_in.run("key", "use", "file", DOORKEY_KEY=OTHER_KEY)
    still_set, unset = token(signed_in, DOORKEY_KEY=OTHER_KEY), token(signed_in)

    assert (there.code, with_it.code, without.code) == (0, 0, 6)
    assert (back.code, still_set.code, unset.code) == (0, 6, 0)
    assert "unset it" in back.out


def test_a_keyring_that_is_not_there_changes_nothing(signed_in):
    stopped = signed_in.run("key", "use", "keyring", PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")

    assert stopped.code == 6
    assert "hint: " in stopped.err
    assert signed_in.run("key", "show", "--json").json["source"] == "file"
    assert token(signed_in).code == 0


def test_a_command_that_is_killed_at_its_question_leaves_everything_as_it_was(signed_in):
    waiting = signed_in.start("key", "recover")
    waiting.send_signal(signal.SIGKILL)
    ended = signed_in.finish(waiting)

    assert ended.code == -signal.SIGKILL
    assert token(signed_in).code == 0


def test_a_running_program_goes_on_after_the_key_was_moved_and_rotated(signed_in):
    script = shlex.join([sys.executable, "-m", "doorkey"])
    other = f"""
import doorkey, subprocess
with doorkey.open() as keys:
    source = keys.token_source("acme")
    first = source.get().reveal()
    for command in ("key use file", "key rotate", "key use file"):
        subprocess.run({script!r}.split() + command.split(), check=True, capture_output=True)
    account = keys.accounts()[0]
    assert keys.token_source("acme").get().reveal() == first
    print(account.state)
"""

    ended = signed_in.python(other)

    assert (ended.code, ended.out) == (0, "ready\n"), ended.err


def test_no_key_passphrase_or_code_is_where_it_does_not_belong(signed_in):
    first_key = (signed_in.home / "doorkey.key").read_text().strip()
    code = signed_in.finish(signed_in.start("key", "rotate")).out.strip()
    signed_in.said.clear()
    signed_in.run("key", "use", "file")
    second_key = (signed_in.home / "doorkey.key").read_text().strip()
    signed_in.run("key", "recover", "passphrase", stdin=f"{code}\n{PASSPHRASE}\n")
    signed_in.run("key", "recover", stdin="0000-0000-0000-0000-0000-0000-0000\n")
    signed_in.run("key", "show")
    signed_in.run("doctor")

    found = everywhere(signed_in)

    for secret in (first_key, second_key, code, code.replace("-", ""), PASSPHRASE):
        assert secret.encode() not in found
