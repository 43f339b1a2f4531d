"""Reading what is posted: strictly from a client, leniently from our own pages."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from doorkey.sandbox.clients import REGISTRATION_ID, Client, Dialect
from doorkey.sandbox.refusals import Refusal
from doorkey.sandbox.served import Exchange

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


async def page_form(request: Request) -> dict[str, str]:
    """Read a form of one of our pages."""
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))


async def read_fields(request: Request, allowed: tuple[str, ...]) -> dict[str, str]:
    """Read a flat body of an allowed type: every parameter once, nothing in the query (RFC 6749, 3.2)."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in allowed:
        raise Refusal("invalid_request", f"the body must be {' or '.join(allowed)}")
    if request.url.query:
        raise Refusal("invalid_request", "parameters belong into the body")
    try:
        pairs = _READERS[content_type]((await request.body()).decode())
    except ValueError:
        raise Refusal("invalid_request", "the body cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refusal("invalid_request", "a parameter is repeated")
    return fields


def public_client(exchange: Exchange, fields: dict[str, str], *dialects: Dialect) -> Client:
    """Find the client that names itself; all are public, so a secret is a mistake."""
    client_id = fields.get("client_id", "")
    exchange.note.client = client_id or None
    if "client_secret" in fields or "authorization" in exchange.request.headers:
        raise Refusal("invalid_client", "these clients are public and have no secret", status=401)
    client = exchange.world.client(client_id)
    if client is None or client.dialect not in dialects or client_id == REGISTRATION_ID:
        raise Refusal("invalid_client", "no such client at this endpoint", status=401)
    return client


def _form_pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))


def _json_pairs(text: str) -> list[tuple[str, str]]:
    # An object becomes a tuple of its pairs, so that a repeated name is not lost.
    pairs: Any = json.loads(text, object_pairs_hook=tuple)
    if not isinstance(pairs, tuple) or not all(isinstance(value, str) for _, value in pairs):
        raise ValueError("not a flat object of strings")
    return list(pairs)


_READERS: dict[str, Callable[[str], list[tuple[str, str]]]] = {FORM: _form_pairs, JSON: _json_pairs}
