from dataclasses import replace

import pytest

from doorkey.domain.account import Identity, Origins
from doorkey.domain.provider import Payer
from doorkey.domain.secret import Secret
from doorkey.errors import ConsentNeeded, OriginChanged, PolicyRefused, SignInNeeded, UnknownName
from doorkey.ports import FoundKey
from doorkey.service import consents
from doorkey.service.resolve import Wish
from doorkey.service.rules import Rule
from doorkey.testing.values import HOUR, NOON
from tests.service.fakes import ACME, APP_ONLY, IN_ENVIRONMENT, LOCAL

IN_FILE = FoundKey("ACME_API_KEY", Secret("key-from-file"), "/projects/.env")


def choose(house, **wishes):
    return house.resolver.choose(Wish(**({"provider": "acme"} | wishes)))


def chosen(house, **wishes):
    choice = choose(house, **wishes)
    return choice.account.id if choice.account else choice.key.where


def test_the_order_is_asked_for_then_pinned_then_default_then_environment(house):
    house.surroundings.keys = [IN_ENVIRONMENT]
    oldest, pinned, asked = (house.keep(created_at=NOON + number * HOUR) for number in range(3))

    assert chosen(house, account=asked.id, pinned=pinned.id) == asked.id
    assert chosen(house, pinned=pinned.id) == pinned.id
    assert chosen(house) == oldest.id
    for account in (oldest, pinned, asked):
        house.world.ports.accounts.forget(account.id)
    assert chosen(house) == "environment"


def test_a_choice_says_by_which_rule_it_was_made_and_who_pays(house):
    account = house.keep()

    choice = choose(house)

    assert (choice.rule, choice.source, choice.payer) == ("default for acme", "managed", Payer.PLAN)
    assert choice.label == account.label


def test_a_key_of_the_environment_says_who_pays(house):
    house.surroundings.keys = [IN_ENVIRONMENT]

    choice = choose(house)

    assert (choice.source, choice.payer) == ("env", Payer.METERED)
    assert choice.label == "ACME_API_KEY from the environment"
    assert "key-from" not in repr(choice)


def test_the_default_that_was_chosen_stands_before_the_oldest(house):
    house.keep()
    second = house.keep(created_at=NOON + HOUR)
    house.book.use(second)

    assert chosen(house) == second.id
    assert house.book.is_default(second)


def test_a_sign_in_stands_before_an_older_key(house):
    house.keep_key()
    later = house.keep(created_at=NOON + HOUR)

    assert chosen(house) == later.id


@pytest.mark.parametrize("name", ["work", "ada@example.com", "acme/work"])
def test_an_account_is_asked_for_by_name_or_e_mail(house, name):
    account = house.keep(name="work")

    assert chosen(house, account=name) == account.id


def test_a_name_that_fits_several_accounts_is_refused(house):
    house.keep(name="one")
    house.keep(name="two")

    with pytest.raises(UnknownName, match="several"):
        choose(house, account="ada@example.com")


def test_an_account_of_another_provider_never_serves(house):
    elsewhere = house.keep_key("other")

    for wish in ({"account": elsewhere.id}, {"pinned": elsewhere.id}):
        with pytest.raises(UnknownName, match="at other, not at acme"):
            choose(house, **wish)


def refusals(house):
    """What stops each account, though a key that could pay lies in the environment."""
    house.surroundings.keys = [IN_ENVIRONMENT]
    return {
        "asked for": ({"account": "nobody"}, UnknownName),
        "pinned and gone": ({"pinned": "acc_gone"}, SignInNeeded),
        "moved": ({"account": house.keep(origins=Origins(api="https://old.example:443")).id}, OriginChanged),
        "token moved": (
            {"account": house.keep(origins=Origins(api="https://api.example:443", token="https://old.example:443")).id},
            OriginChanged,
        ),
        "method gone": ({"account": house.keep(method="gone").id}, UnknownName),
        "switched off": ({"account": house.keep(method="off").id}, PolicyRefused),
        "app only": ({"account": house.keep(method="app-only").id, "outside": True}, PolicyRefused),
    }


@pytest.mark.parametrize(
    "case", ["asked for", "pinned and gone", "moved", "token moved", "method gone", "switched off", "app only"]
)
def test_where_the_chosen_account_cannot_serve_nothing_else_is_tried(house, case):
    wish, error = refusals(house)[case]

    with pytest.raises(error):
        choose(house, **wish)


def test_no_account_and_no_key_asks_for_a_sign_in(house):
    with pytest.raises(SignInNeeded):
        choose(house)


def test_an_unknown_provider_is_said_so(house):
    with pytest.raises(UnknownName):
        choose(house, provider="nobody")


@pytest.mark.parametrize("served", ["in this chat", "at this provider"])
def test_where_an_account_served_before_a_key_pays_only_after_one_yes(house, served):
    house.surroundings.keys = [IN_ENVIRONMENT]
    if served == "at this provider":
        house.choices.set("served:acme", "acc_gone")
    wish = {"served_before": served == "in this chat"}

    with pytest.raises(ConsentNeeded) as caught:
        choose(house, **wish)
    house.consents.record(caught.value.consent)

    assert caught.value.consent == consents.for_payer("acme")
    assert chosen(house, **wish) == "environment"


def test_a_key_from_a_file_is_used_after_one_yes_for_that_file(house):
    house.surroundings.keys = [IN_FILE]

    with pytest.raises(ConsentNeeded) as caught:
        choose(house)
    house.consents.record(caught.value.consent)

    assert chosen(house) == "/projects/.env"
    house.surroundings.keys = [IN_FILE._replace(where="/elsewhere/.env")]
    with pytest.raises(ConsentNeeded):
        choose(house)


def test_a_file_that_the_config_names_needs_no_yes(house):
    house.surroundings.keys = [IN_FILE]
    house.catalog.trusted = ("/projects/.env",)

    assert choose(house).label == "ACME_API_KEY from .env"


def test_access_for_this_app_only_serves_this_app(house):
    account = house.keep(method="app-only")

    assert chosen(house) == account.id


def test_other_programs_get_it_only_by_config_and_consent(house):
    account = house.keep(method="app-only")
    allowed = replace(APP_ONLY, allow_outside_app=True)
    house.catalog.providers = (replace(ACME, methods=(allowed,)), LOCAL)

    with pytest.raises(ConsentNeeded) as caught:
        choose(house, outside=True)
    house.consents.record(caught.value.consent)

    assert caught.value.consent == consents.outside(account)
    assert chosen(house, outside=True) == account.id


def test_an_account_without_a_subject_is_called_by_its_method(house):
    house.keep_key(identity=Identity())

    assert choose(house).label == "acme api-key"


def rule(house, account, folder="/home/ada/work", **changes):
    house.book.rules.set(Rule(provider="acme", folder=folder, account=account.id, **changes))


def test_a_directory_rule_stands_before_the_default_and_behind_what_is_asked_for_or_pinned(house):
    house.keep()
    ruled, other = (house.keep(created_at=NOON + number * HOUR) for number in range(1, 3))
    rule(house, ruled)

    assert choose(house).rule == "rule for /home/ada/work"
    assert chosen(house) == ruled.id
    assert chosen(house, pinned=other.id) == other.id
    assert chosen(house, account=other.id) == other.id


def test_the_rule_of_the_folder_that_is_named_counts_and_not_that_of_ours(house):
    default = house.keep()
    here, there = (house.keep(created_at=NOON + number * HOUR) for number in range(1, 3))
    rule(house, here)
    rule(house, there, "/srv/site")

    assert chosen(house, folder="/srv/site/src") == there.id
    assert chosen(house, folder="/srv") == default.id
    assert chosen(house, folder=None) == default.id


@pytest.mark.parametrize("way", ["account", "pinned"])
def test_where_only_one_account_may_serve_every_other_is_refused(house, way):
    work, private = house.keep(name="work"), house.keep(name="private")
    rule(house, work, only=True)

    with pytest.raises(PolicyRefused, match="In /home/ada/work only work may serve acme"):
        choose(house, **{way: private.id})

    assert chosen(house) == chosen(house, account="work") == work.id
    assert chosen(house, account="private", folder="/home/ada") == private.id


def test_a_rule_whose_account_is_gone_lets_nobody_in_its_place(house):
    gone = house.keep()
    rule(house, gone)
    house.book.leave(gone, revoke_too=False)
    house.keep()
    house.surroundings.keys = [IN_ENVIRONMENT]

    with pytest.raises(SignInNeeded, match="the rule for /home/ada/work is no longer here") as stopped:
        choose(house)

    assert "doorkey use ACCOUNT --folder /home/ada/work" in stopped.value.hint


def test_a_preferred_account_is_asked_for_where_it_is_one_of_the_provider(house):
    house.keep()
    second = house.keep(name="work")
    elsewhere = house.keep_key("other", name="elsewhere")
    rule(house, house.keep())

    assert choose(house, preferred="work").rule == "asked for by DOORKEY_ACCOUNT"
    assert chosen(house, preferred="work") == second.id
    assert choose(house, preferred="elsewhere").rule == "rule for /home/ada/work"
    assert chosen(house, provider="other", preferred="elsewhere") == elsewhere.id


def test_a_preferred_account_that_is_none_is_a_slip(house):
    house.keep()

    with pytest.raises(UnknownName, match="wrok"):
        choose(house, preferred="wrok")


def test_a_name_at_two_providers_is_that_of_the_provider_that_is_asked_for(house):
    here, there = house.keep(name="work"), house.keep_key("other", name="work")

    assert chosen(house, account="work") == here.id
    assert chosen(house, provider="other", account="work") == there.id
    with pytest.raises(UnknownName, match="several"):
        house.resolver.find("work")
