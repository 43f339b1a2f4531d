"""What each key of a provider's entry in config.toml may hold, and how it is read."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NoReturn
from urllib.parse import urlsplit

from doorkey.domain.network import DIRECT
from doorkey.domain.provider import DeviceDialect, Dialect, Grant, Kind, Payer, is_safe
from doorkey.domain.secret import Secret
from doorkey.providers.usage_pages import PAGES

PROXY_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
LONGEST_TEXT = 2048
LONGEST_LIFE = 3660
_HOST = re.compile(r"(?i)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Wrong(ValueError):
    """A value that cannot be used; the message continues `KEY: …` and never repeats the value."""


def text(value: object) -> str:
    """Take a text of one line that is not empty."""
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or not value.isprintable():
        raise Wrong("must be a text of one line, not empty")
    return value.strip()


def flag(value: object) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise Wrong("must be true or false, without quotes")
    return value


def texts(value: object) -> tuple[str, ...]:
    """Take a list of texts."""
    if not isinstance(value, list):
        raise Wrong("must be a list of texts")
    return tuple(text(item) for item in value)


def pairs(value: object) -> Mapping[str, str]:
    """Take a table of texts."""
    if not isinstance(value, dict):
        raise Wrong("must be a table of texts")
    return {text(name): text(item) for name, item in value.items()}


def address(value: object) -> str:
    """Take a URL that secrets may travel to."""
    url = text(value)
    if not _is_plain(url):
        raise Wrong("must be a plain address, without user, password or fragment")
    if not is_safe(url):
        raise Wrong("must be an https address (http only towards this machine)")
    return url


def proxy(value: object) -> Secret:
    """Take the address of a proxy, perhaps with a password in it, or the word for none."""
    url = text(value)
    if url != DIRECT and not _is_proxy(url):
        raise Wrong(f'must be the http:// or https:// address of a proxy, or "{DIRECT}"')
    return Secret(url)


def host(value: object) -> str:
    """Take the name of a host, without anything around it."""
    name = text(value)
    if not _HOST.fullmatch(name):
        raise Wrong("must be the name of a host, like company.ghe.com")
    return name.lower()


def loopback(value: object) -> str:
    """Take a redirect address on this machine."""
    url = address(value)
    if urlsplit(url).scheme != "http" or urlsplit(url).query:
        raise Wrong("must be a plain http address on this machine, like http://127.0.0.1:0/callback")
    return url


def days(value: object) -> int:
    """Take a number of days."""
    if type(value) is not int or not 0 < value <= LONGEST_LIFE:
        raise Wrong(f"must be a number of days, at most {LONGEST_LIFE}")
    return value


def ports(value: object) -> tuple[int, ...]:
    """Take a list of port numbers."""
    if not isinstance(value, list) or not all(type(port) is int and 0 < port < 65536 for port in value):
        raise Wrong("must be a list of port numbers")
    return tuple(value)


def variables(value: object) -> tuple[str, ...]:
    """Take one name of an environment variable, or a list of them; none of our own, they are not keys."""
    names = texts([value] if isinstance(value, str) else value)
    if not all(_VARIABLE.fullmatch(name) for name in names):
        raise Wrong("must be the name of an environment variable, or a list of names")
    if any(name.upper().startswith("DOORKEY_") for name in names):
        raise Wrong("must not name a variable of Doorkey's own")
    return names


def one_of(choices: type[StrEnum] | tuple[str, ...]) -> Callable[[object], str]:
    """Take one of these words."""

    def read(value: object) -> str:
        for choice in choices:
            if value == choice:
                return choice
        raise Wrong(f"must be one of {', '.join(choices)}")

    return read


def unknown(_: object) -> NoReturn:
    """Take nothing: no method has such a key."""
    raise Wrong("is not a known key")


def unused(_: object) -> NoReturn:
    """Take nothing: only other kinds of method have this key."""
    raise Wrong("is not used by this kind of method")


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # Raises where it is no port number.
    except ValueError:
        return False
    return not (parts.username or parts.password or parts.fragment or " " in url)


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in PROXY_SCHEMES and bool(parts.hostname) and " " not in url


Read = Callable[[object], Any]

_BODY = one_of(("form", "json"))

NETWORK: Mapping[str, Read] = {"proxy": proxy, "ca_bundle": text}

API: Mapping[str, Read] = {"base_url": address, "dialect": one_of(Dialect), "env": variables}

# What every kind of method takes, then what only some take.
_COMMON: Mapping[str, Read] = {
    "kind": one_of(Kind),
    "name": text,
    "enabled": flag,
    "payer": one_of(Payer),
    "allow_outside_app": flag,
    "manage_url": address,
    "usage": one_of(tuple(PAGES)),
}
_OAUTH: Mapping[str, Read] = {
    "client_id": text,
    "issuer": address,
    "token_url": address,
    "revoke_url": address,
    "jwks_url": address,
    "device_url": address,
    "device_dialect": one_of(DeviceDialect),
    "userinfo_url": address,
    "enterprise_host": host,
    "scopes": texts,
    "resource": address,
    "token_body": _BODY,
    "refresh_body": _BODY,
    "revoke_body": _BODY,
    "plan_scope": text,
    "refresh_days": days,
}
_REDIRECTED: Mapping[str, Read] = {
    "authorize_url": address,
    "redirect": loopback,
    "fallback_ports": ports,
    "paste_redirect": address,
    "authorize_extra": pairs,
    "state_in_token_body": flag,
    "iss_always_sent": flag,
    "registers": flag,
    "grant": one_of(Grant),
}
METHOD: Mapping[Kind, Mapping[str, Read]] = {
    Kind.AUTHORIZATION_CODE: {**_COMMON, **_OAUTH, **_REDIRECTED},
    Kind.DEVICE_CODE: {**_COMMON, **_OAUTH},
    Kind.API_KEY: _COMMON,
    Kind.PROFILE: _COMMON,
    Kind.NONE: _COMMON,
}
ANY_METHOD = METHOD[Kind.AUTHORIZATION_CODE]
