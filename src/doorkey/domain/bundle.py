"""What moves from one vault to another: accounts with their tokens, and the choices that belong to them, as JSON."""

import json
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from doorkey.domain.account import Held
from doorkey.domain.secret import Secret

LARGEST_NUMBER = 1 << 53

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Accounts on their way: `defaults` names an account's id by provider, `consents` a yes's time by its name."""

    made_at: datetime
    accounts: tuple[Held, ...]
    defaults: dict[str, str]
    consents: dict[str, str]


def pack(bundle: Bundle) -> bytes:
    """Write a bundle as JSON, with every secret in clear: it is to be sealed at once."""
    return json.dumps(_plain(bundle)).encode()


def unpack(packed: bytes) -> Bundle:
    """Read a bundle; raises ValueError for anything that `pack` of this version would not write."""
    try:
        bundle: Bundle = _read(Bundle, json.loads(packed))
    except (TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError("This is no bundle of accounts.") from error
    return bundle


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _read(kind: Any, plain: Any) -> Any:
    """Make a value of a type from its JSON: each field by its annotation, and nothing that has none."""
    if isinstance(kind, UnionType):
        wanted, _ = get_args(kind)  # Ours are all `X | None`.
        return None if plain is None else _read(wanted, plain)
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], each) for each in _of(list, plain))
    if get_origin(kind) is dict:
        return {_text(name): _text(each) for name, each in _of(dict, plain).items()}
    if not is_dataclass(kind):
        return _read_single(kind, plain)
    make: Any = kind
    kinds = get_type_hints(kind)
    return make(**{name: _read(kinds[name], each) for name, each in _of(dict, plain).items()})


def _read_single(kind: Any, plain: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(_text(plain))
        if moment.tzinfo is None:
            raise ValueError("A time without its zone could be any.")
        return moment.astimezone(UTC)
    if kind is Secret or issubclass(kind, Enum):
        return kind(_text(plain))
    if kind is int and not 0 <= _of(int, plain) < LARGEST_NUMBER:
        raise ValueError("No number of ours is negative, or as large.")
    return _text(plain) if kind is str else _of(kind, plain)


def _of(kind: type[Value], plain: Any) -> Value:
    if type(plain) is not kind:  # True would pass for an int.
        raise TypeError(f"A {kind.__name__} was to be here.")
    return plain


def _text(plain: Any) -> str:
    _of(str, plain).encode()  # Half a surrogate pair is a ValueError here, and would be one in the store.
    return str(plain)
