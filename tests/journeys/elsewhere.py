"""Another computer, made of a network namespace: what runs there, and the cable to the provider."""

import fcntl
import shutil
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GET_FLAGS, SET_FLAGS, SET_ADDRESS, UP = 0x8913, 0x8914, 0x8916, 1  # netdevice(7)


def raise_loopback() -> None:
    """Switch the loopback device on; a new namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        flags = struct.unpack_from("16sh", fcntl.ioctl(control, GET_FLAGS, struct.pack("16sh22x", b"lo", 0)))[1]
        fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh22x", b"lo", flags | UP))


def drop_ipv4() -> None:
    """Take 127.0.0.1 away, so that only ::1 is left."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        nothing = struct.pack("16sHH4s16x", b"lo", socket.AF_INET, 0, b"\0\0\0\0")
        fcntl.ioctl(control, SET_ADDRESS, nothing)


def carry(listening: socket.socket, onward: Callable[[], socket.socket]) -> None:
    """Carry each connection onward, both ways, in the background."""

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=_join, args=(listening.accept()[0], onward()), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def _join(near: socket.socket, far: socket.socket) -> None:
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        with source.makefile("rb", buffering=0) as reading, sink.makefile("wb", buffering=0) as writing:
            shutil.copyfileobj(reading, writing, 4096)
        sink.shutdown(socket.SHUT_WR)


def dial(path: Path) -> socket.socket:
    """Connect to the end of the cable."""
    cable = socket.socket(socket.AF_UNIX)
    cable.connect(str(path))
    return cable


def browse(cable: Path, port: int, url: str) -> None:
    """Approve a sign-in with a browser here, and tell where it is sent and whether anybody waits there."""
    import httpx2

    from doorkey.testing.practice import approve, bring_back

    raise_loopback()
    carry(socket.create_server(("127.0.0.1", port)), lambda: dial(cable))
    reply = approve(url)
    try:
        bring_back(reply)
        found = "somebody waits"
    except httpx2.ConnectError:
        found = "nobody waits"
    print(found)  # noqa: T201 - It is a program of its own.
    print(reply)  # noqa: T201


def listen_without_ipv4(host: str) -> None:
    """Hold the port of a redirect where there is only ::1, be asked there, and tell what became of it."""
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    from doorkey.adapters.loopback.listener import LoopbackListener
    from doorkey.errors import PortBusy
    from doorkey.ports import Outcome

    raise_loopback()
    drop_ipv4()
    outcome = Outcome(ok=True, title="Arrived", text="", finished=True)
    try:
        listener = LoopbackListener.open(f"http://{host}:0/callback", (), lambda _: outcome)
    except PortBusy as error:
        print(error.hint)  # noqa: T201
        return
    asking = HTTPConnection("::1", urlsplit(listener.redirect).port)
    asking.request("GET", "/callback?state=s", headers={"Host": urlsplit(listener.redirect).netloc})
    print("Arrived" if "Arrived" in asking.getresponse().read().decode() else "Lost")  # noqa: T201
    listener.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["browse", cable, port, url]:
            browse(Path(cable), int(port), url)
        case ["listen-without-ipv4", host]:
            listen_without_ipv4(host)
