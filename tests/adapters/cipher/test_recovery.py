"""The recovery code: read as people write it, and a slip is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.adapters.cipher.recovery import _LETTERS, code_key, new_code
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable


def test_a_code_has_seven_groups_of_four():
    code = new_code().reveal()

    assert [len(group) for group in code.split("-")] == [4] * 7
    assert set(code) <= set(_LETTERS) | {"-"}


def test_no_two_codes_are_the_same():
    assert len({new_code() for _ in range(100)}) == 100


def test_small_letters_blanks_and_look_alikes_do_not_matter():
    code = new_code()
    written = f" {code.reveal().lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')}\n"

    assert code_key(Secret(written), "a vault") == code_key(code, "a vault")


def test_the_same_code_is_another_key_for_another_vault():
    code = new_code()

    one, two = code_key(code, "one"), code_key(code, "two")

    assert one.id != two.id
    assert one.secret != two.secret


def test_the_id_tells_nothing_of_the_key():
    key = code_key(new_code(), "a vault")

    assert key.id not in key.secret


def test_a_single_wrong_letter_is_noticed_nearly_always():
    noticed = 0
    for _ in range(500):
        code = new_code().reveal()
        wrong = _LETTERS[(_LETTERS.index(code[0]) + 1) % 32] + code[1:]
        try:
            code_key(Secret(wrong), "a vault")
        except KeyUnreadable:
            noticed += 1

    assert noticed >= 490


@given(st.text())
def test_any_other_text_is_refused_and_not_repeated(text):
    with pytest.raises(KeyUnreadable) as refused:
        code_key(Secret(text), "a vault")

    assert len(text) < 3 or text not in f"{refused.value} {refused.value.hint}"
