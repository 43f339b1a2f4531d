"""The master key in the operating system's keyring, which may be locked, absent, or silent for ever."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from secrets import token_bytes
from threading import Thread
from typing import Protocol, TypeVar

from doorkey.adapters.key_sources.source import KEY_SIZE, Lock, NewKey, decode, encode, nobody
from doorkey.errors import KeyUnreadable

SERVICE = "Doorkey vault"
# Long enough for a person to unlock it in a dialog.
PATIENCE = timedelta(seconds=30)
_ELSEWHERE = "Unlock the keyring of your desktop, or keep the key elsewhere: `doorkey key use file`."
_EXTRA = "Install it with `pip install 'doorkey[keyring]'`, or keep the key elsewhere: `doorkey key use file`."
Answer = TypeVar("Answer")


class Backend(Protocol):
    """What we use of a keyring; the names are those of the `keyring` package."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class KeyringKey:
    """Fill `KeySource` with one item for each key of each vault, so that no two installations share one.

    Every call is given up after `patience`. The key counts as kept when it has been read back.
    """

    name = "keyring"
    protects = (
        "A copy of the disk is not enough, nor is this computer while nobody is logged in. "
        "Programs that run as you can ask the keyring for it."
    )
    restore = "Unlock the keyring that holds the key, or open the vault with `doorkey key recover`."

    def __init__(self, backend: Callable[[], Backend] | None = None, *, patience: timedelta = PATIENCE) -> None:
        self._backend = backend or system_keyring
        self._patience = patience

    def read(self) -> None:
        """Wait to be chosen."""

    def find(self, lock: Lock) -> bytes | None:
        return self._key(lock)

    def create(self, vault: str) -> NewKey:
        key = token_bytes(KEY_SIZE)
        lock = Lock.of(vault, key)
        self._ask(lambda keyring: keyring.set_password(SERVICE, _item(lock), encode(key)))
        if self._key(lock) != key:
            raise KeyUnreadable("The keyring did not keep the key; nothing was changed.", hint=_ELSEWHERE)
        return NewKey(key)

    def drop(self, lock: Lock, unless: Callable[[bytes], bool] = nobody) -> None:
        if self._key(lock) is not None:
            self._ask(lambda keyring: keyring.delete_password(SERVICE, _item(lock)))

    def _key(self, lock: Lock) -> bytes | None:
        text = self._ask(lambda keyring: keyring.get_password(SERVICE, _item(lock)))
        if text is None:
            return None
        key = decode(text)
        if key is None:
            raise KeyUnreadable("The keyring's item holds no key.", hint=self.restore)
        return key

    def _ask(self, question: Callable[[Backend], Answer]) -> Answer:
        """Ask in a thread of its own, which is left behind where the keyring hangs."""
        answer: Future[Answer] = Future()
        Thread(target=_settle, args=(answer, lambda: question(self._backend())), daemon=True).start()
        try:
            return answer.result(self._patience.total_seconds())
        except KeyUnreadable:
            raise
        except TimeoutError as error:
            raise KeyUnreadable("The keyring does not answer.", hint=_ELSEWHERE) from error
        except Exception as error:
            # Each backend raises errors of its own; their texts may hold what was asked for.
            raise KeyUnreadable(f"The keyring refused ({type(error).__name__}).", hint=_ELSEWHERE) from error


def system_keyring() -> Backend:
    """Find the system's keyring; one that keeps passwords in plain files, or nowhere, is refused."""
    try:
        import keyring
    except ImportError as error:
        raise KeyUnreadable("Support for keyrings is not installed.", hint=_EXTRA) from error
    found = keyring.get_keyring()
    parts = getattr(found, "backends", [found])
    if not parts or not all(map(_is_sealed, parts)):
        raise KeyUnreadable("There is no system keyring here.", hint=_ELSEWHERE)
    return found


def _is_sealed(backend: object) -> bool:
    """Whether it is one of the desktop systems that the package itself supports."""
    package, _, name = type(backend).__module__.rpartition(".")
    return package.startswith("keyring.backends") and name not in {"fail", "null"}


def _settle(answer: Future[Answer], question: Callable[[], Answer]) -> None:
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001 - It is raised again where it was asked.
        answer.set_exception(error)


def _item(lock: Lock) -> str:
    return f"{lock.vault}/{lock.master.hex()}"
