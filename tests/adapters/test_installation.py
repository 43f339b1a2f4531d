import socket
from dataclasses import replace

import pytest

from doorkey.adapters import installation
from doorkey.adapters.instance import Instance
from doorkey.adapters.paths import Folders
from doorkey.providers.openai import CODEX, OPENAI


def openai(**changes):
    return [replace(OPENAI, methods=(replace(CODEX, **{"enabled": True} | changes),))]


@pytest.fixture
def places(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return Folders(data=folder, config=folder)


@pytest.fixture
def two_ports():
    """Two ports that were free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


def registered(first, second):
    return openai(redirect=f"http://localhost:{first}/callback", fallback_ports=(second,))


def test_the_versions_that_matter_are_named():
    text = " ".join(found.text for found in installation.versions())

    assert all(word in text for word in ("Doorkey ", "Python 3.", "OpenSSL ", "SQLite ", "httpx2 "))


def test_folders_of_ones_own_are_in_order(places):
    config = places.data.with_name("config")
    config.mkdir(mode=0o700)

    apart = [found.text for found in installation.folders(replace(places, config=config))]
    together = [found.text for found in installation.folders(places)]

    assert apart == [f"{places.data} (700)", f"{config} (700)"]
    assert together == [f"{places.data} (700)", "in the same folder"]


def test_a_folder_that_is_not_there_is_a_fault_with_its_remedy(places):
    gone = places.data / "gone"

    [found, _] = installation.folders(Folders(data=gone, config=gone))

    assert (found.ok, found.fix) == (False, f"mkdir -p -m 700 {gone}")


def test_a_database_that_others_may_read_is_a_fault(places):
    (places.data / "vault.db").touch(mode=0o644)

    [found, *_] = installation.folders(places)

    assert (found.check, found.ok, found.fix) == ("data", False, f"chmod 600 {places.data / 'vault.db'}")


def test_a_port_that_is_registered_is_looked_for_in_both_families(two_ports):
    first, second = two_ports

    with socket.create_server(("::1", first), family=socket.AF_INET6):
        [found] = installation.ports(registered(first, second))

    assert (found.ok, found.text) == (True, f"openai codex: port {second} is free; port {first} is in use")


def test_registered_ports_that_are_all_in_use_are_a_fault(two_ports):
    first, second = two_ports

    with socket.create_server(("127.0.0.1", first)), socket.create_server(("127.0.0.1", second)):
        [found] = installation.ports(registered(first, second))

    assert (found.ok, found.text) == (False, f"openai codex: ports {first} and {second} are in use")
    assert f"lsof -i :{first}" in found.fix
    assert "--paste" in found.fix


def test_free_ports_are_let_go_again(two_ports):
    first, second = two_ports

    [found] = installation.ports(registered(first, second))

    assert found.text == f"openai codex: ports {first} and {second} are free"
    with socket.create_server(("127.0.0.1", first)), socket.create_server(("127.0.0.1", second)):
        pass


@pytest.mark.parametrize("changes", [{"enabled": False}, {"redirect": "http://127.0.0.1:0/callback"}])
def test_a_method_that_needs_no_port_of_its_own_is_left_out(changes):
    assert list(installation.ports(openai(**changes))) == []


def test_a_running_app_is_told_without_asking_it_for_anything(places):
    minted: list[str] = []

    def mint() -> str:
        minted.append("http://127.0.0.1:1/")
        return minted[-1]

    instance = Instance(places.data, mint)
    try:
        [found] = installation.app(places)
    finally:
        instance.close()
    [after] = installation.app(places)

    assert (found.text, minted) == ("running", [])
    assert after.text.startswith("not running; port 8377 is ")


def test_databases_are_named_without_the_rest_of_their_address():
    shared = installation.kind_of_databases({"DOORKEY_DATABASE_URL": "postgresql://ann:canary@db.example/vault?x=1"})

    assert installation.kind_of_databases({}).startswith("SQLite, vault at level ")
    assert shared.startswith("PostgreSQL at db.example, vault at level ")
