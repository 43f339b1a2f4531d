"""Lay the person's config.toml over the built-in providers, field by field; a mistake costs only its own entry."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from doorkey.domain.network import UNREADABLE, USUAL, Network
from doorkey.domain.provider import LOOPBACK, Api, Kind, Method, Payer, Provider
from doorkey.providers import config_fields as fields
from doorkey.providers.config_fields import Read, Wrong
from doorkey.providers.config_lines import Path, line_of, lines_of

OBVIOUS_KINDS = {
    "oauth": Kind.AUTHORIZATION_CODE,
    "device": Kind.DEVICE_CODE,
    "api-key": Kind.API_KEY,
    "api_key": Kind.API_KEY,
    "none": Kind.NONE,
}
# The kinds that a person can add; a profile needs code that knows the vendor's tool.
NAMES = {
    Kind.AUTHORIZATION_CODE: "Sign in to {}",
    Kind.DEVICE_CODE: "Sign in to {} with a code",
    Kind.API_KEY: "API key",
    Kind.NONE: "No sign-in needed",
}
TABLES = ("api", "methods", "network")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The providers in force, the mistakes found (each with its line and key), and what stands at the top."""

    providers: tuple[Provider, ...]
    problems: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    key_command: str | None = None
    network: Network = USUAL


def merge(text: str, builtin: Sequence[Provider]) -> Merged:
    """Read the config over the built-in providers; never raises: what cannot be used becomes a problem."""
    try:
        config = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        return Merged(providers=tuple(builtin), problems=(_syntax_problem(text, error),))
    reading = _Reading(lines_of(text))
    keys = {"env_files": fields.texts, "key_command": fields.text}
    top = reading.values(config, keys, (), tables=("providers", "network"))
    known = {provider.id: provider for provider in builtin}
    for provider_id, entry, path in reading.tables(config.get("providers", {}), ("providers",)):
        before = known.get(provider_id)
        merged = _changed(reading, before, entry, path) if before else _new(reading, provider_id, entry, path)
        if merged:
            known[provider_id] = _reached(merged, _network(reading, entry, path))
    network = _network(reading, config, ())
    return Merged(providers=tuple(known.values()), problems=tuple(reading.problems), network=network, **top)


def _syntax_problem(text: str, error: Exception) -> str:
    """Tell where the file stops being TOML; everything in it is ignored then."""
    message = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "A value is too large or too deep"
    place = _PLACE.search(message)
    line = (place and place[1]) or text.rstrip().count("\n") + 1
    return f"config.toml line {line}: {_PLACE.sub('', message)}; nothing in the file is in force."


@dataclass(slots=True)
class _Reading:
    """The reading of one file, with the problems that it meets."""

    lines: Mapping[Path, int]
    problems: list[str] = field(default_factory=list)

    def problem(self, path: Path, why: str) -> None:
        # A key with odd characters is shown so that it cannot play tricks on a terminal.
        name = ".".join(key if _ID.fullmatch(key) else repr(key[:64]) for key in path)
        self.problems.append(f"config.toml line {line_of(self.lines, path)}, {name}: {why}.")

    def values(
        self, entry: Mapping[str, object], reads: Mapping[str, Read], path: Path, *, tables: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Read the entry's keys; those that cannot be read are left out and reported."""
        found: dict[str, Any] = {}
        for key in (key for key in entry if key not in tables):
            refuse = fields.unused if key in fields.ANY_METHOD else fields.unknown
            try:
                found[key] = reads.get(key, refuse)(entry[key])
            except Wrong as wrong:
                self.problem((*path, key), str(wrong))
        return found

    def tables(self, entry: object, path: Path) -> Iterator[tuple[str, Mapping[str, object], Path]]:
        """Walk the tables in a table, each with its id and path."""
        if not isinstance(entry, dict):
            self.problem(path, "must be a table")
            return
        for name, inner in entry.items():
            if not isinstance(inner, dict):
                self.problem((*path, name), "must be a table")
            elif not _ID.fullmatch(name):
                self.problem((*path, name), "must be named with letters, digits, dots and dashes")
            else:
                yield name, inner, (*path, name)

    def table(self, entry: Mapping[str, object], key: str, path: Path) -> Mapping[str, object]:
        """Return a table in a table, empty where it is absent or something else."""
        inner = entry.get(key, {})
        if isinstance(inner, dict):
            return inner
        self.problem((*path, key), "must be a table")
        return {}


def _network(reading: _Reading, entry: Mapping[str, object], path: Path) -> Network:
    given = reading.table(entry, "network", path)
    values = reading.values(given, fields.NETWORK, (*path, "network"))
    if "proxy" in given and "proxy" not in values:
        # Somebody meant one; until it is clear which, nothing goes out without it.
        values["proxy"] = UNREADABLE
    return Network(**values)


def _reached(provider: Provider, network: Network) -> Provider:
    """Give a provider, and each of its methods, its own network."""
    methods = tuple(replace(method, network=network) for method in provider.methods)
    return replace(provider, network=network, methods=methods)


def _changed(reading: _Reading, before: Provider, entry: Mapping[str, object], path: Path) -> Provider:
    """Lay an entry over a built-in provider."""
    own = reading.values(entry, {"name": fields.text}, path, tables=TABLES)
    api = replace(before.api, **reading.values(reading.table(entry, "api", path), fields.API, (*path, "api")))
    provider = replace(before, api=api, **own)
    return replace(provider, methods=_methods(reading, provider, entry, path))


def _new(reading: _Reading, provider_id: str, entry: Mapping[str, object], path: Path) -> Provider | None:
    """Make a provider of the person's own; None where it lacks what nobody can guess."""
    own = reading.values(entry, {"name": fields.text}, path, tables=TABLES)
    given = reading.table(entry, "api", path)
    values = reading.values(given, fields.API, (*path, "api"))
    for key in ("base_url", "dialect"):
        if key not in given:
            reading.problem((*path, "api", key), "is missing, so the provider is left out")
    if not {"base_url", "dialect"} <= values.keys():
        return None
    name = own.get("name", provider_id)
    provider = Provider(id=provider_id, name=name, api=Api(**values), methods=(), builtin=False)
    methods = _methods(reading, provider, entry, path)
    if not methods and "methods" not in entry:
        kind_id = "api-key" if provider.api.env else "none"
        methods = (_plain_method(provider, kind_id, OBVIOUS_KINDS[kind_id]),)
    return replace(provider, methods=methods) if methods else None


def _methods(reading: _Reading, provider: Provider, entry: Mapping[str, object], path: Path) -> tuple[Method, ...]:
    known = {method.id: method for method in provider.methods}
    for method_id, inner, place in reading.tables(entry.get("methods", {}), (*path, "methods")):
        before = known.get(method_id) or _started(reading, provider, method_id, inner, place)
        if before:
            known[method_id] = _method(reading, provider, before, inner, place)
    return tuple(known.values())


def _started(
    reading: _Reading, provider: Provider, method_id: str, entry: Mapping[str, object], path: Path
) -> Method | None:
    """Begin a method of the person's own: its kind is given, or obvious from its id."""
    given = entry.get("kind", OBVIOUS_KINDS.get(method_id))
    if isinstance(given, str) and given in NAMES:
        return _plain_method(provider, method_id, Kind(given))
    reading.problem((*path, "kind"), f"must be one of {', '.join(NAMES)}, so the method is left out")
    return None


def _plain_method(provider: Provider, method_id: str, kind: Kind) -> Method:
    return Method(id=method_id, kind=kind, name=NAMES[kind].format(provider.name), payer=_payer(provider.api, kind))


def _payer(api: Api, kind: Kind) -> Payer:
    """Nobody pays for a server on this machine that wants no key."""
    here = urlsplit(api.base_url).hostname in LOOPBACK
    return Payer.LOCAL if here and kind is Kind.NONE else Payer.METERED


def _method(reading: _Reading, provider: Provider, before: Method, entry: Mapping[str, object], path: Path) -> Method:
    """Lay an entry over a method; its kind and its policy stay what they are."""
    values = reading.values(entry, fields.METHOD[before.kind], path, tables=("api",))
    if values.pop("kind", before.kind) != before.kind:
        reading.problem((*path, "kind"), "cannot be changed for a built-in method")
    if "enabled" in entry and "enabled" not in values:
        # Somebody meant to switch it; until it is clear which way, it stays off.
        values["enabled"] = False
    if (host := values.pop("enterprise_host", None)) and before.enterprise:
        before = _at_host(provider, before, host)
    elif host:
        reading.problem((*path, "enterprise_host"), "is not used by this method")
    if "api" in entry:
        given = reading.values(reading.table(entry, "api", path), fields.API, (*path, "api"))
        values["api"] = replace(provider.api_for(before), **given)
    method = replace(before, **values)
    if "payer" in values or provider.method(method.id):
        return method
    return replace(method, payer=_payer(provider.api_for(method), method.kind))


def _at_host(provider: Provider, method: Method, host: str) -> Method:
    """Move a method's addresses to a company's own host."""
    addresses = {name: address.format(host=host) for name, address in method.enterprise.items()}
    api = replace(provider.api_for(method), base_url=addresses.pop("base_url"))
    return replace(method, api=api, **addresses)  # type: ignore[arg-type]  # Each names a text.
