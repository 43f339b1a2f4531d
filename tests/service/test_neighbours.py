"""Servers of this machine: told by what only they answer, and nothing else is taken for one."""

import json
from dataclasses import replace

import pytest

from doorkey.errors import ServerAway
from doorkey.providers.local import LLAMACPP, LMSTUDIO, LOCAL, OLLAMA, VLLM
from doorkey.service.neighbours import Neighbours
from tests.service.fakes import ACME
from tests.service.fakes import LOCAL as OPEN

OLLAMA_PAGE = "http://127.0.0.1:11434/api/tags"
LMSTUDIO_PAGE = "http://127.0.0.1:1234/api/v0/models"
LLAMACPP_PAGE = "http://127.0.0.1:8080/v1/models"
VLLM_PAGE = "http://127.0.0.1:8000/v1/models"

TAGS = {"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest", "digest": "a80c4f17acd5", "size": 1}]}
STUDIO = {"object": "list", "data": [{"id": "qwen", "type": "llm", "compatibility_type": "gguf", "state": "loaded"}]}


def owned(owner):
    return {"object": "list", "data": [{"id": "one", "object": "model", "owned_by": owner}]}


@pytest.fixture
def street(house):
    house.catalog.providers = (ACME, *LOCAL)
    return house


@pytest.mark.parametrize(
    ("page", "answer", "found"),
    [
        (OLLAMA_PAGE, TAGS, "ollama"),
        (OLLAMA_PAGE, {"models": []}, "ollama"),
        (LMSTUDIO_PAGE, STUDIO, "lmstudio"),
        (LLAMACPP_PAGE, owned("llamacpp"), "llamacpp"),
        (VLLM_PAGE, owned("vllm"), "vllm"),
    ],
)
def test_each_server_is_known_by_what_only_it_answers(street, page, answer, found):
    street.here[page] = json.dumps(answer).encode()

    assert street.neighbours.running() == {found}


@pytest.mark.parametrize("page", [OLLAMA_PAGE, LMSTUDIO_PAGE, LLAMACPP_PAGE, VLLM_PAGE])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>A development server</html>",
        b"null",
        b"[]",
        b"{}",
        b'{"models": 7}',
        b'{"models": [7]}',
        b'{"models": [{"name": "one"}]}',
        b'{"models": [], "error": "no"}',
        b'{"data": []}',
        b'{"data": [{"id": "one", "owned_by": "practice"}]}',
        b"[" * 100_000,
    ],
)
def test_an_open_port_that_is_something_else_is_none_of_them(street, page, answer):
    street.here[page] = answer

    assert street.neighbours.running() == frozenset()


def test_two_servers_are_told_apart_on_one_port(street):
    moved = replace(VLLM, api=replace(VLLM.api, base_url=LLAMACPP.api.base_url))
    street.catalog.providers = (LLAMACPP, moved)
    street.here[LLAMACPP_PAGE] = json.dumps(owned("vllm")).encode()

    assert street.neighbours.running() == {"vllm"}


@pytest.mark.parametrize("base_url", ["https://models.example/v1", "http://localhost:11434/v1", "http://[::1]:9/v1"])
def test_only_this_machine_is_knocked_at(house, base_url):
    house.catalog.providers = (replace(OLLAMA, api=replace(OLLAMA.api, base_url=base_url)),)
    asked: list[str] = []

    def knock(urls, within):
        asked.extend(urls)
        return {}

    Neighbours(catalog=house.catalog, knock=knock).running()

    assert all("example" not in url for url in asked)
    assert bool(asked) is base_url.startswith("http:")


def test_connecting_makes_sure_that_the_server_is_the_one(street):
    street.here[OLLAMA_PAGE] = json.dumps(TAGS).encode()

    account = street.keys.keep("ollama", None, None, name=None)

    assert (account.method, account.payer.value, account.label) == ("none", "local", "Ollama")


def test_connecting_again_makes_no_second_account(street):
    street.here[OLLAMA_PAGE] = json.dumps(TAGS).encode()
    first = street.keys.keep("ollama", None, None, name=None)

    again = street.keys.keep("ollama", None, None, name=None)
    other = street.keys.keep("ollama", None, None, name="other")

    assert (again.id, other.id == first.id) == (first.id, False)


@pytest.mark.parametrize("answer", [None, b"<html>A development server</html>"])
def test_what_is_not_there_is_not_connected(street, answer):
    if answer:
        street.here[OLLAMA_PAGE] = answer

    with pytest.raises(ServerAway) as caught:
        street.keys.keep("ollama", None, None, name=None)

    assert str(caught.value) == "Ollama does not answer at 127.0.0.1:11434."
    assert caught.value.hint.startswith("Start it with `ollama serve`")
    assert list(street.accounts.all()) == []


def test_whoever_knows_better_connects_it_unseen(street):
    assert street.keys.keep("ollama", None, None, name=None, check=False).provider == "ollama"


def test_a_server_of_the_person_s_own_is_taken_at_their_word(house):
    house.catalog.providers = (OPEN,)

    assert house.keys.keep("local", None, None, name=None).provider == "local"


def test_the_listing_tells_who_runs_only_where_somebody_looked(street):
    street.here[OLLAMA_PAGE] = json.dumps(TAGS).encode()

    unlooked = {entry["id"]: entry["running"] for entry in street.listing.providers()}
    looked = {entry["id"]: entry["running"] for entry in street.listing.providers(street.neighbours.running())}

    assert set(unlooked.values()) == {None}
    assert looked == {"acme": None, "ollama": True, "lmstudio": False, "llamacpp": False, "vllm": False}


def test_nobody_elses_method_wants_a_key_from_the_environment():
    assert all(provider.api.env == () for provider in (OLLAMA, LMSTUDIO, LLAMACPP, VLLM))
