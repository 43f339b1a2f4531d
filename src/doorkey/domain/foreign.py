"""Text that somebody else wrote, and what of it must not be shown or kept as it came."""

import unicodedata

_NO_TEXT = frozenset({"Cc", "Cs"})
"""Control characters, which drive a terminal, and halves of surrogate pairs, which no output takes."""

_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""What turns the order of the characters around it, so that a line reads as another than it is."""

_MARK = "\N{REPLACEMENT CHARACTER}"


def is_wild(char: str) -> bool:
    """Whether a character does something to what it is shown in."""
    return unicodedata.category(char) in _NO_TEXT or unicodedata.bidirectional(char) in _TURNING


def is_tame(text: str) -> bool:
    """Whether a text can be shown as it is."""
    return not any(map(is_wild, text))


def tame(text: str) -> str:
    """Put a mark in the place of every wild character."""
    return "".join(_MARK if is_wild(char) else char for char in text)
