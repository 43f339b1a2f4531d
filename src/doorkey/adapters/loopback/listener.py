"""Wait on a loopback port for the browser to bring a sign-in's reply."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hmac import compare_digest
from urllib.parse import urlsplit

from doorkey.adapters.loopback.leaving import PATH, PortSecrets
from doorkey.adapters.loopback.page import render
from doorkey.adapters.loopback.ports import bind
from doorkey.adapters.loopback.request import Asked, receive
from doorkey.errors import DoorkeyError
from doorkey.ports import Outcome

REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}
COURTESY = 1.0


class LoopbackListener:
    """Hand every reply that reaches the redirect URI to `deliver`, each in a thread of its own.

    Only a GET of exactly that path, which may be a secret, with exactly that Host (against DNS rebinding), gets
    through. A reply that does not belong to the attempt is answered with its Outcome, and the listener goes on.
    Who knows the port's secret may ask it to leave.
    """

    def __init__(
        self,
        redirect: str,
        listening: Sequence[socket.socket],
        deliver: Callable[[str], Outcome],
        leave: Callable[[], None],
        secrets: PortSecrets | None,
    ) -> None:
        parts = urlsplit(redirect)
        self.redirect = redirect
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host, self._path = parts.netloc, parts.path or "/"
        self._listening = listening
        self._deliver = deliver
        self._leave = leave
        self._secrets = secrets
        self._port = parts.port or 0
        self._secret = secrets.make(self._port) if secrets else None
        self._outcome: Outcome | None = None
        self._one_at_a_time = threading.Lock()
        self._answering: set[threading.Thread] = set()
        self._bell, self._wake = socket.socketpair()
        self._loop = threading.Thread(target=self._accept, name="doorkey-loopback", daemon=True)
        self._loop.start()

    @classmethod
    def open(
        cls,
        redirect: str,
        fallback_ports: Sequence[int],
        deliver: Callable[[str], Outcome],
        leave: Callable[[], None] = lambda: None,
        *,
        secrets: PortSecrets | None = None,
    ) -> "LoopbackListener":
        """Bind the redirect URI's port (0: any), else the first free of the fallback ports, and start to listen.

        A port that an earlier listener over the same `secrets` holds is taken over, after its `leave` was called.
        Raises PortBusy when all are taken. `redirect` of what is returned names the port that is really held.
        """
        parts = urlsplit(redirect)
        host = parts.hostname or ""
        ports = [parts.port or 0, *fallback_ports]
        listening = bind(host, ports, secrets.ask_to_leave) if secrets else bind(host, ports)
        port = listening[0].getsockname()[1]
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        # Only a registered port is ever wanted by another.
        kept = secrets if port in ports else None
        return cls(parts._replace(netloc=netloc).geturl(), listening, deliver, leave, kept)

    def close(self) -> None:
        """Free the port at once, then give a page that is just being sent a moment to arrive; safe to call twice."""
        if self._secrets and self._secret:
            self._secrets.remove(self._port, self._secret)
        with contextlib.suppress(OSError):
            self._wake.send(b"!")
        self._loop.join()
        self._wake.close()
        end = time.monotonic() + COURTESY
        for thread in self._answering - {threading.current_thread()}:
            thread.join(max(end - time.monotonic(), 0))

    def _accept(self) -> None:
        with selectors.DefaultSelector() as ready, contextlib.ExitStack() as held:
            for waiting in (self._bell, *self._listening):
                ready.register(held.enter_context(waiting), selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fileobj is self._bell:
                        return
                    with contextlib.suppress(OSError):
                        connection, _address = key.fileobj.accept()  # type: ignore[union-attr]  # A socket.
                        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                asked = receive(connection)
                self._answering.add(threading.current_thread())
                connection.settimeout(COURTESY)
                connection.sendall(self._answer(asked))
                connection.shutdown(socket.SHUT_WR)
                # Closing while something is unread would take the answer away from the browser again.
                while connection.recv(4096):
                    pass
        finally:
            self._answering.discard(threading.current_thread())

    def _answer(self, asked: Asked | None) -> bytes:
        if asked is None:
            return _response(400)
        if asked.host == self._host and asked.path == PATH and self._may_ask(asked):
            # Before the answer, so that the port is free when it comes.
            self._leave()
            return _response(204)
        if asked.host != self._host or not compare_digest(asked.path.encode(), self._path.encode()):
            return _response(404)
        if asked.method != "GET":
            return _response(405, headers={"Allow": "GET"})
        with self._one_at_a_time:
            # Browsers ask twice (a reload, a preview): the second is shown what became of the first.
            outcome = self._outcome or self._delivered(asked)
        page, headers = render(outcome)
        return _response(200, page, headers)

    def _may_ask(self, asked: Asked) -> bool:
        known = self._secret is not None and asked.secret is not None
        return known and compare_digest(str(asked.secret).encode(), str(self._secret).encode())

    def _delivered(self, asked: Asked) -> Outcome:
        try:
            outcome = self._deliver(self._origin + asked.target)
        except DoorkeyError as error:
            outcome = Outcome(ok=False, title="That did not work", text=f"{error} {error.hint}", finished=False)
        if outcome.finished:
            self._outcome = outcome
        return outcome


def _response(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """Write an answer that nobody keeps (`no-store`) and that tells no other page where it was (`no-referrer`)."""
    fields = {
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
        **(headers or {}),
    }
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
