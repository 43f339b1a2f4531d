"""A company's network on loopback: a proxy that alone knows the way out, and an authority that nobody else trusts."""

import re
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from doorkey.sandbox.app import Sandbox

DAY = timedelta(days=1)
HOST = "sso.acme.example"
BASE = f"https://{HOST}"
PEM = serialization.Encoding.PEM
SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    **dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    ),
)


class Authority:
    """Signs certificates; `pem` is the file that whoever trusts it is given.

    One of the `old` kind leaves out what RFC 5280 has since wanted, and what newer Pythons insist on by default.
    """

    def __init__(self, folder: Path, name: str = "Acme Root CA", *, old: bool = False) -> None:
        self._folder = folder
        self._old = old
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = (
            self._begun(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(SIGNS, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = folder / f"{name.replace(' ', '-')}.pem"
        self.pem.write_bytes(certificate.public_bytes(PEM))

    def context(self, host: str = HOST, ends: datetime | None = None) -> ssl.SSLContext:
        """Return what a server at this host needs to speak TLS."""
        path = self.certificate(host, ends)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def certificate(self, host: str, ends: datetime | None = None) -> Path:
        """Write a key and its certificate into one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
        signed = (
            self._begun(subject, key.public_key(), ends)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path = self._folder / f"{host}.pem"
        path.write_bytes(private + signed.public_bytes(PEM))
        return path

    def _begun(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime | None = None
    ) -> x509.CertificateBuilder:
        ends = ends or datetime.now(UTC) + DAY
        number = x509.random_serial_number()
        begun = x509.CertificateBuilder(self._name, subject, key, number, ends - 3 * DAY, ends)
        if self._old:
            return begun
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return begun.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False).add_extension(
            signer, critical=False
        )


class Proxy:
    """An HTTP proxy that only tunnels, to the ports of this machine that `ways` names for hosts that do not resolve."""

    def __init__(
        self,
        ways: dict[str, int] | None = None,
        *,
        password: str | None = None,
        status: int = 502,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ways = ways or {}
        self.asked: list[str] = []
        self._password = password
        self._status = status
        self._closing = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"https://localhost:{self.port}" if tls else f"http://127.0.0.1:{self.port}"
        self._tls = tls
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._begin(self._serve)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            pass
        for thread in self._threads:
            thread.join(timeout=20)
        self._listening.close()

    def _begin(self, work, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while True:
            caller, _ = self._listening.accept()
            if self._closing:
                caller.close()
                return
            self._begin(self._answer, caller)

    def _answer(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.settimeout(15)
            if self._tls is None:
                self._tunnel(caller)
            else:
                with self._tls.wrap_socket(caller, server_side=True) as secured:
                    self._tunnel(secured)

    def _tunnel(self, caller: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = caller.recv(4096)
            if not piece:
                return
            head += piece
        text = head.decode("latin-1")
        self.asked.append(text.partition("\r\n")[0])
        if not self._knows(text):
            caller.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        found = re.match(r"CONNECT ([^ :]+):\d+ ", text)
        port = self.ways.get(found[1]) if found else None
        if port is None:
            caller.sendall(f"HTTP/1.1 {self._status} No Way\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", port)) as server:
            server.settimeout(15)
            caller.sendall(b"HTTP/1.1 200 Connection Established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, caller), daemon=True)
            back.start()
            _pump(caller, server)
            back.join()

    def _knows(self, head: str) -> bool:
        if self._password is None:
            return True
        found = re.search(r"(?i)\r\nproxy-authorization: basic (\S+)", head)
        return found is not None and found[1] == b64encode(self._password.encode()).decode()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until it ends, and the end as well."""
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Front:
    """Let the practice provider, which lives on loopback only, think that it was called there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            MutableHeaders(scope=scope)["host"] = "127.0.0.1"
        await self._app(scope, receive, send)


@contextmanager
def serving(app: ASGIApp, certificate: Path) -> Iterator[int]:
    """Serve an app over TLS on loopback and give its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        ssl_certfile=str(certificate),
        log_level="critical",
        access_log=False,
        date_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


def practice_at(base_url: str) -> Sandbox:
    """Make a practice provider that gives another address as its own."""
    sandbox = Sandbox("http://127.0.0.1:1")
    sandbox._world.base_url = sandbox._world.signer._issuer = base_url
    return sandbox
