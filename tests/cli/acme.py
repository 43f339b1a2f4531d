"""Acme, whose servers the practice provider plays: people who approve there, and accounts that are there already."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from doorkey.bootstrap import House
from doorkey.domain.account import Account, Held, Origins
from doorkey.domain.provider import origin
from doorkey.domain.secret import Secret
from doorkey.domain.tokens import Tokens
from doorkey.testing.practice import approve
from doorkey.testing.values import an_account, an_identity

HOUR = timedelta(hours=1)


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
