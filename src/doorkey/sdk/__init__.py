"""For other programs: the clients that they use, over a vault; each part is loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.sdk import anthropic, keys, openai, pydantic_ai

__all__ = ["anthropic", "keys", "openai", "pydantic_ai"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"doorkey.sdk.{name}")
    raise AttributeError(f"module 'doorkey.sdk' has no attribute {name!r}")
