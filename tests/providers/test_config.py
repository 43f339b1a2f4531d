from dataclasses import fields as names_of
from dataclasses import replace
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.network import UNREADABLE, Network
from doorkey.domain.policy import OWN, Policy, Verdict
from doorkey.domain.provider import Api, Dialect, Kind, Method, Payer, Provider
from doorkey.domain.secret import Secret
from doorkey.providers import config_fields
from doorkey.providers.config import Merged, merge

CONTESTED = Policy(verdict=Verdict.CONTESTED, note="Some say no.")
BUILTIN = Provider(
    id="acme",
    name="Acme",
    api=Api(base_url="https://llm.acme.example/v1", dialect=Dialect.OPENAI_RESPONSES, env=("ACME_API_KEY",)),
    methods=(
        Method(id="api-key", kind=Kind.API_KEY, name="API key"),
        Method(
            id="plan",
            kind=Kind.AUTHORIZATION_CODE,
            name="Acme plan",
            payer=Payer.PLAN,
            policy=CONTESTED,
            enabled=False,
            authorize_url="https://sso.acme.example/authorize",
            token_url="https://sso.acme.example/token",
        ),
    ),
)
COMPANY = """
[providers.company]
name = "Company gateway"
[providers.company.api]
base_url = "https://llm.company.example/v1"
dialect  = "openai-chat"
env      = "COMPANY_API_KEY"
"""


def merged(text: str) -> Merged:
    return merge(dedent(text), [BUILTIN])


def provider(text: str, provider_id: str = "company") -> Provider:
    result = merged(text)
    assert result.problems == ()
    return next(provider for provider in result.providers if provider.id == provider_id)


def test_an_empty_config_changes_nothing():
    assert merged("") == Merged(providers=(BUILTIN,))


def test_a_built_in_method_is_switched_on_and_keeps_the_rest():
    plan = provider("[providers.acme.methods.plan]\nenabled = true\nclient_id = 'mine'", "acme").method("plan")

    assert (plan.enabled, plan.client_id) == (True, "mine")
    assert (plan.policy, plan.payer, plan.token_url) == (CONTESTED, Payer.PLAN, "https://sso.acme.example/token")


def test_a_built_in_provider_is_changed_field_by_field():
    acme = provider('[providers.acme.api]\nbase_url = "https://proxy.example/v1"', "acme")

    assert acme.api == Api(base_url="https://proxy.example/v1", dialect=Dialect.OPENAI_RESPONSES, env=("ACME_API_KEY",))
    assert acme.builtin
    assert acme.methods == BUILTIN.methods


def test_dotted_keys_and_inline_tables_are_the_same_config():
    acme = provider('providers.acme.api = {base_url = "https://proxy.example/v1"}\nproviders.acme.name = "A"', "acme")

    assert (acme.name, acme.api.base_url) == ("A", "https://proxy.example/v1")


def test_a_method_is_added_to_a_built_in_provider():
    acme = provider("[providers.acme.methods.device]\nclient_id = 'mine'", "acme")

    assert [method.id for method in acme.methods] == ["api-key", "plan", "device"]
    assert acme.method("device").kind is Kind.DEVICE_CODE
    assert acme.method("device").policy is OWN


def test_a_provider_with_every_field_of_a_sign_in():
    company = provider(
        COMPANY
        + """
        [providers.company.methods.sso]
        kind = "authorization_code"
        name = "Company account"
        client_id = "doorkey"
        issuer = "https://sso.company.example"
        authorize_url = "https://sso.company.example/authorize"
        token_url = "https://sso.company.example/token"
        revoke_url = "https://sso.company.example/revoke"
        jwks_url = "https://sso.company.example/jwks"
        device_url = "https://sso.company.example/device"
        scopes = ["openid", "offline_access"]
        redirect = "http://localhost:1455/callback"
        fallback_ports = [1457]
        token_body = "json"
        authorize_extra = {prompt = "login"}
        allow_outside_app = true
        payer = "plan"
        """.replace("        ", "")
    )

    assert company == Provider(
        id="company",
        name="Company gateway",
        api=Api(base_url="https://llm.company.example/v1", dialect=Dialect.OPENAI_CHAT, env=("COMPANY_API_KEY",)),
        methods=(
            Method(
                id="sso",
                kind=Kind.AUTHORIZATION_CODE,
                name="Company account",
                payer=Payer.PLAN,
                client_id="doorkey",
                issuer="https://sso.company.example",
                authorize_url="https://sso.company.example/authorize",
                token_url="https://sso.company.example/token",
                revoke_url="https://sso.company.example/revoke",
                jwks_url="https://sso.company.example/jwks",
                device_url="https://sso.company.example/device",
                scopes=("openid", "offline_access"),
                redirect="http://localhost:1455/callback",
                fallback_ports=(1457,),
                token_body="json",
                authorize_extra={"prompt": "login"},
                allow_outside_app=True,
            ),
        ),
        builtin=False,
    )


def test_values_become_the_types_of_the_domain():
    company = provider(COMPANY + "[providers.company.methods.oauth]\npayer = 'local'\nkind = 'device_code'")

    assert type(company.api.dialect) is Dialect
    assert type(company.methods[0].payer) is Payer
    assert type(company.methods[0].kind) is Kind


@pytest.mark.parametrize(
    ("method_id", "kind"),
    [
        ("oauth", Kind.AUTHORIZATION_CODE),
        ("device", Kind.DEVICE_CODE),
        ("api-key", Kind.API_KEY),
        ("api_key", Kind.API_KEY),
        ("none", Kind.NONE),
    ],
)
def test_an_obvious_kind_need_not_be_said(method_id, kind):
    company = provider(COMPANY + f"[providers.company.methods.{method_id}]")

    assert company.methods[0].kind is kind


def test_a_kind_is_not_guessed():
    result = merged(COMPANY + "[providers.company.methods.sso]\nclient_id = 'mine'")

    assert [provider.id for provider in result.providers] == ["acme"]
    assert result.problems == (
        (
            "config.toml line 8, providers.company.methods.sso.kind: must be one of "
            "authorization_code, device_code, api_key, none, so the method is left out."
        ),
    )


def test_a_provider_with_a_variable_takes_keys():
    assert [(method.id, method.kind) for method in provider(COMPANY).methods] == [("api-key", Kind.API_KEY)]


def test_a_server_on_this_machine_needs_no_sign_in_and_costs_nothing():
    [method] = provider(
        """
        [providers.ollama.api]
        base_url = "http://127.0.0.1:11434/v1"
        dialect = "openai-chat"
        """,
        "ollama",
    ).methods

    assert (method.id, method.kind, method.payer) == ("none", Kind.NONE, Payer.LOCAL)


def test_a_key_for_a_server_on_this_machine_is_metered():
    [method] = provider(
        """
        [providers.proxy.api]
        base_url = "http://localhost:4000"
        dialect = "openai-chat"
        [providers.proxy.methods.api-key]
        """,
        "proxy",
    ).methods

    assert method.payer is Payer.METERED


def test_a_method_may_call_another_api_than_its_provider():
    company = provider(
        COMPANY
        + """
[providers.company.methods.none]
api = {base_url = "http://127.0.0.1:8000/v1"}
"""
    )

    assert company.methods[0].api == Api(
        base_url="http://127.0.0.1:8000/v1", dialect=Dialect.OPENAI_CHAT, env=("COMPANY_API_KEY",)
    )
    assert company.methods[0].payer is Payer.LOCAL


def test_several_variables_are_a_list():
    company = provider(COMPANY.replace('"COMPANY_API_KEY"', '["ONE_KEY", "TWO_KEY"]'))

    assert company.api.env == ("ONE_KEY", "TWO_KEY")


def test_trusted_files_are_named_at_the_top():
    assert merged('env_files = ["~/projects/.env"]').env_files == ("~/projects/.env",)


NETWORKS = """
[network]
proxy = "http://ann:pw@proxy.acme.example:3128"
ca_bundle = "acme.pem"
[providers.acme.network]
proxy = "none"
"""


def test_a_network_is_named_for_all_and_for_a_provider_with_its_methods():
    result = merged(NETWORKS)

    (acme,) = result.providers
    assert result.network == Network(proxy=Secret("http://ann:pw@proxy.acme.example:3128"), ca_bundle="acme.pem")
    assert {acme.network, *(method.network for method in acme.methods)} == {Network(proxy=Secret("none"))}
    assert acme.network.over(result.network) == Network(proxy=Secret("none"), ca_bundle="acme.pem")


def test_a_proxy_that_cannot_be_read_stands_in_the_way_of_everything_it_was_meant_for():
    wrong = "proxy = 'http://proxy:none'\nca_bundle = 'acme.pem'"
    result = merged(f"[network]\n{wrong}\n[providers.acme.network]\n{wrong}")

    assert len(result.problems) == 2
    assert result.network == result.providers[0].network == Network(proxy=UNREADABLE, ca_bundle="acme.pem")


def test_the_address_of_a_proxy_is_printed_nowhere():
    assert "pw@" not in repr(merged(NETWORKS))


MISTAKES = {
    "[network]\nproxy = 'gopher://proxy'": (
        'line 2, network.proxy: must be the http:// or https:// address of a proxy, or "none"'
    ),
    "[network]\nca_bundle = ''": "line 2, network.ca_bundle: must be a text of one line, not empty",
    "[network]\nverify = false": "line 2, network.verify: is not a known key",
    "network = 'proxy'": "line 1, network: must be a table",
    'env_files = "~/.env"': "line 1, env_files: must be a list of texts",
    "\nenv_file = []": "line 2, env_file: is not a known key",
    "providers = 1": "line 1, providers: must be a table",
    "[providers]\nacme = 1": "line 2, providers.acme: must be a table",
    "[providers.acme]\nmethods = []": "line 2, providers.acme.methods: must be a table",
    "[providers.acme]\n\napi = 1": "line 3, providers.acme.api: must be a table",
    "[providers.acme]\nbase_url = 'x'": "line 2, providers.acme.base_url: is not a known key",
    "[providers.acme]\nname = ''": "line 2, providers.acme.name: must be a text of one line, not empty",
    "[providers.acme.api]\ndialect = 'x'": (
        "line 2, providers.acme.api.dialect: must be one of openai-responses, openai-chat, anthropic-messages"
    ),
    "[providers.acme.api]\nbase_url = 'http://llm.acme.example'": (
        "line 2, providers.acme.api.base_url: must be an https address (http only towards this machine)"
    ),
    "[providers.acme.api]\nbase_url = 'https://me:pw@llm.acme.example'": (
        "line 2, providers.acme.api.base_url: must be a plain address, without user, password or fragment"
    ),
    "[providers.acme.api]\nbase_url = 'http://['": (
        "line 2, providers.acme.api.base_url: must be a plain address, without user, password or fragment"
    ),
    "[providers.acme.api]\nbase_url = 'https://llm.acme.example:99999'": (
        "line 2, providers.acme.api.base_url: must be a plain address, without user, password or fragment"
    ),
    "[providers.acme.api]\nenv = 'ACME KEY'": (
        "line 2, providers.acme.api.env: must be the name of an environment variable, or a list of names"
    ),
    "[providers.acme.api]\nenv = ['DOORKEY_KEY']": (
        "line 2, providers.acme.api.env: must not name a variable of Doorkey's own"
    ),
    "[providers.acme.methods.plan]\nclient_id = 7": (
        "line 2, providers.acme.methods.plan.client_id: must be a text of one line, not empty"
    ),
    "[providers.acme.methods.plan]\nscopes = 'openid'": (
        "line 2, providers.acme.methods.plan.scopes: must be a list of texts"
    ),
    "[providers.acme.methods.plan]\nfallback_ports = [true]": (
        "line 2, providers.acme.methods.plan.fallback_ports: must be a list of port numbers"
    ),
    "[providers.acme.methods.plan]\ntoken_body = 'xml'": (
        "line 2, providers.acme.methods.plan.token_body: must be one of form, json"
    ),
    "[providers.acme.methods.plan]\nredirect = 'https://acme.example/callback'": (
        "line 2, providers.acme.methods.plan.redirect: "
        "must be a plain http address on this machine, like http://127.0.0.1:0/callback"
    ),
    "[providers.acme.methods.plan]\nkind = 'api_key'": (
        "line 2, providers.acme.methods.plan.kind: cannot be changed for a built-in method"
    ),
    "[providers.acme.methods.plan]\npolicy = 'allowed'": (
        "line 2, providers.acme.methods.plan.policy: is not a known key"
    ),
    "[providers.acme.methods.api-key]\ndevice_url = 'https://acme.example/device'": (
        "line 2, providers.acme.methods.api-key.device_url: is not used by this kind of method"
    ),
    "[providers.'a:b']": "line 1, providers.'a:b': must be named with letters, digits, dots and dashes",
    '[providers."\\u001b[31m"]': (r"line 1, providers.'\x1b[31m': must be named with letters, digits, dots and dashes"),
}


@pytest.mark.parametrize(("text", "problem"), MISTAKES.items(), ids=MISTAKES.values())
def test_a_mistake_is_told_with_its_line_and_costs_only_its_own_entry(text, problem):
    result = merged(text)

    assert result.problems == (f"config.toml {problem}.",)
    assert result.providers == (BUILTIN,)


def test_a_mistake_leaves_the_other_keys_in_force():
    result = merged("[providers.acme]\nname = 'Ours'\ncolour = 'red'\n[providers.acme.api]\nenv = 'OTHER_KEY'")

    assert (result.providers[0].name, result.providers[0].api.env) == ("Ours", ("OTHER_KEY",))
    assert len(result.problems) == 1


def test_a_switch_with_a_mistake_is_off():
    result = merged("[providers.acme.methods.api-key]\nenabled = 'false'")

    assert result.providers[0].method("api-key").enabled is False
    assert result.problems == (
        "config.toml line 2, providers.acme.methods.api-key.enabled: must be true or false, without quotes.",
    )


def test_a_new_provider_needs_an_address_and_a_dialect():
    result = merged("[providers.company]\nname = 'Company'")

    assert result.providers == (BUILTIN,)
    assert result.problems == (
        "config.toml line 1, providers.company.api.base_url: is missing, so the provider is left out.",
        "config.toml line 1, providers.company.api.dialect: is missing, so the provider is left out.",
    )


def test_a_faulty_provider_leaves_the_others_in_force():
    result = merged(COMPANY + "[providers.other.api]\nbase_url = 'http://other.example'\ndialect = 'openai-chat'")

    assert [provider.id for provider in result.providers] == ["acme", "company"]
    assert len(result.problems) == 1


def test_where_the_file_stops_being_toml_is_told_by_line():
    result = merged("[providers.acme]\nname = 'Ours'\nenv_files = [\n")

    assert result.providers == (BUILTIN,)
    assert len(result.problems) == 1
    assert result.problems[0].startswith("config.toml line 3: ")


def test_a_syntax_mistake_in_the_middle_is_told_by_line():
    assert merged("\n\nname ! 'x'\n\n").problems[0].startswith("config.toml line 3: ")


def test_no_problem_repeats_a_value():
    canary = "sk-canary-77"

    result = merged(
        f"[network]\nproxy = '{canary}'\n"
        f"[providers.acme.api]\nbase_url = '{canary}'\nenv = '{canary}'\ndialect = '{canary}'"
    )

    assert len(result.problems) == 4
    assert canary not in "".join(result.problems)


@pytest.mark.parametrize("kind", Kind)
def test_a_built_in_method_of_every_kind_can_be_switched_off(kind):
    method = Method(id="way", kind=kind, name="Way")

    result = merge("[providers.acme.methods.way]\nenabled = false", [replace(BUILTIN, methods=(method,))])

    assert result.providers[0].methods == (replace(method, enabled=False),)
    assert result.problems == ()


def test_a_vendors_profile_cannot_be_added():
    result = merged("[providers.acme.methods.console]\nkind = 'profile'")

    assert result.providers == (BUILTIN,)
    assert len(result.problems) == 1


def test_every_simple_field_of_a_method_can_be_set():
    not_simple = {"id", "policy", "api", "network", "enterprise"}

    keys = set(config_fields.ANY_METHOD) - {"enterprise_host"}
    assert {field.name for field in names_of(Method)} - not_simple == keys


KEYS = st.sampled_from([*config_fields.ANY_METHOD, *config_fields.API, "providers", "acme", "api", "methods", "x", "é"])
VALUES = st.recursive(
    st.sampled_from(["true", "1", "-0.5", "1979-05-27", "'https://['", "'http://127.0.0.1:x/'", "''", "'api_key'"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS.map(repr), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]!r} = {pair[1]}"),
    st.lists(KEYS.map(repr), min_size=1, max_size=4).map(lambda keys: f"[providers.acme.{'.'.join(keys)}]"),
    st.lists(KEYS.map(repr), min_size=1, max_size=4).map(lambda keys: f"[{'.'.join(keys)}]"),
)


@given(st.one_of(st.text(), st.lists(LINES, max_size=8).map("\n".join)))
def test_no_text_crashes_it(text):
    result = merge(text, [BUILTIN])

    assert "acme" in [provider.id for provider in result.providers]
    assert all(problem.startswith("config.toml line ") for problem in result.problems)


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "1" * 5000, "x = " + "{a=" * 5000])
def test_no_depth_and_no_size_crashes_it(text):
    result = merge(text, [BUILTIN])

    assert result.providers == (BUILTIN,)
    assert len(result.problems) == 1
