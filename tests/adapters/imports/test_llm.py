import os
from pathlib import Path

from doorkey.adapters.imports.llm import LlmFinds, folder
from doorkey.domain.finding import Taking
from tests.adapters.imports.foreign import write


def test_every_key_is_found_by_its_name_and_the_note_is_none(tmp_path):
    keys = {
        "// Note": "Do not share!",
        "openai": "sk-1",
        "gemini": " AIza-2 ",
        "empty": "",
        "odd": 3,
        "x" * 201: "sk-4",
    }
    path = write(tmp_path / "keys.json", keys)

    found = LlmFinds({"LLM_USER_PATH": str(tmp_path)}).look()

    assert [(each.name, each.secret.reveal(), each.called) for each in found] == [
        ("openai", "sk-1", "openai from llm"),
        ("gemini", "AIza-2", "gemini from llm"),
    ]
    assert {(each.taking, each.file) for each in found} == {(Taking.COPY, str(path))}


def test_the_folder_is_the_platforms_for_configuration():
    assert folder({}) == Path(os.environ["XDG_CONFIG_HOME"]) / "io.datasette.llm"


def test_without_llm_there_is_nothing(tmp_path):
    assert LlmFinds({"LLM_USER_PATH": str(tmp_path)}).look() == []
