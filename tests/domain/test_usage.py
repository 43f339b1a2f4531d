from dataclasses import replace

from doorkey.domain.conversation import Served
from doorkey.domain.provider import Payer
from doorkey.domain.usage import Usage, summed

PLAN = Served(provider="acme", model="large", method="oauth", payer=Payer.PLAN, account="acc_1", label="Ada")
KEY = replace(PLAN, method="api-key", payer=Payer.METERED, account=None, label="ACME_API_KEY from the environment")


def test_what_has_the_same_key_is_one_sum():
    used = summed([Usage.of(PLAN, 10, 1), Usage.of(PLAN, 20, 2)])

    assert used == [replace(Usage.of(PLAN, 30, 3), answers=2)]


def test_keys_from_the_environment_are_told_apart_by_their_names():
    other = replace(KEY, label="OTHER_API_KEY from the environment")

    used = summed([Usage.of(KEY, 1, 0), Usage.of(other, 1, 0)])

    assert [each.label for each in used] == [KEY.label, other.label]


def test_the_most_tokens_come_first():
    used = summed([Usage.of(PLAN, 1, 1), Usage.of(KEY, 1, 2)])

    assert [each.payer for each in used] == [Payer.METERED, Payer.PLAN]
