"""What is offered of the findings, and what becomes of it."""

from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import pytest

from doorkey.domain.account import Identity
from doorkey.domain.finding import Finding, Taking
from doorkey.domain.owner import Owner
from doorkey.domain.provider import Kind
from doorkey.domain.secret import Secret
from doorkey.errors import ImportRejected, KeyUnreadable, PolicyRefused
from doorkey.service.importing import Fate, Importing, offer_json
from tests.service.fakes import ACME, KEY, OAUTH

CODEX_WAY = replace(OAUTH, id="codex", kind=Kind.AUTHORIZATION_CODE)
WHO = Identity(issuer=Owner.ANT.value, subject="default")


@dataclass
class Place:
    """Fill `ports.Finds`; a fault is raised in place of what was found."""

    place: str = "/home/ada/keys"
    found: list[Finding] = field(default_factory=list)
    fault: ImportRejected | None = None

    def look(self):
        if self.fault:
            raise self.fault
        return self.found


def a_key(name="ACME_API_KEY", key="sk-one", **changes):
    fields: dict[str, Any] = {
        "source": "env",
        "name": name,
        "file": "/x/.env",
        "taking": Taking.COPY,
        "meaning": "Copied.",
    }
    return Finding(**(fields | {"called": f"{name} from /x/.env", "secret": Secret(key)} | changes))


def a_sign_in(**changes):
    fields: dict[str, Any] = {
        "source": "ant",
        "name": "sign-in",
        "file": "/x/ant.json",
        "taking": Taking.READ,
        "meaning": "Read.",
    }
    return Finding(**(fields | {"provider": "acme", "method": "codex", "identity": WHO, "owner": Owner.ANT} | changes))


@pytest.fixture
def places():
    return {}


@pytest.fixture
def asked() -> list[PurePath | None]:
    """The files that were asked for."""
    return []


@pytest.fixture
def importing(house, places, asked):
    house.catalog.providers = (replace(ACME, methods=(KEY, CODEX_WAY)), *house.catalog.providers[1:])

    def look_at(env_file: PurePath | None) -> Any:
        asked.append(env_file)
        return places

    return Importing(places=look_at, catalog=house.catalog, accounts=house.accounts, keys=house.keys)


def offer_of(importing, places, finding):
    places["env"] = Place(found=[finding])
    (offer,) = importing.look().offers
    return offer


def test_a_key_finds_its_provider_by_variable_by_id_and_by_the_name_that_others_use(importing, places, house):
    house.catalog.providers += (replace(ACME, id="google", name="Google", api=replace(ACME.api, env=())),)
    places["llm"] = Place(found=[a_key("ACME_API_KEY"), a_key("acme"), a_key("Gemini"), a_key("nobody")])

    offers = importing.look().offers

    assert [offer.provider and offer.provider.id for offer in offers] == ["acme", "acme", "google", None]
    assert [offer.fate for offer in offers] == [Fate.NEW, Fate.NEW, Fate.NEW, Fate.REFUSED]


def test_a_key_is_copied_under_the_name_of_where_it_came_from(importing, places, house):
    account = importing.take(offer_of(importing, places, a_key()))

    assert (account.provider, account.method, account.name) == ("acme", "api-key", "ACME_API_KEY from /x/.env")
    assert house.world.stands(account.id).tokens.access == Secret("sk-one")


def test_a_key_leaves_the_unnamed_account_alone(importing, places, house):
    mine = house.keys.keep("acme", "api-key", Secret("sk-mine"), name=None)

    importing.take(offer_of(importing, places, a_key()))

    assert house.world.stands(mine.id).tokens.access == Secret("sk-mine")
    assert len(house.book.all()) == 2


def test_a_key_that_is_here_already_is_not_offered_again(importing, places, house):
    mine = house.keys.keep("acme", "api-key", Secret("sk-one"), name="work")

    offer = offer_of(importing, places, a_key())

    assert (offer.fate, offer.open, offer.account.id) == (Fate.HERE, False, mine.id)


def test_another_key_from_the_same_place_replaces_the_one_that_came_from_there(importing, places, house):
    first = importing.take(offer_of(importing, places, a_key()))

    offer = offer_of(importing, places, a_key(key="sk-two"))
    second = importing.take(offer)

    assert (offer.fate, offer.account.id, second.id) == (Fate.REPLACES, first.id, first.id)
    assert house.world.stands(first.id).tokens.access == Secret("sk-two")


def test_what_is_no_key_is_refused_before_anybody_is_asked(importing, places):
    offer = offer_of(importing, places, a_key(key="two words"))

    assert (offer.fate, offer.reason) == (Fate.REFUSED, "What stands there is no key.")


def test_a_vault_that_does_not_open_still_lists(importing, places, house):
    house.keys.keep("acme", "api-key", Secret("sk-one"), name="work")

    def unreadable(account):
        raise KeyUnreadable("The key is missing.")

    house.world.ports.accounts.load = unreadable

    assert offer_of(importing, places, a_key()).fate is Fate.NEW


def test_a_sign_in_is_followed_where_it_is_and_nothing_of_it_is_kept(importing, places, house):
    account = importing.take(offer_of(importing, places, a_sign_in()))

    assert (account.identity, account.owner, account.renews) == (WHO, Owner.ANT, False)
    assert (account.origins.token, account.origins.revoke, account.standing.proof) == (None, None, None)
    assert house.world.stands(account.id).tokens.access == Secret("")
    assert offer_of(importing, places, a_sign_in()).fate is Fate.HERE


def test_a_method_that_is_off_says_how_it_is_switched_on(importing, places, house):
    off = replace(CODEX_WAY, enabled=False)
    house.catalog.providers = (replace(ACME, methods=(KEY, off)), *house.catalog.providers[1:])

    offer = offer_of(importing, places, a_sign_in())

    assert offer.fate is Fate.REFUSED
    assert "enabled = true under [providers.acme.methods.codex]" in offer.reason
    with pytest.raises(PolicyRefused):
        importing.take(offer)


def test_what_is_only_shown_is_never_taken(importing, places, house):
    offer = offer_of(importing, places, a_sign_in(taking=Taking.SHOW, meaning="Never imported."))

    assert not offer.open
    with pytest.raises(PolicyRefused) as caught:
        importing.take(offer)
    assert caught.value.hint == "Never imported."
    assert house.book.all() == []


def test_a_key_of_nobody_known_cannot_be_taken(importing, places):
    with pytest.raises(ImportRejected, match="no provider"):
        importing.take(offer_of(importing, places, a_key("nobody")))


def test_a_file_that_cannot_be_read_hides_no_other(importing, places):
    places |= {"llm": Place(fault=ImportRejected("keys.json is not whole.")), "env": Place(found=[a_key()])}

    survey = importing.look()

    assert [offer.finding.name for offer in survey.offers] == ["ACME_API_KEY"]
    assert str(survey.problems["llm"]) == "keys.json is not whole."
    assert survey.places == {"llm": "/home/ada/keys", "env": "/home/ada/keys"}


def test_one_source_is_looked_at_alone_in_the_file_that_was_named(importing, places, asked):
    places |= {"llm": Place(found=[a_key("acme")]), "env": Place(found=[a_key()])}

    survey = importing.look("env", PurePath("other.env"))

    assert list(survey.places) == ["env"]
    assert asked == [PurePath("other.env")]


def test_an_offer_is_described_without_its_secret(importing, places):
    described = offer_json(offer_of(importing, places, a_key(warning="Others may read it.")))

    assert "sk-one" not in str(described)
    assert (described["importing"], described["outcome"], described["provider"]) == ("copy", "new", "acme")
