"""What a browser asks of the listener: the head of one HTTP request, read in bounded size and time."""

import socket
import time
from dataclasses import dataclass

LONGEST_HEAD = 32 * 1024
LONGEST_TARGET = 8 * 1024
PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The parts of a request that we look at; `host` is None unless exactly one was named."""

    method: str
    target: str
    host: str | None

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
    """Read a request line and the Host header (RFC 9112 sections 3 and 3.2)."""
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or len(words[1]) > LONGEST_TARGET:
        return None
    headers = [line.partition(":") for line in lines]
    hosts = [value.strip() for name, _, value in headers if name.lower() == "host"]
    return Asked(method=words[0], target=words[1], host=hosts[0] if len(hosts) == 1 else None)
