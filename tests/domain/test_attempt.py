from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.domain.attempt import DYNAMIC_CLIENT, LONGEST_REPLY, MOVES, Callback, Status, parse_callback
from doorkey.domain.secret import Secret
from doorkey.errors import DoorkeyError, ReplyRejected, SignInFailed
from doorkey.testing.values import an_attempt

STATE = "state-value"
ISSUER = "https://issuer.example"
CANARY = "canary-31c8"

GOOD = {"code": "code-1", "state": STATE}


def query(**changes):
    fields = GOOD | changes
    return urlencode({name: value for name, value in fields.items() if value is not None})


def address(**changes):
    return f"http://127.0.0.1:4000/callback?{query(**changes)}"


@pytest.mark.parametrize(
    "reply",
    [
        address(),
        f"  {address()}\n",
        f"{address()}#_=_",
        query(),
        f"?{query()}",
        f"127.0.0.1:4000/callback?{query()}",
        f"code-1#{STATE}",
        f"\tcode-1#{STATE} ",
        address(scope="openid", session_state="xyz"),
    ],
)
def test_a_reply_is_taken_in_every_form_that_people_have_it(reply):
    assert parse_callback(an_attempt(), reply) == Callback(Secret("code-1"), "client-1")


@pytest.mark.parametrize(
    "reply",
    [
        "",
        " ",
        "code-1",
        "#",
        "code-1#",
        f"#{STATE}",
        f"code-1#{STATE}#more",
        "http://127.0.0.1:4000/callback",
        "http://[",
        "https://\u2100.example/?x",
        "code=code-1",
        address(state=None),
        address(state=""),
        address(state="another"),
        address(state=f"{STATE}x"),
        "code-1#another",
        address(code=None),
        address(code=""),
        address(code="two words\n"),
        address(code="c\u00f6de"),
        f"code-\ud800#{STATE}",
        "code-1#\ud800",
        f"{address()}&state={STATE}",
        f"{address()}&code=code-2",
        f"state=another&{query()}",
        f"{query()}&pad={'x' * LONGEST_REPLY}",
    ],
)
def test_a_reply_that_is_not_this_attempts_is_rejected_and_the_attempt_goes_on(reply):
    with pytest.raises(ReplyRejected):
        parse_callback(an_attempt(), reply)


@pytest.mark.parametrize("always", [True, False])
def test_the_right_issuer_is_accepted(always):
    attempt = an_attempt(issuer=ISSUER, iss_always_sent=always)

    assert parse_callback(attempt, address(iss=ISSUER)).code == Secret("code-1")
    assert parse_callback(attempt, f"{query()}&iss={ISSUER}").code == Secret("code-1")


@pytest.mark.parametrize("said", ["https://other.example", f"{ISSUER}/", "", ISSUER.upper()])
@pytest.mark.parametrize("known", [ISSUER, None])
def test_another_issuer_is_rejected_whenever_it_is_named(said, known):
    with pytest.raises(ReplyRejected, match="another server"):
        parse_callback(an_attempt(issuer=known), address(iss=said))


def test_a_missing_issuer_is_borne_where_it_is_not_always_sent():
    assert parse_callback(an_attempt(issuer=ISSUER), f"code-1#{STATE}").code == Secret("code-1")


def test_where_the_issuer_is_always_sent_a_pasted_pair_is_answered_with_what_to_paste():
    attempt = an_attempt(issuer=ISSUER, iss_always_sent=True)

    with pytest.raises(ReplyRejected) as pair:
        parse_callback(attempt, f"code-1#{STATE}")
    with pytest.raises(ReplyRejected) as whole:
        parse_callback(attempt, address())

    assert "instead of the code" in pair.value.hint
    assert whole.value.hint == ReplyRejected.hint


def test_a_refusal_with_the_right_state_ends_the_attempt():
    with pytest.raises(SignInFailed, match="not approved"):
        parse_callback(an_attempt(), address(code=None, error="access_denied"))


def test_a_known_error_is_named_and_an_unknown_one_is_not_repeated():
    with pytest.raises(SignInFailed, match="server_error"):
        parse_callback(an_attempt(), address(error="server_error"))
    with pytest.raises(SignInFailed, match="an unknown error"):
        parse_callback(an_attempt(), address(error=CANARY))


@pytest.mark.parametrize(
    "reply", [address(error="access_denied", state="another"), "error=access_denied", "error=access_denied&state="]
)
def test_a_refusal_with_a_wrong_state_is_ignored(reply):
    with pytest.raises(ReplyRejected):
        parse_callback(an_attempt(), reply)


def test_a_refusal_from_another_issuer_is_ignored():
    with pytest.raises(ReplyRejected):
        parse_callback(an_attempt(issuer=ISSUER), address(error="access_denied", iss="https://other.example"))


def test_a_new_registration_is_exchanged_with_the_issued_client():
    attempt = an_attempt(registers=True, client_id=DYNAMIC_CLIENT)

    assert parse_callback(attempt, address(client_id="oaiapp_1")).client_id == "oaiapp_1"


@pytest.mark.parametrize("issued", [None, "", DYNAMIC_CLIENT, "two words\n", "\u00f6"])
def test_a_new_registration_without_an_issued_client_is_rejected(issued):
    with pytest.raises(ReplyRejected, match="no registration"):
        parse_callback(an_attempt(registers=True, client_id=DYNAMIC_CLIENT), address(client_id=issued))


@pytest.mark.parametrize("issued", [None, "", "oaiapp_1"])
def test_a_reconnect_keeps_its_own_client(issued):
    attempt = an_attempt(registers=True, client_id="oaiapp_1")

    assert parse_callback(attempt, address(client_id=issued)).client_id == "oaiapp_1"


@pytest.mark.parametrize("issued", ["oaiapp_2", DYNAMIC_CLIENT])
def test_a_reconnect_that_names_another_client_is_rejected(issued):
    with pytest.raises(ReplyRejected, match="another registration"):
        parse_callback(an_attempt(registers=True, client_id="oaiapp_1"), address(client_id=issued))


def test_a_method_that_does_not_register_ignores_a_client_in_the_reply():
    assert parse_callback(an_attempt(), address(client_id="stranger")).client_id == "client-1"


@given(
    st.one_of(
        st.text(max_size=300),
        st.text(alphabet="codestaerri=&#?:/%5-", max_size=60),
        st.dictionaries(st.sampled_from(["code", "state", "iss", "error", "client_id"]), st.text(max_size=20)).map(
            lambda fields: urlencode(fields, errors="replace")
        ),
    )
)
def test_no_reply_breaks_the_reading(reply):
    try:
        callback = parse_callback(an_attempt(), reply)
    except (ReplyRejected, SignInFailed):
        return
    assert STATE in reply
    assert callback.code


@given(
    field=st.sampled_from(["code", "state", "iss", "error", "error_description", "client_id", "canary"]),
    shape=st.sampled_from([address, query, lambda **fields: "#".join(map(str, fields.values()))]),
    state=st.sampled_from([STATE, "another"]),
    registers=st.booleans(),
)
def test_nothing_of_a_reply_enters_an_error(field, shape, state, registers):
    attempt = an_attempt(issuer=ISSUER, registers=registers, client_id=DYNAMIC_CLIENT)
    told = ""
    try:
        parse_callback(attempt, shape(**({"state": state} | {field: CANARY})))
    except DoorkeyError as error:
        told = f"{error!r}{error}{error.hint}{error.__cause__!r}"

    assert CANARY not in told


def test_no_secret_of_an_attempt_shows_when_it_is_printed():
    printed = repr(an_attempt()) + repr(parse_callback(an_attempt(), address()))

    assert not any(secret in printed for secret in (STATE, "verifier-value", "nonce-value", "code-1"))


def test_an_end_has_no_way_on():
    ends = {Status.SIGNED_IN, Status.FAILED, Status.CANCELLED}

    assert ends.isdisjoint(MOVES)
    assert Status.CANCELLED not in MOVES[Status.EXCHANGING]


PATH = "http://127.0.0.1:4000/callback/state-value"


@pytest.mark.parametrize(
    "reply", [f"{PATH}?code=code-1", f" {PATH}?code=code-1#_=_", f"{PATH}?code=code-1&state=other"]
)
def test_without_a_parameter_for_it_the_path_shows_the_state(reply):
    attempt = an_attempt(state_in_path=True, client_id="")

    assert attempt.return_address == PATH
    assert parse_callback(attempt, reply) == Callback(Secret("code-1"), "")


@pytest.mark.parametrize(
    "reply",
    [
        "http://127.0.0.1:4000/callback?code=code-1",
        "http://127.0.0.1:4000/callback/?code=code-1",
        "http://127.0.0.1:4000/callback/other?code=code-1&state=state-value",
        f"{PATH}",
        f"{PATH}?",
        f"{PATH}?error=&code=",
        "code=code-1&state=state-value",
        "code-1#state-value",
    ],
)
def test_a_reply_without_the_path_of_its_attempt_is_another_sign_in(reply):
    with pytest.raises((ReplyRejected, SignInFailed)) as caught:
        parse_callback(an_attempt(state_in_path=True), reply)

    assert isinstance(caught.value, ReplyRejected) or "error" in reply
