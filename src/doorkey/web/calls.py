"""A request as a handler sees it: read, checked and off the event loop."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from doorkey.domain.secret import Secret
from doorkey.web.desk import Desk


@dataclass(frozen=True, slots=True)
class Call:
    """One request; a handler runs in a worker thread, so it may wait for stores and providers."""

    desk: Desk
    request: Request
    body: Mapping[str, object]

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        """Return a part of the query, None where it is empty."""
        return self.request.query_params.get(name) or None

    def text(self, name: str) -> str | None:
        """Return a text of the body, None where it is empty; raises HTTPException for anything but a text."""
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise HTTPException(400, f"`{name}` must be a text.")
        return (value or "").strip() or None

    def flag(self, name: str) -> bool:
        """Whether something is asked for: `true` from a program, `yes` from a ticked box."""
        return self.body.get(name) in {True, "yes"}

    def secret(self, name: str) -> Secret:
        """Return a text of the body that must be there, exactly as it was typed."""
        self.need(name)
        return Secret(str(self.body[name]))

    def need(self, name: str) -> str:
        """Return a text of the body that must be there."""
        value = self.text(name)
        if value is None:
            raise HTTPException(400, f"`{name}` is missing.")
        return value


Handler = Callable[[Call], Response]


def endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Make a Starlette endpoint of a handler."""

    async def answer(request: Request) -> Response:
        call = Call(request.app.state.desk, request, await _body(request))
        return await run_in_threadpool(handler, call)

    return answer


async def _body(request: Request) -> Mapping[str, object]:
    """Read a JSON object; the guard has let no other type and no large body through."""
    text = await request.body()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "The body is not a JSON object.")
    return body
