import httpx2
import pytest

from doorkey.adapters.imports.ant import AntFinds
from doorkey.adapters.profiles import AntProfiles
from doorkey.domain.finding import Taking
from doorkey.domain.owner import Owner
from doorkey.errors import ImportRejected
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
