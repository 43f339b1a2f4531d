"""Whatever stands in the files of other programs, they are read or refused; no parser falls over, nothing is told."""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from doorkey.adapters.imports import claude_code, codex, dotenv, llm, reading
from doorkey.errors import ImportRejected
from tests.adapters.imports.foreign import CANARY, jwt

SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["sub", "email", "exp", "name", "https://api.openai.com/auth", "https://api.openai.com/profile"]),
    SHAPES
    | st.fixed_dictionaries({}, optional={"chatgpt_account_id": SHAPES, "organizations": SHAPES, "email": SHAPES}),
)
TOKENS = st.builds(jwt, CLAIMS) | st.just(CANARY) | st.text() | SHAPES
CODEX = st.fixed_dictionaries(
    {},
    optional={
        "OPENAI_API_KEY": st.just(CANARY) | SHAPES,
        "tokens": SHAPES
        | st.fixed_dictionaries(
            {}, optional={"access_token": TOKENS, "id_token": TOKENS, "refresh_token": TOKENS, "account_id": SHAPES}
        ),
    },
)
CLAUDE = st.fixed_dictionaries(
    {},
    optional={
        "claudeAiOauth": SHAPES
        | st.dictionaries(st.sampled_from(["accessToken", "expiresAt", "subscriptionType"]), SHAPES | st.just(CANARY))
    },
)
FILES = st.binary(max_size=200) | (CODEX | CLAUDE | SHAPES).map(lambda shape: json.dumps(shape).encode())


def told(found):
    """Return all that a list shows of what was found."""
    return [(each.source, each.file, each.meaning, each.expires_at, each.warning, repr(each.secret)) for each in found]


def outcome(look):
    """Return what was found, and what is said where it was refused."""
    try:
        return look(), ""
    except ImportRejected as error:
        return None, f"{error} {error.hint}"


@given(FILES)
def test_json_of_any_kind_is_an_object_or_refused_in_silence(content):
    body, said = outcome(lambda: reading.parse_object(content, Path("/x/file.json")))

    parsers = (codex.findings_in, claude_code.findings_in, llm.findings_in)
    shown = [told(parse(body, "/x/file.json", None)) for parse in parsers if body is not None]
    assert CANARY not in f"{said} {shown}"


@given(CODEX)
def test_a_codex_file_never_gives_more_than_an_access_token_and_a_name(body):
    for found in codex.findings_in(body, "/x/auth.json", None):
        tokens = codex.tokens_in(body)
        assert (tokens.refresh, tokens.id_token) == (None, None)
        assert found.secret is not None or found.identity.subject


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"ACME_API_KEY={text}".encode()))
def test_a_dotenv_of_any_kind_is_read(content):
    path = Path("/x/.env")

    found = dotenv.findings_in(content, ["ACME_API_KEY"], path, None)

    assert {each.name for each in found} <= {"ACME_API_KEY"}
    assert all(each.secret for each in found)


@given(FILES)
def test_any_file_on_disk_is_read_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "keys.json")
        path.write_bytes(content)

        _, said = outcome(llm.LlmFinds({"LLM_USER_PATH": folder}).look)

        assert CANARY not in said
        assert path.read_bytes() == content
