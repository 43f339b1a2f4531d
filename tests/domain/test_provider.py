import pytest

from doorkey.domain.provider import is_safe, origin


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example/v1", "https://api.example:443"),
        ("HTTPS://API.Example:443/v1?q=1#f", "https://api.example:443"),
        ("http://127.0.0.1:8378/v1", "http://127.0.0.1:8378"),
        ("http://localhost", "http://localhost:80"),
        ("http://[::1]:80/", "http://[::1]:80"),
        ("https://user:pass@api.example/", "https://api.example:443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, expected):
    assert origin(url) == expected


@pytest.mark.parametrize("url", ["https://a.example", "http://127.0.0.1:1", "http://[::1]", "http://localhost/x"])
def test_secrets_travel_by_https_or_inside_the_machine(url):
    assert is_safe(url)


@pytest.mark.parametrize(
    "url",
    ["http://a.example", "http://127.0.0.1.a.example", "http://localhost.a.example", "ftp://localhost", "https://", "",
     "localhost", "javascript:alert(1)", "https://[", "https://a.example:99999", "https://a.example:x",
     "https://a.example@b.example", "https://@b.example", "https://a.example\\@b.example", "https://a.example/\x1b[2J",
     "https://a.example/\u202egnp", "https://a.example/\n", "https://a.example/a b", "\x00https://a.example"],
)  # fmt: skip
def test_secrets_travel_no_other_way(url):
    assert not is_safe(url)
