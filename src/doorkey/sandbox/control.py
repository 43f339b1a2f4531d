"""What people and tests steer the sandbox with: the home page, keys, faults, the log."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from doorkey.sandbox.bodies import page_form
from doorkey.sandbox.faults import KINDS, Faults
from doorkey.sandbox.pages import page
from doorkey.sandbox.people import PEOPLE
from doorkey.sandbox.world import world_of

_FAULT_FIELDS: dict[str, type | tuple[type, ...]] = {
    "kind": str,
    "times": int,
    "endpoint": str,
    "seconds": (int, float),
    "chunks": int,
}


async def home(request: Request) -> Response:
    """Explain the sandbox, offer the faults and show what was served last."""
    world = world_of(request)
    values = {
        "base_url": world.base_url,
        "people": PEOPLE,
        "kinds": KINDS,
        "waiting": world.faults.waiting(),
        "notes": world.log.notes[-12:][::-1],
    }
    return page("home.html", values)


async def press_fault(request: Request) -> Response:
    """Take a press on one of the home page's fault buttons; `clear` forgets all that wait."""
    fields = await page_form(request)
    world = world_of(request)
    if "clear" in fields:
        world.faults.clear()
    elif fields.get("kind") in KINDS:
        world.faults.add(fields["kind"])
    return RedirectResponse("/#faults", 303)


async def show_keys(request: Request) -> Response:
    """List the practice keys."""
    return page("keys.html", {"keys": world_of(request).ledger.keys(), "made": None})


async def change_keys(request: Request) -> Response:
    """Make a key and show it once, or revoke one."""
    world = world_of(request)
    fields = await page_form(request)
    if "revoke" in fields:
        world.ledger.end_key(fields["revoke"])
        return RedirectResponse("/keys", 303)
    made = world.make_key()
    return page("keys.html", {"keys": world.ledger.keys(), "made": made})


async def health(_request: Request) -> Response:
    """Tell a program that this port is the sandbox."""
    return JSONResponse({"sandbox": "doorkey", "version": 1})


async def list_faults(request: Request) -> Response:
    """List the faults that wait."""
    return JSONResponse({"faults": [asdict(fault) for fault in world_of(request).faults.waiting()]})


async def add_fault(request: Request) -> Response:
    """Add a fault from `{"kind", "times"?, "endpoint"?, "seconds"?, "chunks"?}`; 422 for one that cannot happen."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return JSONResponse({"error": "send application/json"}, 415)
    try:
        _add(world_of(request).faults, json.loads(await request.body()))
    except (ValueError, TypeError) as problem:
        return JSONResponse({"error": str(problem)}, 422)
    return await list_faults(request)


def _add(faults: Faults, wish: Any) -> None:
    if not isinstance(wish, Mapping) or "kind" not in wish:
        raise TypeError("send an object with a kind")
    for name, value in wish.items():
        if not isinstance(value, _FAULT_FIELDS.get(name, ())):
            raise TypeError(f"{name} is not a field of a fault, or has the wrong type")
    faults.add(**wish)


async def clear_faults(request: Request) -> Response:
    """Forget every fault that waits."""
    world_of(request).faults.clear()
    return Response(status_code=204)


async def show_log(request: Request) -> Response:
    """List what was served: `{"log": [{at, endpoint, action, client, account, credential, outcome, fault}]}`."""
    return JSONResponse({"log": [asdict(note) for note in world_of(request).log.notes]})


async def clear_log(request: Request) -> Response:
    """Empty the log."""
    world_of(request).log.clear()
    return Response(status_code=204)
