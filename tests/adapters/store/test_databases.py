"""The environment says which databases are opened."""

import subprocess
import sys
from contextlib import closing

import pytest

from doorkey.adapters.key_sources.file import KeyFile
from doorkey.adapters.store.databases import open_app, open_vault
from doorkey.errors import Misconfigured
from doorkey.testing.values import a_conversation, held
from tests.adapters.store.terms import OneMethodStays

WITHOUT_DRIVER = """
import sys
from pathlib import Path
from doorkey.adapters.store.databases import open_app
from doorkey.errors import Misconfigured
sys.modules["psycopg"] = None
try:
    open_app({"DOORKEY_DATABASE_URL": "postgresql://127.0.0.1/vault"}, Path())
except Misconfigured as error:
    print(error.hint)
"""


@pytest.fixture
def opened(tmp_path):
    """Open both stores of an environment, as two programs would one after the other."""

    def open_both(environ):
        vault = open_vault(environ, tmp_path, [KeyFile(tmp_path)], OneMethodStays(None))
        return closing(vault), closing(open_app(environ, tmp_path))

    return open_both


@pytest.mark.parametrize("environ", [{}, {"DOORKEY_DATABASE_URL": ""}])
def test_without_a_url_they_are_two_files(opened, tmp_path, environ):
    vault, app = opened(environ)

    with vault, app:
        assert {path.name for path in tmp_path.glob("*.db")} == {"vault.db", "app.db"}


@pytest.mark.postgres
def test_with_a_url_they_are_in_it_and_one_on_this_machine_is_as_good_as_a_file(opened, tmp_path, postgres_url):
    environ = {"DOORKEY_DATABASE_URL": postgres_url}
    mine, chat = held(), a_conversation()
    vault, app = opened(environ)
    with vault as keys, app as chats:
        keys.accounts.save(mine, read=None)
        chats.conversations.save(chat)

    vault, app = opened(environ)

    with vault as keys, app as chats:
        assert keys.accounts.load(mine.account.id) == mine
        assert not keys.is_shared(mine.account.id)
        assert chats.conversations.all() == [chat]
    assert not list(tmp_path.glob("*.db"))


def test_a_url_that_is_none_is_refused(opened):
    with pytest.raises(Misconfigured):
        opened({"DOORKEY_DATABASE_URL": "mysql://127.0.0.1/vault"})


def test_without_the_driver_the_hint_is_the_line_that_installs_it():
    ended = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=True)

    assert ended.stdout == 'Install it with: pip install "doorkey[postgres]"\n'
