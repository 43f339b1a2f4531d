import pytest

from doorkey.errors import ConsentNeeded


def test_a_consent_is_asked_for_once_and_kept_with_its_time(house):
    with pytest.raises(ConsentNeeded) as caught:
        house.consents.demand("terms", "Read the terms.", "Agree once.")
    house.consents.record(caught.value.consent)

    house.consents.demand("terms", "Read the terms.", "Agree once.")
    assert house.choices.get("consent:terms") == "2030-01-01T12:00:00+00:00"


def test_one_consent_is_not_another(house):
    house.consents.record("method:acme:one")

    assert house.consents.given("method:acme:one")
    assert not house.consents.given("method:acme:two")
