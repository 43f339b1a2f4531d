"""The key made of a passphrase."""

import json
import threading
from dataclasses import dataclass, field

import pytest

from doorkey.adapters.key_sources.passphrase import Argon2, NobodyToAsk, PassphraseKey, TriedPassphrases
from doorkey.adapters.key_sources.remembered import Remembered
from doorkey.adapters.key_sources.source import Lock
from doorkey.domain.secret import Secret
from doorkey.errors import KeyUnreadable, PassphraseNeeded

LONG = "correct horse battery staple"


@dataclass
class Typist:
    """Fill `ports.Passphrases` with somebody who types this, and count how often."""

    text: str = LONG
    asked: list[str] = field(default_factory=list)

    def ask(self):
        self.asked.append("ask")
        return Secret(self.text)

    def choose(self):
        self.asked.append("choose")
        return Secret(self.text)


def test_the_same_passphrase_makes_the_same_key():
    made = PassphraseKey(Typist()).create("a vault")

    found = PassphraseKey(Typist()).find(Lock.of("a vault", *made))

    assert found == made.secret
    assert LONG not in made.derivation


def test_another_passphrase_is_told_as_what_it_is():
    lock = Lock.of("a vault", *PassphraseKey(Typist()).create("a vault"))

    with pytest.raises(KeyUnreadable, match="not the passphrase of this vault"):
        PassphraseKey(Typist("something else altogether")).find(lock)


def test_two_vaults_with_one_passphrase_have_two_keys():
    source = PassphraseKey(Typist())

    assert source.create("a vault").secret != source.create("a vault").secret


def test_letters_that_look_the_same_are_the_same():
    lock = Lock.of("a vault", *PassphraseKey(Typist("caf\u00e9 caf\u00e9 caf\u00e9")).create("a vault"))

    found = PassphraseKey(Typist("cafe\u0301 cafe\u0301 cafe\u0301")).find(lock)

    assert found
    assert lock.fits(found)


def test_the_key_is_that_of_the_reference_code():
    # The vector of RFC 9106, section 5.3, has a secret and associated data; this is one of the reference code's own.
    argon2 = Argon2(salt=b"somesalt".hex(), memory=65536, iterations=2, lanes=1)

    made = argon2.derive(Secret("password"))

    assert made.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_a_short_one_is_refused():
    with pytest.raises(KeyUnreadable, match="12 characters"):
        PassphraseKey(Typist("eleven char")).create("a vault")


@pytest.mark.parametrize(
    "changes",
    [{"memory": 2**21}, {"memory": 1}, {"iterations": 0}, {"iterations": 10**9}, {"lanes": 0}, {"salt": "00"}],
)
def test_a_header_that_asks_for_too_much_or_too_little_is_refused(changes):
    derivation = json.dumps({"salt": "00" * 16, "memory": 65536, "iterations": 3, "lanes": 4} | changes)
    typist = Typist()

    with pytest.raises(KeyUnreadable, match="unsound"):
        PassphraseKey(typist).find(Lock(vault="a vault", master=b"", derivation=derivation))

    assert typist.asked == []


@pytest.mark.parametrize("derivation", [None, "", "{}", "[]", "nonsense", '{"salt": 1}', '{"salt": "no hex"}'])
def test_a_header_that_says_nothing_sensible_is_refused(derivation):
    with pytest.raises(KeyUnreadable, match="does not say"):
        PassphraseKey(Typist()).find(Lock(vault="a vault", master=b"", derivation=derivation))


def test_where_nobody_is_nobody_is_asked():
    with pytest.raises(PassphraseNeeded, match="nobody can be asked"):
        NobodyToAsk().ask()
    with pytest.raises(PassphraseNeeded, match="nobody can be asked"):
        NobodyToAsk().choose()


def test_one_that_is_tried_is_seen_by_who_tries_it_alone():
    passphrases = TriedPassphrases(Typist("others"))
    heard = []
    other = threading.Thread(target=lambda: heard.append(passphrases.ask()))

    with passphrases.trying(Secret(LONG)):
        heard.append(passphrases.ask())
        other.start()
        other.join()
    heard.append(passphrases.ask())

    assert heard == [Secret(LONG), Secret("others"), Secret("others")]


def test_a_new_one_is_never_the_one_that_is_tried():
    passphrases = TriedPassphrases(Typist("others"))

    with passphrases.trying(Secret(LONG)):
        assert passphrases.choose() == Secret("others")


def test_others_can_be_asked_from_now_on():
    passphrases = TriedPassphrases(Typist())

    passphrases.leave_to(NobodyToAsk(hint="Type it on the page."))

    with pytest.raises(PassphraseNeeded) as refusal:
        passphrases.ask()
    assert refusal.value.hint == "Type it on the page."


def test_who_typed_it_once_is_not_asked_again():
    typist = Typist()
    lock = Lock.of("a vault", *PassphraseKey(Typist()).create("a vault"))
    source = Remembered(PassphraseKey(typist))

    found = [source.find(lock), source.find(lock)]

    assert found[0] == found[1]
    assert typist.asked == ["ask"]


def test_who_chose_it_is_not_asked_for_it():
    typist = Typist()
    source = Remembered(PassphraseKey(typist))

    made = source.create("a vault")

    assert source.find(Lock.of("a vault", *made)) == made.secret
    assert typist.asked == ["choose"]


def test_a_wrong_one_is_asked_for_again():
    typist = Typist("something else altogether")
    lock = Lock.of("a vault", *PassphraseKey(Typist()).create("a vault"))
    source = Remembered(PassphraseKey(typist))
    with pytest.raises(KeyUnreadable):
        source.find(lock)

    typist.text = LONG
    found = source.find(lock)

    assert found
    assert lock.fits(found)
