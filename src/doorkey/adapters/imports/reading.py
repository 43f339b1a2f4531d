"""Reads a file that belongs to another program, without trusting what is in it."""

import base64
import json
import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from doorkey.errors import ImportRejected

LARGEST = 256 * 1024
LONGEST_LABEL = 200


class Foreign(NamedTuple):
    """A file's content, what is wrong with who may read it, and its mode."""

    content: bytes
    warning: str | None
    mode: int


def read(path: Path, *, follows: bool = True) -> Foreign | None:
    """Return a file as it is now, None where there is none; raise ImportRejected for anything but a small plain file.

    A link is followed where its own program `follows` it; what stands at its end is judged.
    """
    # Without O_NONBLOCK, a pipe of that name would be waited for.
    how = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follows else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, how)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ImportRejected(f"{path} is not a plain file.")
            content = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise ImportRejected(f"{path} is not a plain file.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is no name of a file"
        raise ImportRejected(f"{path} cannot be read: {reason}.") from None
    if len(content) > LARGEST:
        raise ImportRejected(f"{path} is larger than any file of this kind.")
    return Foreign(content, _warning(found.st_mode, path), found.st_mode)


def read_object(path: Path) -> tuple[Mapping[str, Any], str | None] | None:
    """Return a JSON object and the file's warning, None where there is no file; raise ImportRejected."""
    foreign = read(path)
    return None if foreign is None else (parse_object(foreign.content, path), foreign.warning)


def parse_object(content: bytes, path: Path) -> Mapping[str, Any]:
    """Read a JSON object; raise ImportRejected, without a word of the content, where it is none."""
    try:
        parsed = _loads(content)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ImportRejected(f"{path} is not whole, or not in the form that is known here.")
    return parsed


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object inside another; empty where there is none."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def text(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text, None where there is none."""
    value = body.get(name)
    return value.strip() or None if isinstance(value, str) else None


def label(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text that is only shown, no longer than a name can be."""
    return (text(body, name) or "")[:LONGEST_LABEL] or None


def moment(seconds: object) -> datetime | None:
    """Read a Unix time, None where it is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def claims_in(token: str | None) -> Mapping[str, Any]:
    """Read the claims of a JWT without checking its signature: good enough to show whose it is, and for no more."""
    pieces = (token or "").split(".")
    if len(pieces) != 3:
        return {}
    try:
        claims = _loads(base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _loads(content: bytes) -> object:
    """Read JSON; ValueError also for half a surrogate pair, which no database and no terminal takes."""
    parsed = json.loads(content)
    json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


def _warning(mode: int, path: Path) -> str | None:
    if not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    return f"Others on this computer may read it: `chmod 600 {path}` closes it."
