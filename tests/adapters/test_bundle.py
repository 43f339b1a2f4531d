"""A sealed bundle opens with its passphrase, whole and unchanged, and with nothing else."""

import base64
import json
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.adapters.bundle import COST, DEAREST, Cost, read, seal, unseal
from doorkey.domain.secret import Secret
from doorkey.errors import BundleRejected

CHEAP = Cost(memory=8, passes=1, lanes=1)
PHRASE = Secret("correct horse battery")
PLAIN = b'{"canary": "refresh-canary-7f3a"}'
FILE = seal(PLAIN, PHRASE, CHEAP)


def opened(content: bytes, passphrase: Secret = PHRASE) -> bytes:
    return unseal(read(content), passphrase)


def told(content: bytes) -> dict[str, object]:
    """Read the line that tells how to open a file."""
    line: dict[str, object] = json.loads(content.split(b"\n")[1])
    return line


def retold(**changes: object) -> bytes:
    """Make the file with another second line."""
    first, second, body = FILE.split(b"\n", 2)
    return b"\n".join([first, json.dumps(json.loads(second) | changes).encode(), body])


def test_the_passphrase_opens_it():
    assert opened(FILE) == PLAIN


def test_nothing_of_it_can_be_read_without():
    assert b"canary" not in FILE
    assert base64.b64encode(PHRASE.reveal().encode()) not in FILE


def test_two_files_of_the_same_share_neither_salt_nor_key():
    again = seal(PLAIN, PHRASE, CHEAP)

    assert all(told(again)[name] != told(FILE)[name] for name in ("salt", "nonce", "check"))


def test_a_real_file_costs_what_it_says():
    content = seal(PLAIN, PHRASE)

    assert read(content).cost == COST
    assert opened(content) == PLAIN


def test_the_same_letters_typed_on_another_system_open_it():
    composed, decomposed = (unicodedata.normalize(form, "süße Trüffel") for form in ("NFC", "NFD"))
    content = seal(PLAIN, Secret(composed), CHEAP)

    assert composed != decomposed
    assert opened(content, Secret(decomposed)) == PLAIN


@pytest.mark.parametrize("passphrase", ["correct horse batterx", "", "Correct horse battery", "correct horse battery "])
def test_another_passphrase_is_called_wrong(passphrase):
    with pytest.raises(BundleRejected, match="The passphrase is wrong"):
        opened(FILE, Secret(passphrase))


@pytest.mark.parametrize("place", range(len(FILE)))
def test_a_changed_byte_anywhere_is_noticed(place):
    changed = bytearray(FILE)
    changed[place] ^= 1

    with pytest.raises(BundleRejected):
        opened(bytes(changed))


@pytest.mark.parametrize("place", range(len(FILE)))
def test_a_file_that_is_cut_short_is_noticed_before_a_passphrase_is_asked_for(place):
    with pytest.raises(BundleRejected):
        read(FILE[:place])


def test_a_cut_says_so():
    with pytest.raises(BundleRejected, match="cut short"):
        read(FILE[:-1])


def test_something_appended_is_noticed():
    with pytest.raises(BundleRejected, match="damaged"):
        opened(FILE + b"more")


def test_a_newer_version_asks_for_a_newer_doorkey():
    with pytest.raises(BundleRejected, match="newer Doorkey") as caught:
        read(FILE.replace(b"doorkey-bundle 1", b"doorkey-bundle 2", 1))

    assert "Update" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"doorkey-bundle \n{}\n", b"doorkey-bundle one\n{}\n"])
def test_another_file_is_called_one(content):
    with pytest.raises(BundleRejected, match="no file that `doorkey export` wrote"):
        read(content)


@pytest.mark.parametrize(
    "changes",
    [
        {"memory_kib": DEAREST.memory + 1},
        {"passes": DEAREST.passes + 1},
        {"lanes": DEAREST.lanes + 1},
        {"memory_kib": 1 << 60},
        {"memory_kib": 7},
        {"memory_kib": -8, "lanes": -1},
        {"passes": 0},
    ],
)
def test_a_file_cannot_ask_for_more_than_a_computer_has(changes):
    with pytest.raises(BundleRejected, match="more memory or time"):
        read(retold(**changes))


@pytest.mark.parametrize(
    "changes", [{"memory_kib": "8"}, {"passes": True}, {"salt": "AAAA"}, {"nonce": None}, {"check": "ß"}, {"size": 1.5}]
)
def test_a_line_that_makes_no_sense_is_damage(changes):
    with pytest.raises(BundleRejected, match="damaged"):
        read(retold(**changes))


@given(st.binary() | st.binary().map(lambda rest: b"doorkey-bundle 1\n" + rest))
def test_no_bytes_do_worse_than_be_rejected(content):
    with suppress(BundleRejected):
        read(content)


@given(st.dictionaries(st.sampled_from(sorted(told(FILE))), st.none() | st.integers() | st.floats() | st.text()))
def test_no_line_does_worse_than_be_rejected(changes):
    with suppress(BundleRejected):
        read(retold(**changes))
