import os

import httpx2
import pytest

from doorkey.adapters.imports.ant import AntFinds
from doorkey.adapters.profiles import AntProfiles
from doorkey.domain.finding import Taking
from doorkey.domain.owner import Owner
from doorkey.errors import ImportRejected, SignInNeeded
from tests.adapters.imports.foreign import CANARY, write


@pytest.fixture
def profiles(tmp_path):
    return AntProfiles({"ANTHROPIC_CONFIG_DIR": str(tmp_path), "ANTHROPIC_PROFILE": "work"}, httpx2.Client)


def test_the_active_profile_is_found_with_its_end(profiles, tmp_path):
    path = write(tmp_path / "credentials" / "work.json", {"access_token": CANARY, "expires_at": 2_000_000_000})

    (found,) = AntFinds(profiles).look()

    assert (found.provider, found.method, found.taking, found.owner) == ("anthropic", "console", Taking.READ, Owner.ANT)
    assert (found.identity.label, found.file, found.expires_at.year) == ("work", str(path), 2033)


def test_without_a_profile_there_is_nothing(profiles):
    assert AntFinds(profiles).look() == []


def test_a_profile_that_others_can_read_is_refused_as_its_own_tool_does(profiles, tmp_path):
    write(tmp_path / "credentials" / "work.json", {"access_token": CANARY}, mode=0o644)

    with pytest.raises(ImportRejected, match="can be read by others"):
        AntFinds(profiles).look()


def test_a_pointer_that_cannot_be_read_is_as_none(tmp_path):
    (tmp_path / "active_config").write_bytes(b"\xff\xfe\xff")

    assert AntProfiles({"ANTHROPIC_CONFIG_DIR": str(tmp_path)}, httpx2.Client).active().subject == "default"


@pytest.mark.parametrize("place", ["active_config", "credentials/default.json"])
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path, place):
    (tmp_path / "credentials").mkdir()
    os.mkfifo(tmp_path / place, 0o600)
    profiles = AntProfiles({"ANTHROPIC_CONFIG_DIR": str(tmp_path)}, httpx2.Client)

    assert profiles.active().subject == "default"
    with pytest.raises(SignInNeeded, match="no readable profile"):
        profiles.read(profiles.active())


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", '{"access_token": "\\ud800"}', " " * 300_000 + "{}"])
def test_a_profile_of_any_content_is_read_or_refused(profiles, tmp_path, content):
    path = write(tmp_path / "credentials" / "work.json", {})
    path.write_text(content)

    with pytest.raises(SignInNeeded, match="no readable profile"):
        profiles.read(profiles.active())


def test_a_profile_behind_a_link_is_not_followed(profiles, tmp_path):
    elsewhere = write(tmp_path / "elsewhere.json", {"access_token": CANARY})
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "work.json").symlink_to(elsewhere)

    with pytest.raises(SignInNeeded, match="no readable profile"):
        profiles.read(profiles.active())
