"""Starts the practice provider in this process when it is asked for and nobody serves it yet."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from urllib.parse import urlsplit

from doorkey.domain.provider import Provider, origin
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows.steps import Request, Response
from doorkey.ports import Practice, Transport

ID = "sandbox"


class PracticeTransport:
    """A transport that has the practice provider started before anything is sent to it."""

    def __init__(self, inner: Transport, practice: Practice, provider: Provider) -> None:
        self._inner = inner
        self._practice = practice
        self._provider = provider
        self._origin = origin(provider.api.base_url)

    def send(self, request: Request) -> Response:
        """Send, as the transport inside does."""
        if origin(request.url) == self._origin:
            self._practice.ensure(self._provider)
        return self._inner.send(request)


class PracticeStarter:
    """Fill `ports.Practice`; `start` serves the sandbox on a port, and raises OSError when that is taken."""

    def __init__(self, transport: Transport, start: Callable[[int], object]) -> None:
        self._transport = transport
        self._start = start
        self._lock = Lock()
        self._ours = False

    def ensure(self, provider: Provider) -> None:
        """Make sure that the practice provider answers. Raises Misconfigured when something else has its port."""
        if provider.id != ID or self._ours:
            return
        parts = urlsplit(provider.api.base_url)
        base = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if self._ours or self._answers(base):
                return
            try:
                self._start(parts.port or 80)
            except OSError as error:
                if self._answers(base):
                    return
                raise Misconfigured(
                    f"Port {parts.port} is taken by another program, so the practice provider cannot start.",
                    hint="Close that program, or run `doorkey sandbox --port N` and name its address in config.toml.",
                ) from error
            self._ours = True

    def _answers(self, base: str) -> bool:
        try:
            response = self._transport.send(
                Request(method="GET", url=f"{base}/sandbox/health", timeout=timedelta(seconds=2))
            )
            return response.status == 200 and json.loads(response.body).get("sandbox") == "doorkey"
        except (ProviderUnavailable, ValueError, AttributeError):
            return False
