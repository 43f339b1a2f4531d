import gzip
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doorkey.adapters.http import client
from doorkey.adapters.http.client import AsyncHttpTransport, HttpTransport
from doorkey.adapters.http.roads import Roads
from doorkey.domain.secret import Secret
from doorkey.errors import Misconfigured, ProviderUnavailable
from doorkey.flows.steps import Request

CANARY = "canary-5f2d"
PLENTY = timedelta(seconds=20)
LITTLE = timedelta(seconds=0.3)


def roads() -> Roads:
    """Choose by the test's own environment."""
    return Roads(os.environ, Path())


def complete(asked: bytes) -> bool:
    head, end, body = asked.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


class Server:
    """A TCP server on loopback that lets a test write every byte; it remembers what it was sent."""

    def __init__(self, reply: Callable[[socket.socket], object]):
        self.asked = b""
        self.connections = 0
        self._reply = reply
        self._stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/token"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()
        self._listening.close()

    def _serve(self):
        while True:
            connection, _ = self._listening.accept()
            with connection:
                if self._stop.is_set():
                    return
                self.connections += 1
                try:
                    self.asked = self._read(connection)
                    self._reply(connection)
                except OSError:
                    continue

    @staticmethod
    def _read(connection):
        asked = b""
        while not complete(asked):
            more = connection.recv(65536)
            if not more:
                raise ConnectionError
            asked += more
        return asked


def answering(body: bytes = b"{}", head: str = "", status: str = "200 OK") -> Server:
    answer = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{head}connection: close\r\n\r\n".encode() + body
    return Server(lambda connection: connection.sendall(answer))


def post(url: str, **parts) -> Request:
    return Request(method="POST", url=url, **({"timeout": PLENTY} | parts))


def test_an_answer_has_its_status_its_body_and_lower_case_headers():
    with answering(b'{"a": 1}', "X-Thing: One\r\n", "418 Teapot") as server:
        response = HttpTransport(roads()).send(post(server.url))

    assert (response.status, response.body, response.headers["x-thing"]) == (418, b'{"a": 1}', "One")


def test_secrets_in_a_form_are_sent_as_they_are():
    with answering() as server:
        HttpTransport(roads()).send(post(server.url, form={"grant_type": "x", "refresh_token": Secret("a b&c")}))

    assert parse_qs(server.asked.partition(b"\r\n\r\n")[2].decode()) == {
        "grant_type": ["x"],
        "refresh_token": ["a b&c"],
    }
    assert b"content-type: application/x-www-form-urlencoded" in server.asked.lower()


def test_secrets_in_json_are_sent_as_they_are():
    with answering() as server:
        HttpTransport(roads()).send(post(server.url, json={"code": Secret('quo"te')}))

    assert server.asked.endswith(b'{"code":"quo\\"te"}')
    assert b"content-type: application/json" in server.asked.lower()


def test_secrets_in_headers_are_sent_as_they_are():
    with answering() as server:
        HttpTransport(roads()).send(post(server.url, headers={"authorization": Secret("Bearer abc")}))

    assert b"authorization: Bearer abc\r\n" in server.asked


@pytest.mark.parametrize("spoilt", [f"{CANARY}é", f"{CANARY}\r\nX-Other: 1"])
def test_a_key_that_no_header_can_carry_is_not_repeated(spoilt):
    with answering() as server, pytest.raises((Misconfigured, ProviderUnavailable)) as caught:
        HttpTransport(roads()).send(post(server.url, headers={"authorization": Secret(spoilt)}))

    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY.encode() not in server.asked


def test_a_get_has_no_body():
    with answering() as server:
        HttpTransport(roads()).send(Request(method="GET", url=server.url, headers={"accept": "application/json"}))

    assert server.asked.startswith(b"GET /token HTTP/1.1\r\n")
    assert b"accept: application/json\r\n" in server.asked.lower()
    assert server.asked.endswith(b"\r\n\r\n")


def test_we_say_who_we_are_whatever_the_request_says():
    with answering() as server:
        HttpTransport(roads()).send(post(server.url, headers={"user-agent": "somebody-else"}))

    assert f"user-agent: {client.user_agent()}".encode() in server.asked.lower()
    assert b"somebody-else" not in server.asked
    assert client.user_agent().startswith("doorkey/")


def test_a_redirect_is_an_answer_and_is_not_followed():
    with answering(head="Location: /elsewhere\r\n", status="307 Temporary Redirect") as server:
        response = HttpTransport(roads()).send(post(server.url, form={"code": Secret(CANARY)}))

    assert response.status == 307
    assert server.connections == 1


def test_no_cookie_is_carried_to_the_next_exchange():
    with answering(head="Set-Cookie: who=me; Path=/\r\n") as server:
        transport = HttpTransport(roads())
        transport.send(post(server.url))
        transport.send(post(server.url))

    assert b"cookie" not in server.asked.lower()


def drip(start: bytes) -> Callable[[socket.socket], object]:
    def reply(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.02)

    return reply


STALLS = {
    "in the head": b"HTTP/1.1 200 OK\r\nx-long: ",
    "in the body": b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
}


@pytest.mark.parametrize("start", STALLS.values(), ids=STALLS)
def test_a_server_that_drips_does_not_outlast_the_deadline(start):
    with (
        Server(drip(start)) as server,
        pytest.raises(ProviderUnavailable, match=r"127\.0\.0\.1 did not answer in time"),
    ):
        HttpTransport(roads()).send(post(server.url, timeout=LITTLE))


@pytest.mark.parametrize("start", STALLS.values(), ids=STALLS)
async def test_async_callers_have_the_same_deadline(start):
    with Server(drip(start)) as server, pytest.raises(ProviderUnavailable, match="in time"):
        await AsyncHttpTransport(roads()).send(post(server.url, timeout=LITTLE))


def test_a_server_that_says_nothing_does_not_outlast_the_deadline():
    with Server(lambda connection: connection.recv(1)) as server, pytest.raises(ProviderUnavailable, match="in time"):
        HttpTransport(roads()).send(post(server.url, timeout=LITTLE))


async def test_sync_sending_works_inside_an_event_loop():
    with answering(b"here") as server:
        response = HttpTransport(roads()).send(post(server.url))

    assert response.body == b"here"


def test_a_body_that_is_too_long_is_refused():
    with answering(b"x" * (client.LONGEST_BODY + 1)) as server, pytest.raises(ProviderUnavailable, match="too long"):
        HttpTransport(roads()).send(post(server.url))


def test_a_small_body_that_unpacks_into_a_large_one_is_refused():
    packed = gzip.compress(b"x" * (client.LONGEST_BODY * 4))
    with (
        answering(packed, "Content-Encoding: gzip\r\n") as server,
        pytest.raises(ProviderUnavailable, match="too long"),
    ):
        HttpTransport(roads()).send(post(server.url))


def test_an_answer_that_is_no_http_is_not_repeated():
    with (
        Server(lambda connection: connection.sendall(f"{CANARY}\r\n\r\n".encode())) as server,
        pytest.raises(ProviderUnavailable) as caught,
    ):
        HttpTransport(roads()).send(post(f"{server.url}?code={CANARY}"))

    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nobody_there_names_the_host_and_nothing_else():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(ProviderUnavailable, match=r"^127\.0\.0\.1 could not be reached: nothing answers there\.$"):
        HttpTransport(roads()).send(post(f"http://127.0.0.1:{port}/token?code={CANARY}"))


@pytest.mark.parametrize("url", ["http://provider.example/token", "http://[", "ftp://127.0.0.1/", "nothing"])
def test_secrets_never_go_to_another_machine_in_clear(url):
    with pytest.raises(Misconfigured):
        HttpTransport(roads()).send(post(url, form={"code": Secret(CANARY)}))


@pytest.mark.slow
def test_what_is_loaded_before_it_is_needed_is_loaded_later_and_goes_nowhere():
    code = """
import sys, threading
from pathlib import Path
from doorkey.adapters.http.client import HttpTransport
from doorkey.adapters.http.roads import Roads
from doorkey.domain.network import USUAL
HttpTransport(Roads({}, Path())).warm(sys.argv[1], USUAL)
print("httpx2" in sys.modules)
[thread.join() for thread in threading.enumerate() if thread.name == "doorkey-warm"]
print("httpx2" in sys.modules, "anyio._backends._asyncio" in sys.modules)
"""

    with answering() as server:
        shown = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True, text=True, check=True)

    assert shown.stdout.split() == ["False", "True", "True"]
    assert server.connections == 0


def test_this_machine_is_reached_without_a_proxy(monkeypatch):
    with answering(b"direct") as server, answering(b"proxied") as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        response = HttpTransport(roads()).send(post(server.url))

    assert response.body == b"direct"


def test_other_machines_are_reached_through_the_proxy(monkeypatch):
    with answering(status="502 Bad Gateway") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(ProviderUnavailable, match=r"did not connect to provider\.example \(502\)"):
            HttpTransport(roads()).send(post("https://provider.example/token", form={"code": Secret(CANARY)}))

    assert proxy.asked.startswith(b"CONNECT provider.example:443 HTTP/1.1\r\n")
    assert CANARY.encode() not in proxy.asked


def test_a_proxy_that_we_cannot_use_is_a_hint(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:1")

    with pytest.raises(ProviderUnavailable, match="proxy") as caught:
        HttpTransport(roads()).send(post("https://provider.example/token"))

    assert "HTTPS_PROXY" in caught.value.hint


def test_certificates_that_cannot_be_read_are_a_hint(monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")

    with pytest.raises(ProviderUnavailable, match="certificates") as caught:
        HttpTransport(roads()).send(post("https://127.0.0.1:1/token"))

    assert "SSL_CERT_FILE" in caught.value.hint


@pytest.fixture
def self_signed(tmp_path):
    """Make a certificate for 127.0.0.1 that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused(self_signed):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    seen = []

    def reply(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            seen.append(secured.recv(65536))

    class TlsServer(Server):
        _read = staticmethod(lambda _: b"")

    with TlsServer(reply) as server, pytest.raises(ProviderUnavailable, match="does not trust") as caught:
        HttpTransport(roads()).send(post(server.url.replace("http:", "https:"), form={"code": Secret(CANARY)}))

    assert "“127.0.0.1”" in str(caught.value)
    # The second time we came only to look who signs, and said nothing.
    assert (server.connections, b"".join(seen)) == (2, b"")
