"""Model servers on this machine: found on their usual ports by what only they answer, and never sent a credential."""

from collections.abc import Callable, Mapping
from typing import Any

from doorkey.domain.policy import Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider, Signature

NONE = Method(
    id="none",
    kind=Kind.NONE,
    name="No sign-in needed",
    payer=Payer.LOCAL,
    policy=Policy(verdict=Verdict.ALLOWED, note="It runs on this computer; nothing leaves it, and nobody is billed."),
)


def _rows(answer: Any, name: str) -> list[Mapping[str, Any]] | None:
    """Return the list under a name, where it is one of objects."""
    rows = answer.get(name) if isinstance(answer, dict) else None
    return rows if isinstance(rows, list) and all(isinstance(row, dict) for row in rows) else None


def _is_ollama(answer: Any) -> bool:
    """Whether this is Ollama's own list; on a fresh machine it is empty."""
    rows = _rows(answer, "models")
    return rows is not None and set(answer) == {"models"} and all("digest" in row for row in rows)


def _is_lm_studio(answer: Any) -> bool:
    """Whether this is the list of LM Studio's own interface, which tells of each model whether it is loaded."""
    return all("compatibility_type" in row for row in _rows(answer, "data") or [{}])


def _owned_by(owner: str) -> Callable[[Any], bool]:
    def is_own(answer: Any) -> bool:
        return all(row.get("owned_by") == owner for row in _rows(answer, "data") or [{}])

    return is_own


def _server(provider_id: str, name: str, port: int, signature: Signature) -> Provider:
    return Provider(
        id=provider_id,
        name=name,
        api=Api(base_url=f"http://127.0.0.1:{port}/v1", dialect=Dialect.OPENAI_CHAT),
        methods=(NONE,),
        signature=signature,
    )


OLLAMA = _server(
    "ollama", "Ollama", 11434, Signature(path="/api/tags", is_own=_is_ollama, start="Start it with `ollama serve`")
)
LMSTUDIO = _server(
    "lmstudio",
    "LM Studio",
    1234,
    Signature(path="/api/v0/models", is_own=_is_lm_studio, start="Start its server, with `lms server start`"),
)
LLAMACPP = _server(
    "llamacpp",
    "llama.cpp",
    8080,
    Signature(path="/v1/models", is_own=_owned_by("llamacpp"), start="Start it with `llama-server -m MODEL`"),
)
VLLM = _server(
    "vllm",
    "vLLM",
    8000,
    Signature(path="/v1/models", is_own=_owned_by("vllm"), start="Start it with `vllm serve MODEL`"),
)
LOCAL: tuple[Provider, ...] = (OLLAMA, LMSTUDIO, LLAMACPP, VLLM)
