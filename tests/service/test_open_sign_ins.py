"""A sign-in that waits for a person's word: an exchange without an answer, and somebody else than was meant."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from doorkey.domain.attempt import Status
from doorkey.errors import ConsentNeeded, ProviderUnavailable, SignInFailed
from doorkey.flows.attempts import LIFETIME
from doorkey.service.listing import sign_in_json
from doorkey.service.sign_in import SignIns


def reply_to(sign_in):
    state = parse_qs(urlsplit(sign_in.url).query)["state"][0]
    return f"{sign_in.redirect}?{urlencode({'code': 'code-1', 'state': state})}"


def become(house, subject, **start):
    house.world.endpoints.extra = {"account": {"uuid": subject, "email_address": f"{subject}@example.com"}}
    sign_in = house.sign_ins.start("acme", **start)
    return sign_in, lambda: house.sign_ins.reply(sign_in.id, reply_to(sign_in))


@pytest.fixture
def elsewhere(house):
    """Another process over the same vault."""
    return SignIns(house.sign_ins._world)


@pytest.fixture
def unanswered(house):
    house.world.endpoints.scripted = [ProviderUnavailable("The provider is not reached.")]
    sign_in, come_back = become(house, "ada")
    with pytest.raises(ProviderUnavailable):
        come_back()
    return sign_in


@pytest.fixture
def other(house):
    _, come_back = become(house, "ada")
    ada = come_back()
    sign_in, come_back = become(house, "grace", account=ada)
    with pytest.raises(ConsentNeeded, match=r"grace@example\.com, not ada@example\.com"):
        come_back()
    return sign_in


def test_an_exchange_without_an_answer_frees_the_port_and_can_be_repeated(house, unanswered):
    assert (unanswered.state, unanswered.over.is_set()) == (Status.UNANSWERED, True)
    assert house.listen.opened[0].closed
    told = sign_in_json(unanswered, house.listing)
    assert (told["state"], told["error"], told["can"]) == ("failed", "provider_unavailable", "retry")
    assert "Try again" in told["hint"]

    account = house.sign_ins.try_again(unanswered.id)

    assert (unanswered.state, unanswered.account) == (Status.SIGNED_IN, account)
    assert unanswered.failure is None
    assert "can" not in sign_in_json(unanswered, house.listing)


def test_the_browser_is_told_to_try_again_in_doorkey(house):
    house.world.endpoints.scripted = [ProviderUnavailable("The provider is not reached.")]
    sign_in = house.sign_ins.start("acme")

    shown = house.listen.opened[0].deliver(reply_to(sign_in))

    assert (shown.ok, shown.finished) == (False, True)
    assert "Try again" in shown.text


def test_another_process_can_repeat_it_too(house, unanswered, elsewhere):
    found = elsewhere.find(unanswered.id)

    assert (found.state, found.over.is_set()) == (Status.UNANSWERED, True)
    assert elsewhere.try_again(unanswered.id) == house.book.all()[0]
    assert house.sign_ins.try_again(unanswered.id) == unanswered.account == house.book.all()[0]


def test_it_can_be_repeated_only_while_the_code_lives(house, unanswered):
    house.clock.sleep(LIFETIME)

    with pytest.raises(SignInFailed, match="expired"):
        house.sign_ins.try_again(unanswered.id)

    assert unanswered.state is Status.FAILED


def test_giving_up_on_it_drops_the_code(house, unanswered):
    house.sign_ins.cancel(unanswered.id)

    kept = house.world.ports.attempts.load(unanswered.id)
    assert (unanswered.state, kept.status, kept.callback) == (Status.CANCELLED, Status.CANCELLED, None)


def test_who_signed_in_instead_is_kept_only_after_a_yes(house, other):
    (ada,) = house.book.all()
    told = sign_in_json(other, house.listing)
    assert (told["state"], told["error"], told["can"]) == ("failed", "consent_needed", "keep_other")

    grace = house.sign_ins.keep_other(other.id)

    assert house.book.all() == [ada, grace]
    assert (grace.identity.email, other.state) == ("grace@example.com", Status.SIGNED_IN)


def test_another_process_asks_the_same_question(other, elsewhere):
    found = elsewhere.find(other.id)

    assert str(found.failure) == str(other.failure)
    assert elsewhere.keep_other(other.id).identity.email == "grace@example.com"


def test_without_a_yes_nobody_is_added_and_their_tokens_go(house, other):
    house.sign_ins.cancel(other.id)

    assert [account.identity.email for account in house.book.all()] == ["ada@example.com"]
    assert house.world.ports.attempts.load(other.id).arrived is None


def test_only_what_waits_can_be_gone_on_with(house):
    sign_in = house.sign_ins.start("acme")

    for act in (house.sign_ins.try_again, house.sign_ins.keep_other):
        with pytest.raises(SignInFailed, match="nothing to go on with"):
            act(sign_in.id)

    assert sign_in.state is Status.WAITING
