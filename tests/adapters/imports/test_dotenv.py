import os

import pytest

from doorkey.adapters.imports.dotenv import DotenvFinds
from doorkey.errors import ImportRejected
from tests.adapters.imports.foreign import CANARY, write

NAMES = ["OPENAI_API_KEY", "ACME_API_KEY"]


def test_the_known_names_are_taken_and_nothing_else(tmp_path):
    text = f'export OPENAI_API_KEY="sk-1"\nDATABASE_URL={CANARY}\nACME_API_KEY= # {CANARY}\nOPENAI_BASE_URL={CANARY}\n'
    path = write(tmp_path / ".env", text)

    (found,) = DotenvFinds(path, NAMES, named=False).look()

    assert (found.name, found.secret.reveal(), found.file) == ("OPENAI_API_KEY", "sk-1", str(path))
    assert "stays as it is; remove the line when you are ready" in found.meaning


@pytest.mark.parametrize("name", ["DOORKEY_KEY", "ACME_BASE_URL", "ACME_PROXY"])
def test_what_moves_secrets_is_never_taken_from_a_file(tmp_path, name):
    path = write(tmp_path / ".env", f"{name}=x")

    assert DotenvFinds(path, [name], named=True).look() == []


def test_the_account_is_called_by_its_file_from_home(home):
    path = write(home / "shop" / ".env", "ACME_API_KEY=a")

    (found,) = DotenvFinds(path, NAMES, named=False).look()

    assert found.called == "ACME_API_KEY from ~/shop/.env"


def test_a_folder_whose_name_is_no_text_gives_a_name_that_can_be_kept_and_shown(tmp_path):
    path = write(tmp_path / os.fsdecode(b"x\xff\x1b[31m") / ".env", "ACME_API_KEY=a")

    (found,) = DotenvFinds(path, NAMES, named=False).look()

    assert found.called.endswith("/x\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m/.env")


def test_a_file_that_was_named_has_to_be_there(tmp_path):
    assert DotenvFinds(tmp_path / ".env", NAMES, named=False).look() == []
    with pytest.raises(ImportRejected, match="There is no file"):
        DotenvFinds(tmp_path / "other.env", NAMES, named=True).look()


def test_two_providers_may_share_a_name(tmp_path):
    path = write(tmp_path / ".env", "ACME_API_KEY=a")

    assert len(DotenvFinds(path, ["ACME_API_KEY", "ACME_API_KEY"], named=False).look()) == 1
