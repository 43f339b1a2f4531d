import pytest

from doorkey.domain.foreign import is_tame, tame

WILD = ["\x1b[2J", "a\nb", "\x07", "\x9b1m", "\ud800", "abc\u202egnp", "\u2066x\u2069"]


@pytest.mark.parametrize("text", WILD)
def test_what_drives_a_terminal_or_turns_a_line_around_is_wild(text):
    assert not is_tame(text)
    assert is_tame(tame(text))
    assert tame(text).encode()


@pytest.mark.parametrize("text", ["Zoë", "山田\u3000太郎", "שלום", "👩\u200d💻", "a\xa0b", ""])
def test_names_of_any_script_are_tame(text):
    assert is_tame(text)
    assert tame(text) == text
