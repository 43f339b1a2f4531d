"""Google: a key of AI Studio, in the vault or in either of its variables, spoken to in the dialect of OpenAI."""

import pytest

pytestmark = pytest.mark.slow

GOOGLE = """
[providers.google.api]
base_url = "{url}/v1"
"""


@pytest.fixture
def key(program, practice):
    program.configure(GOOGLE.format(url=practice.url))
    return practice.sandbox.make_key()


def test_a_key_is_kept_and_pays_by_use(program, key, wire):
    kept = program.run("login", "google", "--json", stdin=f"{key}\n")
    models = program.run("models", "google")
    answer = program.run("chat", "--model", "google:practice-small", "who pays?")

    (call,) = wire.to("/v1/chat/completions")
    assert (kept.code, kept.json["account"]["payer"]) == (0, "metered")
    assert models.out.split() == ["google:practice-small", "google:practice-large"]
    assert "by an API key" in answer.out
    assert call.headers["authorization"] == f"Bearer {key}"
    assert "x-goog-api-key" not in call.headers


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_both_variables_are_known(program, key, name):
    token = program.run("token", "google", "--json", **{name: key})

    assert (token.json["token"], token.json["payer"]) == (key, "metered")


def test_a_wrong_key_is_not_kept(program, key):
    refused = program.run("login", "google", stdin="wrong-key\n")

    assert (refused.code, program.accounts()) == (1, [])
    assert "Google Gemini does not accept this key." in refused.err
