"""Open the databases that the environment names: PostgreSQL under `DOORKEY_DATABASE_URL`, else the two files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from doorkey.adapters.key_sources.source import KeySource
from doorkey.adapters.store import sqlite
from doorkey.adapters.store.relocation import Terms
from doorkey.adapters.store.split import split
from doorkey.adapters.store.stores import AppStore, Vault
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured

VARIABLE = "DOORKEY_DATABASE_URL"


def open_vault(environ: Mapping[str, str], folder: Path, key: Sequence[KeySource], terms: Terms) -> Vault:
    """Open the vault; beside one on another machine a local one, for what must stay here.

    Raises Misconfigured for a URL that is none or a driver that is missing, VaultDamaged, StorageFull and StoreBusy.
    """
    url = environ.get(VARIABLE)
    if not url:
        return sqlite.open_vault(folder, key)
    with _driver_needed():
        from doorkey.adapters.store import postgres
    shared, is_local = postgres.open_vault(Secret(url), key)
    if is_local:
        return shared
    try:
        return split(shared, sqlite.open_vault(folder, key), terms)
    except BaseException:
        shared.close()
        raise


def open_app(environ: Mapping[str, str], folder: Path) -> AppStore:
    """Open the chats. Raises as `open_vault` does."""
    url = environ.get(VARIABLE)
    if not url:
        return sqlite.open_app(folder)
    with _driver_needed():
        from doorkey.adapters.store import postgres
    return postgres.open_app(Secret(url))


@contextmanager
def _driver_needed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"{VARIABLE} is set, and the PostgreSQL driver is not installed.",
            hint='Install it with: pip install "doorkey[postgres]"',
        ) from error
