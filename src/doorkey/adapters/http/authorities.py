"""Whose certificates we believe: this machine's store, and what the person adds to it. Nothing switches this off."""

import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from doorkey.errors import ProviderUnavailable

if TYPE_CHECKING:
    import ssl

CONFIG = "ca_bundle in config.toml"
# What other tools add to the store; each is passed over where it cannot be read, because it was not meant for us.
HABITS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class Source(NamedTuple):
    """A file or folder of certificates, and who named it."""

    path: Path
    why: str


class Authorities:
    """Make a context for each bundle once: reading the store takes longer than everything else on the way."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._lock = Lock()
        self._made: dict[object, ssl.SSLContext] = {}

    def context(self, ca_bundle: str | None) -> "ssl.SSLContext":
        """Return the context for a bundle of the config. Raises ProviderUnavailable for what cannot be read."""
        extra = self._extra(ca_bundle)
        sources = [*self._store(), *([extra] if extra else [])]
        key = tuple((source, _stamp(source.path)) for source in sources)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(sources)
            return self._made[key]

    def describe(self, ca_bundle: str | None) -> str:
        """Say who is believed. Raises as `context` does."""
        self.context(ca_bundle)
        store = " and ".join(f"{source.path} ({source.why})" for source in self._store()) or "this computer's store"
        extra = self._extra(ca_bundle)
        return f"{store}, and {extra.path} ({extra.why})" if extra else store

    def _make(self, sources: list[Source]) -> "ssl.SSLContext":
        import ssl

        import httpx2

        named = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self._store() else None
        context = named or httpx2.create_ssl_context(trust_env=False)
        for source in sources:
            _load(context, source)
        return context

    def _store(self) -> list[Source]:
        """Return what stands in place of the store, as OpenSSL has it; nothing where the store itself is used."""
        named = ((name, self._environ.get(name)) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return [Source(Path(path), name) for name, path in named if path]

    def _extra(self, ca_bundle: str | None) -> Source | None:
        if ca_bundle:
            return Source(self._folder / Path(ca_bundle).expanduser(), CONFIG)
        habits = ((name, self._environ.get(name)) for name in HABITS)
        found = (Source(Path(path), name) for name, path in habits if path)
        known = {source.path for source in self._store()}
        return next((source for source in found if source.path not in known and os.access(source.path, os.R_OK)), None)


def _load(context: "ssl.SSLContext", source: Source) -> None:
    is_folder = source.why == "SSL_CERT_DIR" or source.path.is_dir()
    try:
        # OpenSSL takes a folder that is not there for an empty one; several may stand in one variable.
        if is_folder and not source.path.is_dir() and os.pathsep not in str(source.path):
            raise FileNotFoundError
        context.load_verify_locations(**{"capath" if is_folder else "cafile": str(source.path)})
    except OSError as error:
        hint = f"Check {source.why}: it must name a file of certificates (PEM)."
        raise ProviderUnavailable(f"The certificates in {source.path} cannot be read.", hint=hint) from error


def _stamp(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None
