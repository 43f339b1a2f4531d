"""What a provider's list of models says: the shapes that there are, and which name is nearest to another."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from doorkey.domain.foreign import is_tame
from doorkey.errors import ProviderUnavailable

# Below this two names have no more in common than any two.
LIKE = 0.5
MOST_ROWS = 5000
LONGEST_NAME = 200
SWITCHED_OFF = "is switched off in the account's settings"
ELSEWHERE = "is served in a way that Doorkey does not speak with this account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list, in the provider's order; `refused` are named with the reason, `after` begins the next one."""

    names: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None


def read_page(body: bytes, *, prefix: str = "", endpoint: str | None = None) -> Page:
    """Read a page: `data` of ids, the plan routes' and Ollama's `models`; `prefix` is cut off every name (Google).

    `endpoint` is the one that we call, where a list tells for each model which it has (Copilot).

    Raises ProviderUnavailable for what is no list.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, list) and parsed:
        # Together sends the bare list.
        parsed = {"data": parsed}
    if not isinstance(parsed, dict):
        raise ProviderUnavailable("The model list could not be read.")
    rows = parsed.get("data") or parsed.get("models") or []
    named = [(name.removeprefix(prefix), row) for row in _objects(rows) if (name := _name(row))]
    shown = [(name, row) for name, row in named if _is_shown(row)]
    refused = {name: SWITCHED_OFF for name, row in shown if _is_off(row)}
    refused |= {name: ELSEWHERE for name, row in shown if endpoint and not _has(row, endpoint)}
    last, more = parsed.get("last_id"), parsed.get("has_more") is True
    return Page(
        names=tuple(dict.fromkeys(name for name, _ in shown if name not in refused)),
        refused=refused,
        # Anthropic sends pages.
        after=last if more and isinstance(last, str) and last and is_tame(last) else None,
    )


def nearest(wanted: str, names: Sequence[str]) -> str | None:
    """Return the name that is most like another; a router's `maker/model` is compared without its maker too."""
    rated = [(max(_likeness(wanted, name), _likeness(wanted, name.rpartition("/")[2])), name) for name in names]
    likeness, name = max(rated, key=lambda pair: pair[0], default=(0.0, ""))
    return name if likeness >= LIKE else None


def _likeness(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, one.lower(), other.lower()).ratio()


def _objects(rows: object) -> list[Mapping[str, Any]]:
    return [row for row in rows[:MOST_ROWS] if isinstance(row, dict)] if isinstance(rows, list) else []


def _name(row: Mapping[str, Any]) -> str | None:
    name = row.get("id") or row.get("slug") or row.get("name")
    return name if isinstance(name, str) and len(name) <= LONGEST_NAME and is_tame(name) else None


def _is_shown(row: Mapping[str, Any]) -> bool:
    """Whether a person should choose it: the plan routes hide some, others list what cannot chat or serves no more."""
    able = _object(row, "capabilities")
    hints = (
        row.get("visibility", "list") == "list",
        # Copilot.
        row.get("model_picker_enabled", True) is True,
        able.get("type", "chat") == "chat",
        # Mistral, Groq, Together.
        able.get("completion_chat") is not False,
        row.get("active") is not False,
        row.get("type") not in {"embedding", "image", "rerank", "moderation", "audio"},
    )
    return all(hints)


def _is_off(row: Mapping[str, Any]) -> bool:
    """Whether the account's owner has not allowed it (Copilot)."""
    return bool(_object(row, "policy").get("state") == "disabled")


def _has(row: Mapping[str, Any], endpoint: str) -> bool:
    """Whether a model is served there; older entries tell nothing, and are."""
    endpoints = row.get("supported_endpoints")
    return not isinstance(endpoints, list) or endpoint in endpoints


def _object(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = row.get(name)
    return value if isinstance(value, dict) else {}
