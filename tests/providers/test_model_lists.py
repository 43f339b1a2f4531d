"""Lists of models in every shape that providers send, and names that are like others."""

import json

import pytest

from doorkey.errors import ProviderUnavailable
from doorkey.providers.model_lists import MOST_ROWS, SWITCHED_OFF, nearest, read_page

COPILOT = {
    "data": [
        {"id": "one", "model_picker_enabled": True, "capabilities": {"type": "chat"}, "policy": {"state": "enabled"}},
        {"id": "off", "model_picker_enabled": True, "capabilities": {"type": "chat"}, "policy": {"state": "disabled"}},
        {"id": "old", "model_picker_enabled": False, "capabilities": {"type": "chat"}},
        {"id": "numbers", "model_picker_enabled": True, "capabilities": {"type": "embeddings"}},
        {"id": "asked", "model_picker_enabled": True, "policy": {"state": "unconfigured"}},
    ]
}


MISTRAL_EMBED = {"id": "embed", "capabilities": {"completion_chat": False}}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"data": [{"id": "one"}, {"id": "two"}]}, ("one", "two")),
        ({"data": [{"id": "one"}, {"id": "one"}]}, ("one",)),
        ({"models": [{"slug": "one", "visibility": "list"}, {"slug": "two", "visibility": "hide"}]}, ("one",)),
        ({"models": [{"slug": "b"}, {"slug": "a"}]}, ("b", "a")),
        ({"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest"}]}, ("llama3.2:latest",)),
        (COPILOT, ("one", "asked")),
        ({"data": [{"id": "a", "capabilities": {"completion_chat": True}}, MISTRAL_EMBED]}, ("a",)),
        ({"data": [{"id": "a", "active": True}, {"id": "b", "active": False}]}, ("a",)),
        ([{"id": "a", "type": "chat"}, {"id": "b", "type": "embedding"}, {"id": "c", "type": "model"}], ("a", "c")),
        ({"data": []}, ()),
        ({}, ()),
        ({"data": [7, None, {}, {"id": 7}, {"id": "one"}]}, ("one",)),
        ({"data": [{"id": "one", "capabilities": ["chat"], "policy": "enabled"}]}, ("one",)),
        ({"data": 7}, ()),
        ({"data": {"id": "one"}}, ()),
        ({"data": [{"id": name} for name in ("\x1b[2J", "\ud800", "\u202eeno", "x" * 201, "one")]}, ("one",)),
        ({"data": [{"id": str(number)} for number in range(MOST_ROWS + 1)]}, tuple(map(str, range(MOST_ROWS)))),
    ],
)
def test_a_list_is_read_in_every_shape(body, names):
    assert read_page(json.dumps(body).encode()).names == names


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff", b"[" * 100_000])
def test_a_list_that_cannot_be_read_is_a_fault_that_passes(body):
    with pytest.raises(ProviderUnavailable):
        read_page(body)


def test_a_model_that_is_switched_off_is_named_with_the_reason():
    assert read_page(json.dumps(COPILOT).encode()).refused == {"off": SWITCHED_OFF}


def test_a_prefix_is_cut_off_only_where_it_stands_before_the_name():
    body = {"data": [{"id": "models/one"}, {"id": "tuned/models/two"}, {"id": "models/models/three"}]}

    page = read_page(json.dumps(body).encode(), prefix="models/")

    assert page.names == ("one", "tuned/models/two", "models/three")


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({"data": [{"id": "one"}], "has_more": True, "last_id": "one"}, "one"),
        ({"data": [{"id": "one"}], "has_more": False, "last_id": "one"}, None),
        ({"data": [{"id": "one"}], "has_more": True, "last_id": None}, None),
        ({"data": [{"id": "one"}], "has_more": "yes", "last_id": "one"}, None),
        ({"data": [{"id": "one"}], "has_more": True, "last_id": "\ud800"}, None),
    ],
)
def test_a_page_tells_whether_another_follows(body, after):
    assert read_page(json.dumps(body).encode()).after == after


@pytest.mark.parametrize(
    ("wanted", "names", "near"),
    [
        ("gpt-6", ["gpt-6-sol", "o9", "whisper"], "gpt-6-sol"),
        ("Claude-Sonnet-5", ["claude-haiku-5", "claude-sonnet-5-20260101"], "claude-sonnet-5-20260101"),
        ("claude-sonnet-5", ["openai/gpt-6", "anthropic/claude-sonnet-5"], "anthropic/claude-sonnet-5"),
        ("llama3", ["whisper", "gpt-6"], None),
        ("llama3", [], None),
    ],
)
def test_the_nearest_name_is_offered_where_one_is_near(wanted, names, near):
    assert nearest(wanted, names) == near
