"""One door key for every model provider: sign in with the accounts that you already have.

    import doorkey

    with doorkey.open() as keys:
        token = keys.token_source("openai").get()

Every name here is loaded when it is first used (PEP 562), so `import doorkey` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey import sdk
    from doorkey.domain.account import State
    from doorkey.domain.secret import Secret
    from doorkey.errors import DoorkeyError
    from doorkey.sdk.keys import AccountStatus, AsyncKeys, Keys, open, open_async

__version__ = "0.1.0"

_HOMES = {
    "AccountStatus": "doorkey.sdk.keys",
    "AsyncKeys": "doorkey.sdk.keys",
    "DoorkeyError": "doorkey.errors",
    "Keys": "doorkey.sdk.keys",
    "Secret": "doorkey.domain.secret",
    "State": "doorkey.domain.account",
    "open": "doorkey.sdk.keys",
    "open_async": "doorkey.sdk.keys",
}

__all__ = [
    "AccountStatus",
    "AsyncKeys",
    "DoorkeyError",
    "Keys",
    "Secret",
    "State",
    "open",
    "open_async",
    "sdk",
]


def __getattr__(name: str) -> Any:
    if name == "sdk":
        return import_module("doorkey.sdk")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'doorkey' has no attribute {name!r}")
