"""The real command in a company: only its proxy leads out, and only its authority vouches for what answers there."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from doorkey.sandbox.app import Sandbox
from doorkey.testing.practice import ACME, approve, bring_back
from tests.company import BASE, HOST, Authority, Front, Proxy, practice_at, serving
from tests.journeys.person import Login
from tests.journeys.program import Program, Ran

pytestmark = pytest.mark.slow

CANARY = "canary-3b77"
OVER = timedelta(minutes=-1)
LOGIN = ("login", "acme", "--no-browser", "--json")
LIBRARY = """
import doorkey
with doorkey.sdk.openai.client("acme") as client:
    answer = client.chat.completions.create(model="practice-small", messages=[{"role": "user", "content": "hello"}])
    print(answer.choices[0].message.content)
"""


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = practice_at(BASE)
    yield sandbox
    sandbox.close()


@pytest.fixture
def port(sandbox, authority) -> Iterator[int]:
    with serving(Front(sandbox.app), authority.certificate(HOST)) as port:
        yield port


@pytest.fixture
def proxy(port) -> Iterator[Proxy]:
    with Proxy({HOST: port}) as proxy:
        yield proxy


@pytest.fixture
def installed(home) -> Program:
    return Program(home / "doorkey")


@pytest.fixture
def browse(monkeypatch, authority, port):
    """Let a person approve with a browser of this company, which knows its proxy and its authority by itself."""

    def approved(url: str) -> str:
        with Proxy({HOST: port}) as own, monkeypatch.context() as browser:
            browser.setenv("HTTPS_PROXY", own.url)
            browser.setenv("SSL_CERT_FILE", str(authority.pem))
            return approve(url)

    return approved


def log_in(program: Program, browse, **environ: str) -> Ran:
    login = Login(program, "acme", "--no-browser", **environ)
    bring_back(browse(login.url))
    return login.end()


def eventually(act: Callable[[], Ran]) -> Ran:
    """Try again while the provider is still spared after a fault, which is for twenty seconds at most."""
    for _ in range(30):
        ended = act()
        if ended.code == 0:
            break
        time.sleep(1)
    return ended


def network(table: str, proxy: str, bundle: object) -> str:
    return f'[{table}]\nproxy = "{proxy}"\nca_bundle = "{bundle}"\n'


WAYS = {
    "one network for all": lambda proxy, authority: (network("network", proxy, authority.pem), {}),
    "the provider's own": lambda proxy, authority: (
        network("network", "http://127.0.0.1:1", "missing.pem")
        + network("providers.acme.network", proxy, authority.pem),
        {},
    ),
    "the environment": lambda proxy, authority: ("", {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": str(authority.pem)}),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_everything_goes_the_same_way(installed, proxy, authority, browse, way):
    config, environ = way(proxy.url, authority)
    installed.configure(config + ACME.format(url=BASE))
    connections: list[int] = []

    def ran(ended: Ran) -> Ran:
        connections.append(len(proxy.asked) - sum(connections))
        assert ended.code == 0, ended
        return ended

    signed_in = ran(log_in(installed, browse, **environ))
    models = ran(installed.run("models", "acme", **environ))
    answer = ran(installed.run("chat", "--model", "acme:practice-small", "who pays?", **environ))
    library = ran(installed.python(LIBRARY, **environ))
    before = installed.accounts()[0]["expires_at"]
    installed.grow_old(before_its_end=OVER)
    renewed = ran(installed.run("token", "acme", **environ))
    ran(installed.run("logout", "acme/ada@practice.example", "--revoke", **environ))

    assert signed_in.events[-1]["account"]["identity"] == "ada@practice.example"
    assert "acme:practice-small" in models.out
    assert "served to **Ada Lovelace**" in answer.out
    assert "Ada Lovelace" in library.out
    assert renewed.out.strip()
    assert before
    assert set(proxy.asked) == {f"CONNECT {HOST}:443 HTTP/1.1"}
    assert all(count > 0 for count in connections)


def test_an_authority_that_is_not_known_stops_a_sign_in_before_its_browser(installed, proxy):
    installed.configure(f'[network]\nproxy = "{proxy.url}"\n' + ACME.format(url=BASE))

    ended = installed.run(*LOGIN)

    assert ended.code == 4
    assert ended.json["error"] == "provider_unavailable"
    assert "“Acme Root CA”, which this computer does not trust" in ended.err
    assert "ca_bundle" in ended.json["hint"]


def test_an_answer_that_cannot_get_out_says_why(installed, proxy):
    installed.configure(f'[network]\nproxy = "{proxy.url}"\n' + ACME.format(url=BASE))

    ended = installed.run("chat", "--model", "acme:practice-small", "hello", ACME_API_KEY="key-1")
    library = installed.python(LIBRARY, ACME_API_KEY="key-1")

    assert ended.code == 4
    assert "“Acme Root CA”, which this computer does not trust" in ended.err
    assert "ca_bundle" in ended.err
    assert "“Acme Root CA”, which this computer does not trust" in library.err


def test_a_renewal_that_cannot_get_out_loses_nothing(installed, proxy, authority, browse):
    served = network("network", proxy.url, authority.pem) + ACME.format(url=BASE)
    installed.configure(served)
    log_in(installed, browse)
    installed.grow_old(before_its_end=OVER)
    installed.configure(f'[network]\nproxy = "{proxy.url}"\n' + ACME.format(url=BASE))

    refused = installed.run("token", "acme")
    state = installed.accounts()[0]["state"]
    installed.configure(served)
    renewed = eventually(lambda: installed.run("token", "acme"))

    assert (refused.code, state, renewed.code) == (4, "lapsed", 0)
    assert "“Acme Root CA”" in refused.err


def test_a_vendors_own_sdk_goes_the_same_way(installed, proxy, home):
    folder = home / "ant"
    for name, content in (
        ("configs", {"version": "1.0", "base_url": BASE, "authentication": {"type": "user_oauth", "client_id": "ant"}}),
        ("credentials", {"version": "1.0", "access_token": "old", "refresh_token": CANARY, "expires_at": 1}),
    ):
        (folder / name).mkdir(parents=True, mode=0o700)
        (folder / name / "default.json").write_text(json.dumps(content))
        (folder / name / "default.json").chmod(0o600)
    installed.environ["ANTHROPIC_CONFIG_DIR"] = str(folder)
    installed.configure(f'[network]\nproxy = "{proxy.url}"\n[providers.anthropic.api]\nbase_url = "{BASE}"\n')
    installed.run("login", "anthropic", "--method", "console")

    ended = installed.run("token", "anthropic")

    assert ended.code == 4
    assert "“Acme Root CA”, which this computer does not trust" in ended.err
    assert proxy.asked


def test_the_doctor_proves_the_way_and_the_clock(installed, proxy, authority, sandbox, browse):
    installed.configure(network("network", proxy.url, authority.pem) + ACME.format(url=BASE))
    log_in(installed, browse)

    well = installed.run("doctor", "--json")
    sandbox._world.clock = lambda: time.time() + 600
    late = installed.run("doctor", "--json")
    installed.configure(f'[network]\nproxy = "{proxy.url}"\n' + ACME.format(url=BASE))
    distrusted = installed.run("doctor", "--json")

    assert (well.code, late.code, distrusted.code) == (0, 1, 1)
    assert f"{proxy.url} ([network] in config.toml)" in told(well, "proxy")
    assert f"{authority.pem} (ca_bundle in config.toml)" in told(well, "trust")
    assert f"acme models: {HOST} answers through {proxy.url} in " in told(well, "reach")
    assert told(well, "clock") == f"agrees with {HOST}"
    assert f"s behind {HOST}" in told(late, "clock")
    assert "“Acme Root CA”, which this computer does not trust" in told(distrusted, "reach")


def told(doctor: Ran, check: str) -> str:
    return " ".join(each["text"] for each in doctor.json["findings"] if each["check"] == check)


def test_the_doctor_ends_soon_where_nobody_answers(installed):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        ended = installed.run("doctor", "--all", "--json", HTTPS_PROXY=proxy)
        took = time.monotonic() - started

    assert ended.code == 1
    assert "addresses of providers was reached" in told(ended, "reach")
    assert "did not answer in time" in told(ended, "reach")
    assert took < 12


def test_a_proxy_that_wants_a_password_is_told_one_in_the_config(installed, port, authority, browse):
    with Proxy({HOST: port}, password=f"ann:{CANARY}") as proxy:
        installed.configure(network("network", proxy.url, authority.pem) + ACME.format(url=BASE))
        refused = installed.run(*LOGIN)
        known = proxy.url.replace("//", f"//ann:{CANARY}@")
        installed.configure(network("network", known, authority.pem) + ACME.format(url=BASE))
        served = log_in(installed, browse)

    assert (refused.code, served.code) == (4, 0)
    assert "wants another user and password (407)" in refused.err
    assert CANARY not in "".join(installed.said)


def test_a_host_that_no_proxy_names_is_not_asked_of_the_proxy(installed, proxy, authority):
    installed.configure(ACME.format(url=BASE))

    ended = installed.run(*LOGIN, HTTPS_PROXY=proxy.url, NO_PROXY="acme.example", SSL_CERT_FILE=str(authority.pem))

    assert ended.code == 4
    assert f"{HOST} cannot be found" in ended.err
    assert proxy.asked == []
