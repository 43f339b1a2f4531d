"""Acme, whose servers the practice provider plays: people who approve there, and accounts that are there already."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2

from doorkey.bootstrap import House
from doorkey.domain.account import Account, Held, Origins
from doorkey.domain.provider import origin
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.testing.values import an_account, an_identity

HOUR = timedelta(hours=1)

CONFIG = """
[providers.acme]
name = "Acme"
[providers.acme.api]
base_url = "{url}/v1"
dialect = "openai-chat"
env = "ACME_API_KEY"
[providers.acme.methods.oauth]
kind = "authorization_code"
client_id = "doorkey"
issuer = "{url}"
authorize_url = "{url}/authorize"
token_url = "{url}/token"
revoke_url = "{url}/revoke"
scopes = ["openid", "profile", "email", "offline_access", "models"]
[providers.acme.methods.api-key]
kind = "api_key"
"""


@dataclass
class Browser:
    """Fill `ports.Browser`: opens nothing, remembers what it was asked to open, or has somebody approve it at once."""

    approves: bool = False
    opened: list[str] = field(default_factory=list)

    def open(self, url: str) -> bool:
        self.opened.append(url)
        if self.approves:
            httpx2.get(approve(url))
        return True


def approve(url: str, *, decision: str = "allow") -> str:
    """Sign in as Ada at the practice provider, decide, and return the address that the browser is sent to."""
    parts = urlsplit(url)
    with httpx2.Client(base_url=f"{parts.scheme}://{parts.netloc}") as http:
        path = http.get(url).headers["location"]
        http.post(path, data={"person": "practice-ada"})
        return str(http.post(path, data={"plan_use": "on", "decision": decision}).headers["location"])


def keep(
    house: House, *, token: str = "access-one", lasts: timedelta | None = timedelta(hours=1), **changes: Any
) -> Account:
    """Put an account at Acme into the vault."""
    now = datetime.now(UTC)
    expires_at = now + lasts if lasts else None
    provider = house.catalog.provider("acme")
    origins = Origins(api=origin(provider.api.base_url))
    fields = {"provider": "acme", "origins": origins, "created_at": now, "expires_at": expires_at, "renews": False}
    account = an_account(**(fields | changes))
    tokens = Tokens(access=Secret(token), issued_at=now, expires_at=expires_at)
    assert house.vault.accounts.save(Held(account, tokens), read=None)
    return account


def somebody(name: str) -> dict[str, Any]:
    """Make the parts of an account that tell it apart from another."""
    return {"identity": replace(an_identity(), subject=name, email=f"{name}@example.com")}
