"""What a browser asks of the listener: the head of one HTTP request, read in bounded size and time."""

import socket
import time
from dataclasses import dataclass

from doorkey.adapters.loopback.leaving import HEADER

LONGEST_HEAD = 32 * 1024
LONGEST_TARGET = 8 * 1024
PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The parts of a request that we look at; `host` and `secret` are None unless exactly one was named."""

    method: str
    target: str
    host: str | None
    secret: str | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


def receive(connection: socket.socket, patience: float = PATIENCE) -> Asked | None:
    """Read one request; None for what is no HTTP, too long, or not complete after `patience` seconds in all."""
    end = time.monotonic() + patience
    head = b""
    while b"\r\n\r\n" not in head:
        left = end - time.monotonic()
        if left <= 0 or len(head) > LONGEST_HEAD:
            return None
        connection.settimeout(left)
        chunk = connection.recv(4096)
        if not chunk:
            return None
        head += chunk
    return parse(head.partition(b"\r\n\r\n")[0])


def parse(head: bytes) -> Asked | None:
    """Read a request line, the Host header (RFC 9112 sections 3 and 3.2), and the secret of who asks us to leave."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or len(words[1]) > LONGEST_TARGET:
        return None
    fields = [line.partition(":") for line in lines]

    def only(wanted: str) -> str | None:
        found = [value.strip() for name, _, value in fields if name.lower() == wanted.lower()]
        return found[0] if len(found) == 1 else None

    return Asked(method=words[0], target=words[1], host=only("Host"), secret=only(HEADER))
