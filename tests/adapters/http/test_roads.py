import os
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import Receive, Scope, Send

from doorkey.adapters.http.client import HttpTransport
from doorkey.adapters.http.clients import Clients
from doorkey.adapters.http.roads import Roads
from doorkey.domain.network import Network
from doorkey.domain.provider import Api, Dialect, Kind, Method, Provider
from doorkey.domain.secret import Secret
from doorkey.errors import OriginChanged, ProviderUnavailable
from doorkey.flows.steps import Request
from doorkey.ports import FoundKey
from doorkey.service.resolve import Choice
from doorkey.service.token_source import FixedSource
from tests.company import BASE, HOST, Authority, Proxy, serving

CANARY = "canary-9e0b"
METHOD = Method(id="api-key", kind=Kind.API_KEY, name="API key")


class Echo:
    """An app that keeps what it was sent, and redirects from `/away` to another host."""

    def __init__(self):
        self.seen = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append((scope["path"], dict(scope["headers"])))
        away = RedirectResponse("https://evil.example/v1", 307)
        await (away if scope["path"] == "/away" else PlainTextResponse("served"))(scope, receive, send)


class Sources:
    """Stands in for `service.Sources`: everybody has the same key."""

    def for_calls(self, choice, detail=None):
        return FixedSource(Secret(CANARY))

    def async_of(self, choice, detail=None):
        return Asynchronous()


class Asynchronous:
    async def get(self):
        return Secret(CANARY)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def company(authority, echo):
    """A server that only the proxy knows, with a certificate that only the company's authority vouches for."""
    with serving(echo, authority.certificate(HOST)) as port, Proxy({HOST: port}) as proxy:
        yield proxy


def send(network: Network, url: str = f"{BASE}/token", environ=None, wider=Network, **parts):
    request = Request(method="POST", url=url, network=network, **{"timeout": timedelta(seconds=20)} | parts)
    return HttpTransport(Roads(environ or {}, Path(), wider)).send(request)


def choice(network: Network, base_url: str = BASE) -> Choice:
    api = Api(base_url=base_url, dialect=Dialect.OPENAI_CHAT)
    provider = Provider(id="acme", name="Acme", api=api, methods=(METHOD,), network=network)
    key = FoundKey("ACME_API_KEY", Secret(CANARY), "environment")
    return Choice(provider=provider, method=METHOD, rule="test", key=key)


def clients() -> Clients:
    return Clients(Sources(), Roads({}, Path()))  # type: ignore[arg-type]  # It fills the same role.


def call_by_thread(network: Network, path: str = "/v1/models", base_url: str = BASE) -> httpx2.Response:
    with clients().client(choice(network, base_url)) as client:
        return client.get(path)


async def call_by_loop(network: Network, path: str = "/v1/models", base_url: str = BASE) -> httpx2.Response:
    async with clients().async_client(choice(network, base_url)) as client:
        return await client.get(path)


def through(proxy: Proxy, authority: Authority | None = None) -> Network:
    return Network(proxy=Secret(proxy.url), ca_bundle=str(authority.pem) if authority else None)


def test_an_exchange_goes_through_the_proxy_and_believes_the_bundle(company, authority, echo):
    response = send(through(company, authority), form={"code": Secret(CANARY)})

    assert (response.status, response.body) == (200, b"served")
    assert company.asked == [f"CONNECT {HOST}:443 HTTP/1.1"]
    assert [path for path, _ in echo.seen] == ["/token"]


async def test_model_calls_go_the_same_way(company, authority, echo):
    threaded = call_by_thread(through(company, authority))
    looped = await call_by_loop(through(company, authority))

    assert (threaded.text, looped.text) == ("served", "served")
    assert company.asked == [f"CONNECT {HOST}:443 HTTP/1.1"] * 2
    assert [headers[b"authorization"] for _, headers in echo.seen] == [f"Bearer {CANARY}".encode()] * 2


def test_the_network_of_all_and_the_environment_serve_as_well(company, authority):
    bundle = {"SSL_CERT_FILE": str(authority.pem), "HTTPS_PROXY": company.url}

    by_config = send(Network(), wider=lambda: through(company, authority))
    by_environment = send(Network(), environ=bundle)

    assert (by_config.status, by_environment.status) == (200, 200)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"])
def test_a_bundle_that_other_programs_are_given_is_believed(company, authority, name):
    response = send(Network(proxy=Secret(company.url)), environ={name: str(authority.pem)})

    assert response.status == 200


def test_a_folder_of_certificates_is_believed(company, authority, tmp_path):
    folder = tmp_path / "authorities"
    folder.mkdir()
    named = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", authority.pem], check=True, capture_output=True, text=True
    )
    (folder / f"{named.stdout.strip()}.0").write_bytes(authority.pem.read_bytes())

    response = send(Network(proxy=Secret(company.url)), environ={"SSL_CERT_DIR": str(folder)})

    assert response.status == 200


def test_a_forgotten_variable_of_another_program_harms_nobody(company, authority):
    environ = {"REQUESTS_CA_BUNDLE": "/nonexistent/ca.pem", "NODE_EXTRA_CA_CERTS": str(authority.pem)}

    assert send(Network(proxy=Secret(company.url)), environ=environ).status == 200


def test_an_authority_of_the_old_kind_is_believed(tmp_path, echo):
    old = Authority(tmp_path, old=True)

    with serving(echo, old.certificate(HOST)) as port, Proxy({HOST: port}) as proxy:
        by_config = send(through(proxy, old))
        by_environment = send(Network(proxy=Secret(proxy.url)), environ={"SSL_CERT_FILE": str(old.pem)})

    assert (by_config.status, by_environment.status) == (200, 200)


def test_a_bundle_that_was_changed_is_read_again(company, authority, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(Authority(tmp_path, "Other CA").pem.read_bytes())
    transport = HttpTransport(Roads({}, tmp_path))
    network = Network(proxy=Secret(company.url), ca_bundle="bundle.pem")
    request = Request(method="GET", url=BASE, network=network)

    with pytest.raises(ProviderUnavailable, match="does not trust"):
        transport.send(request)
    bundle.write_bytes(authority.pem.read_bytes())
    changed = bundle.stat().st_mtime + 1
    os.utime(bundle, (changed, changed))

    assert transport.send(request).status == 200


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read_stops_and_says_so(company, tmp_path, text):
    bundle = tmp_path / "bundle.pem"
    if text:
        bundle.write_text(text)

    with pytest.raises(ProviderUnavailable, match=r"bundle\.pem cannot be read") as caught:
        send(Network(proxy=Secret(company.url), ca_bundle=str(bundle)))

    assert "ca_bundle in config.toml" in caught.value.hint
    assert company.asked == []


def test_an_authority_that_nobody_trusts_is_named_with_the_remedy(company, echo):
    with pytest.raises(ProviderUnavailable) as caught:
        send(through(company), form={"code": Secret(CANARY)})

    assert str(caught.value) == (
        f"The certificate of {HOST} is issued by “Acme Root CA”, which this computer does not trust."
    )
    assert 'ca_bundle = "/path/to/ca.pem"' in caught.value.hint
    assert "verif" not in caught.value.hint
    assert echo.seen == []


def test_the_wrong_bundle_is_no_bundle(company, tmp_path, echo):
    with pytest.raises(ProviderUnavailable, match="“Acme Root CA”, which this computer does not trust"):
        send(through(company, Authority(tmp_path, "Other CA")))

    assert echo.seen == []


async def test_sdks_are_told_in_their_own_error_and_in_ours(company):
    told = []
    with pytest.raises(httpx2.ConnectError) as caught:
        call_by_thread(through(company))
    told.append(caught.value)
    with pytest.raises(httpx2.ConnectError) as caught:
        await call_by_loop(through(company))
    told.append(caught.value)

    for error in told:
        assert isinstance(error, ProviderUnavailable)
        assert "“Acme Root CA”, which this computer does not trust" in str(error)
        assert "ca_bundle" in error.hint
        assert error.retry_after is None


def test_an_issuers_name_cannot_drive_a_terminal(tmp_path, echo):
    odd = Authority(tmp_path, "\x1b[31mred\n" + "x" * 50)

    with (
        serving(echo, odd.certificate(HOST)) as port,
        Proxy({HOST: port}) as proxy,
        pytest.raises(ProviderUnavailable, match=r"“.31mredx+”") as caught,
    ):
        send(through(proxy))

    assert str(caught.value).isprintable()


def test_a_server_that_speaks_no_tls_is_not_blamed_on_the_proxy():
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=talk_plainly, args=(plain,), daemon=True).start()
        with (
            Proxy({HOST: plain.getsockname()[1]}) as proxy,
            pytest.raises(ProviderUnavailable, match=f"{HOST} was reached, but no TLS connection came about"),
        ):
            send(through(proxy))


def talk_plainly(listening: socket.socket) -> None:
    caller, _ = listening.accept()
    with caller:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_server_of_this_computer_that_does_not_run_is_to_be_started():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(ProviderUnavailable, match="could not be reached") as caught:
        send(Network(), f"http://127.0.0.1:{port}/v1")

    assert "Start the server there" in caught.value.hint


def test_a_certificate_that_has_ended_points_to_the_clock(authority, echo):
    ended = datetime.now(UTC) - timedelta(days=1)

    with (
        serving(echo, authority.certificate(HOST, ended)) as port,
        Proxy({HOST: port}) as proxy,
        pytest.raises(ProviderUnavailable, match=f"The certificate of {HOST} has ended") as caught,
    ):
        send(through(proxy, authority))

    assert "clock" in caught.value.hint


def test_a_certificate_for_another_name_is_refused(authority, echo):
    with (
        serving(echo, authority.certificate("other.acme.example")) as port,
        Proxy({HOST: port}) as proxy,
        pytest.raises(ProviderUnavailable, match=f"The certificate shown for {HOST} is another server's"),
    ):
        send(through(proxy, authority))

    assert echo.seen == []


def test_a_proxy_that_wants_to_know_who_asks_is_told(authority, echo):
    with serving(echo, authority.certificate(HOST)) as port, Proxy({HOST: port}, password="ann:s3cret/") as proxy:
        known = Secret(proxy.url.replace("//", "//ann:s3cret%2F@"))
        response = send(Network(proxy=known, ca_bundle=str(authority.pem)))

    assert response.status == 200


def test_a_proxy_that_does_not_know_us_says_where_its_password_goes():
    with Proxy(password=f"ann:{CANARY}") as proxy:
        known = proxy.url.replace("//", f"//ann:{CANARY}-wrong@")
        with pytest.raises(ProviderUnavailable, match=r"wants another user and password \(407\)") as caught:
            send(Network(), environ={"HTTPS_PROXY": known})

    assert f"The proxy http://********@127.0.0.1:{proxy.port} " in str(caught.value)
    assert "HTTPS_PROXY" in caught.value.hint
    assert CANARY not in f"{caught.value!r}{caught.value.hint}"


async def test_a_proxy_that_speaks_tls_itself_is_verified_too(authority, echo):
    with (
        serving(echo, authority.certificate(HOST)) as port,
        Proxy({HOST: port}, tls=authority.context("localhost")) as proxy,
    ):
        exchanged = send(through(proxy, authority))
        threaded = call_by_thread(through(proxy, authority))
        looped = await call_by_loop(through(proxy, authority))
        with pytest.raises(ProviderUnavailable, match=f"certificate of {HOST} or of its proxy is not trusted"):
            send(through(proxy))

    assert [exchanged.status, threaded.status_code, looped.status_code] == [200, 200, 200]


def test_a_proxy_that_refuses_a_host_is_named_with_it():
    with Proxy(status=403) as proxy, pytest.raises(ProviderUnavailable, match=rf"did not connect to {HOST} \(403\)"):
        send(through(proxy))


def test_a_proxy_that_is_not_there_is_named():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(ProviderUnavailable, match=rf"The proxy http://127\.0\.0\.1:{port} cannot be reached") as caught:
        send(Network(), environ={"ALL_PROXY": f"http://127.0.0.1:{port}"})

    assert "ALL_PROXY" in caught.value.hint


def test_a_proxy_that_says_nothing_does_not_outlast_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        silent = Network(proxy=Secret(f"http://127.0.0.1:{listening.getsockname()[1]}"))
        with pytest.raises(ProviderUnavailable, match=f"{HOST} did not answer in time"):
            send(silent, timeout=timedelta(seconds=0.3))


def test_without_its_package_a_socks_proxy_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(ProviderUnavailable, match="SOCKS") as caught:
        send(Network(), environ={"ALL_PROXY": f"socks5://ann:{CANARY}@127.0.0.1:1"})

    assert "pip install socksio" in caught.value.hint
    assert CANARY not in f"{caught.value}{caught.value.hint}"


async def test_a_credential_that_would_leave_its_origin_does_not_even_reach_the_proxy(company, authority):
    with pytest.raises(OriginChanged):
        call_by_thread(through(company, authority), "https://evil.example/v1")
    with pytest.raises(OriginChanged):
        await call_by_loop(through(company, authority), "https://evil.example/v1")

    assert company.asked == []


async def test_no_redirect_is_followed_through_the_proxy(company, authority):
    exchanged = send(through(company, authority), f"{BASE}/away", form={"code": Secret(CANARY)})
    threaded = call_by_thread(through(company, authority), "/away")
    looped = await call_by_loop(through(company, authority), "/away")

    assert [exchanged.status, threaded.status_code, looped.status_code] == [307, 307, 307]
    assert set(company.asked) == {f"CONNECT {HOST}:443 HTTP/1.1"}


async def test_this_computer_is_called_without_the_proxy(authority):
    echo, everywhere = Echo(), {"HTTPS_PROXY": "http://proxy.invalid:1", "HTTP_PROXY": "http://proxy.invalid:1"}
    with serving(echo, authority.certificate("localhost")) as port, Proxy() as proxy:
        here = f"https://localhost:{port}"
        send(through(proxy, authority), here, environ=everywhere, wider=lambda: through(proxy))
        call_by_thread(through(proxy, authority), base_url=here)
        await call_by_loop(through(proxy, authority), base_url=here)

    assert len(echo.seen) == 3
    assert proxy.asked == []


def test_a_name_that_takes_long_to_look_up_does_not_hold_up_the_end_of_a_program():
    script = """
import socket, time
from datetime import timedelta
from pathlib import Path
from doorkey.adapters.http.client import HttpTransport
from doorkey.adapters.http.roads import Roads
from doorkey.errors import ProviderUnavailable
from doorkey.flows.steps import Request
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
try:
    HttpTransport(Roads({}, Path())).send(
        Request(method="GET", url="https://slow.example", timeout=timedelta(seconds=0.2))
    )
except ProviderUnavailable as error:
    print(error)
"""
    started = time.monotonic()

    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=50)

    assert ended.stdout == "slow.example did not answer in time.\n"
    assert time.monotonic() - started < 30
