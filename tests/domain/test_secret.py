import json
import logging
import pickle
import traceback
from copy import deepcopy

import pytest

from doorkey.domain.secret import STARS, Secret

CANARY = "canary-9d04"


def test_a_secret_shows_stars_wherever_it_is_printed(caplog):
    secret = Secret(CANARY)

    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("%s %r", secret, [secret])

    for shown in (str(secret), repr(secret), f"{secret:>20}", "{}".format(secret), "%s" % secret, caplog.text):  # noqa: UP031, UP032
        assert CANARY not in shown
        assert STARS in shown


def test_a_secret_stays_out_of_a_traceback_with_locals():
    def fail(secret):
        raise ValueError(secret)

    with pytest.raises(ValueError, match=r"\*") as caught:
        fail(Secret(CANARY))

    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(told.format())
    assert STARS in shown
    assert CANARY not in shown


@pytest.mark.parametrize("copy", [pickle.dumps, deepcopy, json.dumps])
def test_a_secret_leaves_the_process_in_no_encoding(copy):
    with pytest.raises(TypeError):
        copy(Secret(CANARY))


def test_only_reveal_gives_it_out():
    assert Secret(CANARY).reveal() == CANARY


def test_equal_texts_are_equal_secrets_and_a_secret_is_no_text():
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret("another")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY)}) == 1


def test_half_a_surrogate_pair_is_compared_like_any_text():
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800").digest() != Secret("?").digest()


def test_an_empty_secret_is_false():
    assert not Secret("")
    assert Secret(" ")
