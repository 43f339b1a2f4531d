import pytest

from doorkey.adapters.http.proxies import exempt, road, system_proxy
from doorkey.domain.network import UNREADABLE, Network
from doorkey.domain.secret import Secret
from doorkey.errors import ProviderUnavailable

CANARY = "canary-8c1f"
URL = "https://api.acme.example/v1"
NOBODY = Network()


def proxied(proxy: str) -> Network:
    return Network(proxy=Secret(proxy))


def chosen(url=URL, network=NOBODY, wider=NOBODY, **environ):
    found = road(url, network, wider, environ, lambda *_: None)
    return found.shown, found.why


@pytest.mark.parametrize(
    ("environ", "proxy", "why"),
    [
        ({}, None, "nothing names one"),
        ({"HTTPS_PROXY": "http://one:1"}, "http://one:1", "HTTPS_PROXY"),
        ({"https_proxy": "http://one:1"}, "http://one:1", "HTTPS_PROXY"),
        ({"https_proxy": "http://one:1", "HTTPS_PROXY": "http://two:2"}, "http://one:1", "HTTPS_PROXY"),
        ({"ALL_PROXY": "http://two:2"}, "http://two:2", "ALL_PROXY"),
        ({"HTTPS_PROXY": "http://one:1", "ALL_PROXY": "http://two:2"}, "http://one:1", "HTTPS_PROXY"),
        ({"HTTP_PROXY": "http://three:3"}, None, "nothing names one"),
        ({"HTTPS_PROXY": "", "ALL_PROXY": "http://two:2"}, "http://two:2", "ALL_PROXY"),
        ({"HTTPS_PROXY": "one:1"}, "http://one:1", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://one:1", "NO_PROXY": "acme.example"}, None, "NO_PROXY"),
        ({"HTTPS_PROXY": "http://one:1", "no_proxy": "*"}, None, "NO_PROXY"),
    ],
)
def test_the_environment_is_read_as_other_programs_read_it(environ, proxy, why):
    assert chosen(**environ) == (proxy, why)


@pytest.mark.parametrize(
    ("network", "wider", "proxy", "why"),
    [
        (NOBODY, proxied("http://all:1"), "http://all:1", "[network] in config.toml"),
        (proxied("http://own:2"), proxied("http://all:1"), "http://own:2", "the provider's network in config.toml"),
        (proxied("none"), proxied("http://all:1"), None, "the provider's network in config.toml"),
        (NOBODY, proxied("none"), None, "[network] in config.toml"),
        (proxied("http://own:2"), proxied("none"), "http://own:2", "the provider's network in config.toml"),
    ],
)
def test_the_config_goes_before_the_environment(network, wider, proxy, why):
    assert chosen(network=network, wider=wider, HTTPS_PROXY="http://env:9", NO_PROXY="*") == (proxy, why)


def test_proxy_and_bundle_are_laid_over_each_other_one_by_one():
    own, wider = Network(ca_bundle="own.pem"), Network(proxy=Secret("http://all:1"), ca_bundle="all.pem")

    found = road(URL, own, wider, {})

    assert (found.shown, found.ca_bundle) == ("http://all:1", "own.pem")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST.", "app.localhost", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_this_computer_is_never_reached_through_a_proxy(host):
    everywhere = proxied("http://all:1")

    found = chosen(f"https://{host}:8443/v1", everywhere, everywhere, HTTPS_PROXY="http://env:9")

    assert found == (None, "this computer is reached without a proxy")


@pytest.mark.parametrize("host", ["localhost.acme.example", "notlocalhost", "10.0.0.1", "[::ffff:10.0.0.1]"])
def test_a_name_that_only_looks_like_this_computer_goes_through_the_proxy(host):
    assert chosen(f"https://{host}/v1", HTTPS_PROXY="http://env:9") == ("http://env:9", "HTTPS_PROXY")


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("acme.example", "acme.example"),
        ("acme.example", "llm.acme.example"),
        (".acme.example", "llm.acme.example"),
        (".acme.example", "acme.example"),
        ("*.acme.example", "llm.acme.example"),
        ("other.example , ACME.example", "acme.example"),
        ("acme.example:443", "acme.example"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.0.0.0/8", "10.1.2.3"),
        ("fd00::/8", "fd00::1"),
        ("[fd00::1]", "fd00::1"),
        ("fd00::1", "fd00::1"),
        ("*", "anything.example"),
    ],
)
def test_no_proxy_names_hosts_domains_addresses_and_networks(no_proxy, host):
    assert exempt(host, no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "host"),
    [
        ("", "acme.example"),
        (" , ,", "acme.example"),
        ("acme.example", "notacme.example"),
        ("llm.acme.example", "acme.example"),
        ("10.0.0.0/8", "11.1.2.3"),
        ("10.0.0.0/8", "ten.example"),
        ("10.0.0.0/99", "10.0.0.1"),
    ],
)
def test_no_proxy_names_nothing_else(no_proxy, host):
    assert not exempt(host, no_proxy)


def test_the_systems_settings_come_last():
    def system(scheme: str, host: str) -> str:
        return f"http://settings-for-{scheme}-{host}:8"

    found = road(URL, NOBODY, NOBODY, {}, system)
    named = road(URL, NOBODY, NOBODY, {"HTTPS_PROXY": "http://env:9"}, system)

    assert (found.shown, found.why) == ("http://settings-for-https-api.acme.example:8", "the system's settings")
    assert named.shown == "http://env:9"


def test_only_macos_has_such_settings(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://env:9")

    assert system_proxy("https", "api.acme.example") is None


def test_user_and_password_are_never_shown():
    found = road(URL, proxied(f"http://ann:{CANARY}@proxy.acme.example:3128"), NOBODY, {})

    assert found.shown == "http://********@proxy.acme.example:3128"
    assert CANARY not in repr(found)


def test_a_proxy_that_the_config_names_wrongly_is_not_gone_around():
    with pytest.raises(ProviderUnavailable, match="proxy cannot be used") as caught:
        chosen(wider=Network(proxy=UNREADABLE), HTTPS_PROXY="http://env:9")

    assert "Check [network] in config.toml" in caught.value.hint


@pytest.mark.parametrize(
    "proxy",
    [
        f"gopher://{CANARY}@one:1",
        f"http://{CANARY}@one:port",
        f"http://{CANARY}@",
        f"socks://{CANARY}@one:1",
        f"http://ann:12/{CANARY}@one:1",
        f"http://ann:12?{CANARY}@one:1",
    ],
)
def test_an_address_that_is_no_proxys_names_who_wrote_it_and_does_not_repeat_it(proxy):
    with pytest.raises(ProviderUnavailable) as caught:
        chosen(ALL_PROXY=proxy)

    assert "ALL_PROXY" in caught.value.hint
    assert CANARY not in f"{caught.value} {caught.value.hint}"
