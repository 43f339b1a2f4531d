"""Take the loopback port that a redirect URI names, before anything else is done with it."""

import errno
import socket
from collections.abc import Callable, Sequence

from doorkey.errors import Misconfigured, PortBusy

# `localhost` may lead a browser to either family, so we hold the port in both.
FAMILIES = {
    "127.0.0.1": (socket.AF_INET,),
    "::1": (socket.AF_INET6,),
    "localhost": (socket.AF_INET, socket.AF_INET6),
}
ADDRESSES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
NO_SUCH_FAMILY = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})
FREE_PORT_TRIES = 5


def bind(
    host: str, ports: Sequence[int], ask_to_leave: Callable[[str, int], bool] = lambda _host, _port: False
) -> list[socket.socket]:
    """Listen on the first port that is free in every family of the host, else raise PortBusy; 0 means any.

    `ask_to_leave` frees a port that an earlier listener of ours holds, and says whether it did.
    """
    if host not in FAMILIES:
        raise Misconfigured("A redirect address must be on 127.0.0.1 or localhost.")
    for port in ports:
        for _ in range(FREE_PORT_TRIES if port == 0 else 1):
            if listening := _bind_all(FAMILIES[host], port):
                return listening
        if port and ask_to_leave(host, port) and (listening := _bind_all(FAMILIES[host], port)):
            return listening
    names = " and ".join(str(port) for port in ports if port)
    raise PortBusy(f"No port is free for the sign-in's reply (tried {names})." if names else "No port is free.")


def _bind_all(families: Sequence[socket.AddressFamily], port: int) -> list[socket.socket]:
    """Hold one port in all families that this machine has; an empty list when one of them is taken."""
    held: list[socket.socket] = []
    for family in families:
        try:
            held.append(_listen(family, held[0].getsockname()[1] if held else port))
        except OSError as error:
            if error.errno in NO_SUCH_FAMILY:
                continue
            for listening in held:
                listening.close()
            return []
    return held


def _listen(family: socket.AddressFamily, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections that have just ended must not keep the next sign-in from the port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((ADDRESSES[family], port))
        listening.listen()
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening
