from doorkey.providers.config_lines import line_of, lines_of

TEXT = """\
# providers
top = 1

[providers.acme]          # a comment
name = "Acme"
methods.oauth.client_id = "x"
[ providers . "my-own" . api ]
  "base_url"='y'
[[list]]
scopes = [
    "openid",
]
"""


def test_tables_and_keys_have_their_lines():
    assert lines_of(TEXT) == {
        ("top",): 2,
        ("providers", "acme"): 4,
        ("providers", "acme", "name"): 5,
        ("providers", "acme", "methods", "oauth", "client_id"): 6,
        ("providers", "my-own", "api"): 7,
        ("providers", "my-own", "api", "base_url"): 8,
        ("list",): 9,
        ("list", "scopes"): 10,
    }


def test_a_key_that_has_no_line_of_its_own_has_that_of_what_is_around_it():
    lines = lines_of(TEXT)

    assert line_of(lines, ("providers", "acme", "name", "inline")) == 5
    assert line_of(lines, ("providers", "acme", "methods", "oauth", "kind")) == 6
    assert line_of(lines, ("providers",)) == 4
    assert line_of(lines, ("nowhere",)) == 1


def test_windows_line_ends_count_once():
    assert lines_of("a = 1\r\nb = 2\r\n") == {("a",): 1, ("b",): 2}
