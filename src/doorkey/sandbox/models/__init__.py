"""The model server: the same persona behind the APIs of OpenAI, Codex and Anthropic."""
