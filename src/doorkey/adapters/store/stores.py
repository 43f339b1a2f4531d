"""What an opened database offers: the ports, side by side."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from doorkey.ports import Accounts, Attempts, Choices, Cipher, KeyRing, Leases
from doorkey.service.services import ChatStores


class KeyedCipher(Cipher, Protocol):
    """A cipher whose key may be missing or wrong."""

    def check(self) -> None:
        """Raise KeyUnreadable when sealed values cannot be opened; makes nothing, not even in an empty vault."""
        ...


def _on_this_machine(_: str) -> bool:
    return False


def _nothing() -> None:
    """Leave everything where it is: there is one place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """The accounts and every secret; use nothing of it after `close`.

    `is_shared` says of an account's id whether it is kept where other machines see it; `settle` moves what is kept in
    the wrong place, once the key is at hand.
    """

    accounts: Accounts
    leases: Leases
    attempts: Attempts
    choices: Choices
    cipher: KeyedCipher
    keys: KeyRing
    close: Callable[[], None]
    is_shared: Callable[[str], bool] = _on_this_machine
    settle: Callable[[], None] = _nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStore(ChatStores):
    """The chats and what the page remembers, in clear text; use nothing of it after `close`."""

    close: Callable[[], None]
