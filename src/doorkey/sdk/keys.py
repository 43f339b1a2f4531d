"""A vault in a `with` block: token sources, accounts, and variables for programs that only read those."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any, Self

from doorkey.bootstrap import House, open_house
from doorkey.domain.account import State
from doorkey.domain.provider import Dialect, Kind
from doorkey.domain.tokens import LONGEST_MARGIN
from doorkey.errors import Misconfigured
from doorkey.service.async_source import AsyncTokenSource
from doorkey.service.resolve import Choice, Wish
from doorkey.service.token_source import Source

_environ_lock = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """An account as `doorkey accounts --json` shows it; times are ISO 8601 in UTC, unknown values None."""

    id: str
    provider: str
    method: str
    state: State
    payer: str
    source: str
    default: bool
    selected: str | None = None
    name: str | None = None
    identity: str | None = None
    plan: str | None = None
    workspace: str | None = None
    until: str | None = None
    expires_at: str | None = None
    last_proof: Mapping[str, str] | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self:
        """Take what this class knows out of an entry of the listing."""
        known = {field.name: entry[field.name] for field in fields(cls)}
        return cls(**known | {"state": State(entry["state"])})


class Keys:
    """The accounts of one vault, for the program that embeds us.

    Every method raises subclasses of `doorkey.DoorkeyError`. An account whose terms keep it to Doorkey's own chat is
    refused here (PolicyRefused).
    """

    def __init__(self, house: House) -> None:
        self._house = house

    def token_source(self, provider: str, *, account: str | None = None) -> Source:
        """Return the source of an account, by default the provider's; `.get()` and `.renew(rejected)` give a Secret."""
        return self._house.services.sources.of(self.choose(provider, account=account))

    def accounts(self) -> list[AccountStatus]:
        """Return every account with its state; `selected` is the rule by which it serves in this folder."""
        here = str(self._house.here)
        return [AccountStatus.of(entry) for entry in self._house.services.listing.accounts(here)]

    def environ_for(self, provider: str, *, account: str | None = None) -> dict[str, str]:
        """Return the variables for a child process; the token in them is not renewed any more, so a stale one is."""
        choice = self.choose(provider, account=account)
        return {variable(choice): self._house.services.sources.of(choice).get(LONGEST_MARGIN).reveal()}

    def environ(self, provider: str, *, account: str | None = None) -> AbstractContextManager[None]:
        """Set the variables in this process and restore them at the end of the block.

        Raises Misconfigured when another such block is open: two at once would overwrite each other's account.
        """
        return _environ(self.environ_for(provider, account=account))

    def choose(self, provider: str, *, account: str | None = None) -> Choice:
        """Return what would serve; the account asked for, else DOORKEY_ACCOUNT, else by the usual order."""
        preferred = os.environ.get("DOORKEY_ACCOUNT")
        return self._house.services.resolver.choose(
            Wish(provider=provider, account=account, preferred=preferred, outside=True)
        )


class AsyncKeys:
    """The same for asyncio: the same names, awaited."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._keys = Keys(house)

    async def token_source(self, provider: str, *, account: str | None = None) -> AsyncTokenSource:
        """Return the source of one account, whose `get` and `renew` are awaited."""
        choice = await asyncio.to_thread(self._keys.choose, provider, account=account)
        return self._house.services.sources.async_of(choice)

    async def accounts(self) -> list[AccountStatus]:
        """Return every account with its state."""
        return await asyncio.to_thread(self._keys.accounts)

    async def environ_for(self, provider: str, *, account: str | None = None) -> dict[str, str]:
        """Return the variables for a child process."""
        return await asyncio.to_thread(self._keys.environ_for, provider, account=account)


def variable(choice: Choice) -> str:
    """Name the variable that programs read this credential from; never one that names an address."""
    if choice.method.kind is not Kind.API_KEY and choice.provider.api_for(choice.method).dialect is (
        Dialect.ANTHROPIC_MESSAGES
    ):
        return "ANTHROPIC_AUTH_TOKEN"
    names = choice.provider.api.env
    if not names:
        raise Misconfigured(
            f"{choice.provider.name} has no variable that programs read its key from.",
            hint=f"Name one under [providers.{choice.provider.id}.api] env in config.toml.",
        )
    return names[0]


@contextmanager
def _environ(variables: Mapping[str, str]) -> Iterator[None]:
    if not _environ_lock.acquire(blocking=False):
        raise Misconfigured("Another block has set the variables of this process.", hint="Use `environ_for` instead.")
    try:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
    finally:
        _environ_lock.release()


@contextmanager
def open(**options: Any) -> Iterator[Keys]:
    """Open the vault for a `with` block; `environ` and `here` stand in for the process's own."""
    with open_house(**options) as house:
        yield Keys(house)


@asynccontextmanager
async def open_async(**options: Any) -> AsyncIterator[AsyncKeys]:
    """Open the vault for an `async with` block."""
    house = await asyncio.to_thread(open_house, **options)
    try:
        yield AsyncKeys(house)
    finally:
        await asyncio.to_thread(house.close)
