"""This computer, and what Doorkey has on it: what `doorkey doctor` can tell without asking the vault or the network."""

import os
import platform
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from doorkey.adapters.instance import is_running
from doorkey.adapters.loopback import ports as loopback
from doorkey.adapters.paths import Folders
from doorkey.domain.provider import Kind, Method, Provider
from doorkey.errors import DoorkeyError
from doorkey.service.checkup import Finding, fault

DATABASES = ("vault.db", "app.db")


def versions() -> Iterator[Finding]:
    """Name what runs here."""
    import sqlite3
    import ssl
    from importlib.metadata import version

    system = f"{platform.system()} {platform.machine()}"
    yield Finding(check="version", text=f"Doorkey {version('doorkey')}, Python {platform.python_version()}, {system}")
    libraries = f"{ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}, httpx2 {version('httpx2')}"
    yield Finding(check="libraries", text=libraries)


def folders(places: Folders) -> Iterator[Finding]:
    """See that nobody else on this computer can look into the folders and the databases, and that we can write."""
    yield from _folder("data", places.data, [places.data / name for name in DATABASES])
    if places.config == places.data:
        yield Finding(check="config", text="in the same folder")
    else:
        yield from _folder("config", places.config, [])


def _folder(check: str, folder: Path, files: list[Path]) -> Iterator[Finding]:
    if not folder.is_dir():
        yield fault(check, f"{folder} is not there", f"mkdir -p -m 700 {folder}")
        return
    for path in (folder, *filter(Path.exists, files)):
        if others := stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield fault(check, f"{path} is open to others ({others:03o})", _close(path))
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fault(check, f"{folder} cannot be written", f"chmod 700 {folder}")
    yield Finding(check=check, text=f"{folder} ({stat.S_IMODE(folder.stat().st_mode):03o})")


def kind_of_databases(environ: Mapping[str, str]) -> str:
    """Say what the databases are and at which level; opening them has brought them there."""
    from doorkey.adapters.store import schema
    from doorkey.adapters.store.databases import VARIABLE

    url = environ.get(VARIABLE)
    levels = f"vault at level {len(schema.VAULT.scripts())}, app at level {len(schema.APP.scripts())}"
    if not url:
        return f"SQLite, {levels}"
    # The two dialects are numbered alike. The rest of the address is nobody's business.
    host = urlsplit(url).hostname
    return f"PostgreSQL{f' at {host}' if host else ''}, {levels}"


def app(places: Folders) -> Iterator[Finding]:
    """Say whether the app runs over this vault, and whether its usual port is free where it does not."""
    from doorkey.adapters.serving import DEFAULT_PORT

    if is_running(places.data):
        yield Finding(check="app", text="running")
    elif _is_free("127.0.0.1", DEFAULT_PORT):
        yield Finding(check="app", text=f"not running; port {DEFAULT_PORT} is free")
    else:
        yield Finding(check="app", text=f"not running; port {DEFAULT_PORT} is in use, so it would take the next one")


def ports(providers: Iterable[Provider]) -> Iterator[Finding]:
    """See that a sign-in finds one of the ports that are registered for it free, in every family of its host."""
    for provider in providers:
        for method in provider.methods:
            registered = _registered(method)
            if not registered:
                continue
            host = urlsplit(method.redirect).hostname or ""
            free = [port for port in registered if _is_free(host, port)]
            taken = [port for port in registered if port not in free]
            whose = f"{provider.id} {method.id}"
            if free:
                yield Finding(check="ports", text=f"{whose}: {_listed(free)} free{_also_taken(taken)}")
            else:
                fix = f"Close the program that holds it (`lsof -i :{taken[0]}` names it), or sign in with --paste."
                yield fault("ports", f"{whose}: {_listed(taken)} in use", fix)


def _registered(method: Method) -> list[int]:
    """Return the ports that a sign-in must have, none where any will do."""
    if method.kind is not Kind.AUTHORIZATION_CODE or not method.enabled:
        return []
    port = urlsplit(method.redirect).port
    return [port, *method.fallback_ports] if port else []


def _is_free(host: str, port: int) -> bool:
    try:
        held = loopback.bind(host, [port])
    except DoorkeyError:
        return False
    for listening in held:
        listening.close()
    return True


def _listed(numbers: list[int]) -> str:
    names = " and ".join(map(str, numbers))
    return f"port {names} is" if len(numbers) == 1 else f"ports {names} are"


def _also_taken(numbers: list[int]) -> str:
    return f"; {_listed(numbers)} in use" if numbers else ""


def _close(path: Path) -> str:
    return f"chmod {'700' if path.is_dir() else '600'} {path}"
