import pytest

from doorkey.domain.conversation import ModelName


@pytest.mark.parametrize("text", ["openai:gpt-6", "ollama:llama3:8b", " openai:gpt-6 "])
def test_a_model_is_named_by_its_provider_and_itself(text):
    assert str(ModelName.parse(text)) == text.strip()


def test_a_models_own_name_may_hold_colons():
    assert ModelName.parse("ollama:llama3:8b") == ModelName(provider="ollama", model="llama3:8b")


@pytest.mark.parametrize("text", ["", "openai", "openai:", ":gpt-6", ":"])
def test_half_a_name_is_none(text):
    assert ModelName.parse(text) is None
