import threading
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from doorkey.domain.attempt import Status
from doorkey.domain.provider import Grant
from doorkey.domain.secret import Secret
from doorkey.errors import (
    ConsentNeeded,
    Misconfigured,
    PolicyRefused,
    ReplyRejected,
    SignInFailed,
    UnknownName,
)
from doorkey.flows.attempts import LIFETIME
from doorkey.service.sign_in import SignIns
from doorkey.testing.script import ISSUER, answer
from doorkey.testing.values import NOON, an_identity
from tests.service.fakes import ACME, OAUTH

PATIENCE = 20.0  # How long a test waits for what must happen, before it fails.


def reply_to(sign_in, **changes):
    """What the browser brings back after the person allowed it."""
    state = parse_qs(urlsplit(sign_in.url).query)["state"][0]
    return f"{sign_in.redirect}?{urlencode({'code': 'code-1', 'state': state} | changes)}"


def offer(house, method):
    """Let Acme offer only this way to sign in."""
    house.catalog.providers = (replace(ACME, methods=(method,)),)


def test_a_sign_in_waits_on_a_port_with_a_url_to_open(house):
    sign_in = house.sign_ins.start("acme")

    assert sign_in.state is Status.WAITING
    assert sign_in.redirect == house.listen.opened[0].redirect == "http://127.0.0.1:4000/callback"
    assert parse_qs(urlsplit(sign_in.url).query)["redirect_uri"] == [sign_in.redirect]
    assert sign_in.expires_at == NOON + LIFETIME
    assert house.sign_ins.find(sign_in.id) is sign_in


def test_the_browser_that_comes_back_signs_in_and_frees_the_port(house):
    sign_in = house.sign_ins.start("acme", name="work")
    (listener,) = house.listen.opened

    shown = listener.deliver(reply_to(sign_in))

    assert shown.ok
    assert shown.finished
    assert shown.title == "Signed in as work"
    assert (sign_in.state, sign_in.account) == (Status.SIGNED_IN, house.book.find("work"))
    assert sign_in.over.is_set()
    assert listener.closed


def test_a_pasted_reply_signs_in(house):
    sign_in = house.sign_ins.start("acme")

    account = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert account == sign_in.account
    assert house.choices.get("served:acme") == account.id


def test_a_foreign_reply_leaves_the_sign_in_waiting(house):
    sign_in = house.sign_ins.start("acme")
    (listener,) = house.listen.opened

    shown = listener.deliver(reply_to(sign_in, state="another"))

    assert not shown.ok
    assert not shown.finished
    assert sign_in.state is Status.WAITING
    assert not listener.closed
    with pytest.raises(ReplyRejected):
        house.sign_ins.reply(sign_in.id, "rubbish")
    assert house.sign_ins.reply(sign_in.id, reply_to(sign_in))


def test_a_person_who_says_no_ends_the_sign_in(house):
    sign_in = house.sign_ins.start("acme")
    (listener,) = house.listen.opened

    shown = listener.deliver(reply_to(sign_in, error="access_denied"))

    assert not shown.ok
    assert shown.finished
    assert sign_in.state is Status.FAILED
    assert sign_in.failure.code == "sign_in_failed"
    assert listener.closed


def test_nothing_of_a_reply_is_shown_to_the_browser(house):
    sign_in = house.sign_ins.start("acme")
    (listener,) = house.listen.opened

    shown = [
        listener.deliver(reply_to(sign_in, state="canary-1")),
        listener.deliver(reply_to(sign_in, error="canary_2", error_description="canary-3")),
    ]

    assert "canary" not in str(shown)


def test_a_sign_in_that_is_over_takes_no_reply(house):
    sign_in = house.sign_ins.start("acme")
    reply = reply_to(sign_in)
    house.sign_ins.reply(sign_in.id, reply)

    with pytest.raises(SignInFailed, match="already over"):
        house.sign_ins.reply(sign_in.id, reply)

    assert sign_in.state is Status.SIGNED_IN


def test_the_same_reply_pasted_and_delivered_at_once_signs_in_once(house):
    sign_in = house.sign_ins.start("acme")
    reply = reply_to(sign_in)
    ends = []

    def second():
        with pytest.raises(SignInFailed) as caught:
            house.sign_ins.reply(sign_in.id, reply)
        ends.append(caught.value)

    def answered_late(_request):
        other.start()
        assert sign_in.state is Status.EXCHANGING
        return answer(200, {"access_token": "access", "refresh_token": "refresh"})

    other = threading.Thread(target=second)
    house.world.endpoints.scripted = [answered_late]

    account = house.sign_ins.reply(sign_in.id, reply)
    other.join(PATIENCE)

    assert (sign_in.state, sign_in.account, sign_in.failure) == (Status.SIGNED_IN, account, None)
    assert len(ends) == 1


def test_a_sign_in_that_is_cancelled_frees_its_port_and_takes_no_reply(house):
    sign_in = house.sign_ins.start("acme")
    (listener,) = house.listen.opened

    house.sign_ins.cancel(sign_in.id)

    assert sign_in.state is Status.CANCELLED
    assert listener.closed
    with pytest.raises(SignInFailed, match="cancelled"):
        house.sign_ins.reply(sign_in.id, reply_to(sign_in))
    assert house.world.endpoints.requests == []


def test_cancelling_what_is_over_changes_nothing(house):
    sign_in = house.sign_ins.start("acme")
    account = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    house.sign_ins.cancel(sign_in.id)

    assert (sign_in.state, sign_in.account, sign_in.failure) == (Status.SIGNED_IN, account, None)


def test_a_bug_in_the_exchange_still_ends_the_sign_in(house):
    sign_in = house.sign_ins.start("acme")
    house.world.endpoints.scripted = [ZeroDivisionError("a bug")]

    with pytest.raises(ZeroDivisionError):
        house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert sign_in.over.is_set()
    assert sign_in.state is Status.FAILED


def test_a_sign_in_ends_after_its_time(house):
    sign_in = house.sign_ins.start("acme")
    house.clock.sleep(LIFETIME)

    assert house.sign_ins.find(sign_in.id).state is Status.FAILED
    assert "expired" in str(sign_in.failure)
    assert house.listen.opened[0].closed


def test_an_unknown_sign_in_is_said_so(house):
    with pytest.raises(UnknownName):
        house.sign_ins.find("sgn_nobody")


def test_closing_frees_every_port(house):
    house.sign_ins.start("acme")
    house.sign_ins.start("acme")

    house.sign_ins.close()

    assert [listener.closed for listener in house.listen.opened] == [True, True]


def test_without_a_free_port_the_reply_is_pasted(house):
    house.listen.busy = True
    sign_in = house.sign_ins.start("acme")

    account = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert sign_in.listener is None
    assert account.id == house.book.all()[0].id


@pytest.mark.parametrize("busy", [True, False])
def test_a_provider_with_a_page_for_pasting_is_sent_there(house, busy):
    page = f"{ISSUER}/paste"
    offer(house, replace(OAUTH, paste_redirect=page))
    house.listen.busy = busy

    sign_in = house.sign_ins.start("acme", paste=not busy)

    assert sign_in.redirect == page
    assert sign_in.listener is None


def test_a_port_is_freed_when_the_sign_in_cannot_begin(house):
    house.world.vault.attempts.save = None

    with pytest.raises(TypeError):
        house.sign_ins.start("acme")

    assert [listener.closed for listener in house.listen.opened] == [True]


@pytest.mark.parametrize(
    ("method", "error", "says"),
    [
        ("contested", ConsentNeeded, "Read this first."),
        ("off", PolicyRefused, "switched off"),
        ("unregistered", Misconfigured, "no client id"),
        ("api-key", Misconfigured, "not signed in through the browser"),
        ("nothing", UnknownName, "no method nothing"),
    ],
)
def test_a_way_that_may_not_or_cannot_be_used_is_refused_before_a_port_is_held(house, method, error, says):
    with pytest.raises(error, match=says):
        house.sign_ins.start("acme", method)

    assert house.listen.opened == []


def test_where_nothing_can_be_used_the_first_way_says_why(house):
    offer(house, replace(OAUTH, client_id=None))

    with pytest.raises(Misconfigured, match="no client id"):
        house.sign_ins.start("acme")


def test_a_contested_way_opens_after_one_yes(house):
    with pytest.raises(ConsentNeeded) as caught:
        house.sign_ins.start("acme", "contested")
    house.consents.record(caught.value.consent)

    assert caught.value.consent == "method:acme:contested"
    assert house.sign_ins.start("acme", "contested").state is Status.WAITING


def test_an_authorization_address_that_is_not_safe_is_not_opened(house):
    offer(house, replace(OAUTH, authorize_url="http://issuer.example/authorize"))

    with pytest.raises(Misconfigured, match="no safe authorization address"):
        house.sign_ins.start("acme")


def test_an_issuer_alone_is_enough_to_sign_in(house):
    offer(house, replace(OAUTH, authorize_url=None, token_url=None, revoke_url=None))
    metadata = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/token"}
    house.world.endpoints.scripted = [answer(200, metadata)]

    sign_in = house.sign_ins.start("acme")

    assert sign_in.url.startswith(f"{ISSUER}/a?")
    assert house.sign_ins.reply(sign_in.id, reply_to(sign_in)).origins.token == "https://issuer.example:443"


def test_the_practice_provider_is_asked_for_before_its_page_is_opened(house):
    house.sign_ins.start("acme")

    assert house.practice.asked == ["acme"]


def test_a_reconnect_renews_its_own_account(house):
    account = house.keep(name="work", identity=an_identity(subject=None, workspace=None))
    sign_in = house.sign_ins.start("acme", account=account)

    again = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert (again.id, again.name, again.generation) == (account.id, "work", 1)


def test_this_vault_is_one_host_in_every_sign_in(house):
    offer(house, replace(OAUTH, registers=True, client_id=None))

    urls = [house.sign_ins.start("acme").url for _ in range(2)]

    hosts = {parse_qs(urlsplit(url).query)["ext_agent_host_id"][0] for url in urls}
    assert len(hosts) == 1
    assert hosts.pop().startswith("urn:uuid:")


def test_the_reply_after_the_time_ends_it_too(house):
    sign_in = house.sign_ins.start("acme")
    house.clock.sleep(LIFETIME + timedelta(seconds=1))

    with pytest.raises(SignInFailed, match="expired"):
        house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert house.world.endpoints.requests == []


@pytest.fixture
def elsewhere(house):
    """Another process over the same vault."""
    return SignIns(house.sign_ins._world)


def test_a_sign_in_that_another_process_began_goes_on_here_by_paste(house, elsewhere):
    sign_in = elsewhere.start("acme", name="work")

    found = house.sign_ins.find(sign_in.id)
    account = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert (found.url, found.redirect, found.listener) == (sign_in.url, sign_in.redirect, None)
    assert account == house.book.find("work")
    assert found is house.sign_ins.find(sign_in.id)


def test_a_sign_in_that_was_finished_elsewhere_is_finished_where_it_began(house, elsewhere):
    sign_in = elsewhere.start("acme")
    account = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    found = elsewhere.find(sign_in.id)

    assert (found.state, found.account) == (Status.SIGNED_IN, account)
    assert house.listen.opened[0].closed


def test_a_reconnect_goes_on_elsewhere_for_the_same_account(house, elsewhere):
    first = house.sign_ins.start("acme", name="work")
    account = house.sign_ins.reply(first.id, reply_to(first))
    sign_in = elsewhere.start("acme", account=account)

    again = house.sign_ins.reply(sign_in.id, reply_to(sign_in))

    assert (again.id, again.name) == (account.id, "work")


def test_a_sign_in_that_was_cancelled_elsewhere_is_over_and_takes_no_reply(house, elsewhere):
    sign_in = house.sign_ins.start("acme")

    elsewhere.cancel(sign_in.id)

    assert house.sign_ins.find(sign_in.id).state is Status.CANCELLED
    with pytest.raises(SignInFailed, match="cancelled"):
        house.sign_ins.reply(sign_in.id, reply_to(sign_in))


def test_a_sign_in_that_was_denied_elsewhere_has_failed(house, elsewhere):
    sign_in = house.sign_ins.start("acme")
    with pytest.raises(SignInFailed):
        elsewhere.reply(sign_in.id, reply_to(sign_in, error="access_denied"))

    found = house.sign_ins.find(sign_in.id)

    assert found.state is Status.FAILED
    assert "Allow" in found.failure.hint


def test_a_sign_in_for_a_key_goes_on_elsewhere_under_the_same_path(house, elsewhere):
    offer(house, replace(OAUTH, client_id=None, grant=Grant.KEY, scopes=()))
    begun = house.sign_ins.start("acme")
    path = house.listen.opened[0].redirect
    house.world.endpoints.scripted = [answer(200, {"key": "key-1", "user_id": "user-1"})]

    account = elsewhere.reply(begun.id, f"{path}?code=code-1")

    assert path.startswith("http://127.0.0.1:4000/callback/")
    assert elsewhere.find(begun.id).url == begun.url
    assert (account.identity.subject, house.world.stands(account.id).tokens.access) == ("user-1", Secret("key-1"))


def test_every_sign_in_for_a_key_listens_at_a_path_of_its_own(house):
    offer(house, replace(OAUTH, client_id=None, grant=Grant.KEY, scopes=()))
    house.sign_ins.start("acme")
    house.sign_ins.start("acme")

    one, other = (listener.redirect for listener in house.listen.opened)

    assert one != other
    assert len(one.rpartition("/")[2]) == 43


def test_an_exchange_that_another_process_broke_off_ends_with_its_time(house, elsewhere):
    sign_in = house.sign_ins.start("acme")
    exchanging = replace(sign_in.attempt, status=Status.EXCHANGING)
    house.world.ports.attempts.save(exchanging, was=Status.WAITING)

    during = elsewhere.find(sign_in.id).state
    house.clock.sleep(LIFETIME)

    assert during is Status.EXCHANGING
    assert elsewhere.find(sign_in.id).state is Status.FAILED


def test_the_next_sign_in_that_wants_the_port_ends_this_one(house):
    sign_in = house.sign_ins.start("acme")
    (listener,) = house.listen.opened

    listener.leave()

    assert (sign_in.state, listener.closed) == (Status.CANCELLED, True)
    assert "taken its port over" in str(sign_in.failure)
    assert house.world.status(sign_in.id) is Status.CANCELLED
