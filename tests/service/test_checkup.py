from errno import EACCES

import pytest

from doorkey.errors import StoreBusy
from doorkey.ports import KeyFacts
from doorkey.service import checkup
from doorkey.service.checkup import Checkup, Finding, fault

ENTRY = dict.fromkeys(("name", "identity", "reason", "action", "until")) | {
    "id": "a1",
    "provider": "acme",
    "state": "ready",
}


def test_a_check_that_fails_is_a_finding_and_the_others_go_on():
    def locked():
        raise StoreBusy("Another program holds it.")

    def closed():
        raise PermissionError(EACCES, "Permission denied", "/somewhere")

    fine = Finding(check="three", text="fine")
    first, second, third = Checkup([("one", locked), ("two", closed), ("three", lambda: [fine])]).findings()

    assert first == fault("one", "Another program holds it.", StoreBusy.hint)
    assert (second.check, second.ok, second.text) == ("two", False, "could not be looked at: Permission denied")
    assert third == fine


@pytest.mark.parametrize(
    ("entry", "text", "fix"),
    [
        (
            {"action": "reconnect", "state": "sign_in_needed", "name": "work", "reason": "It was revoked."},
            "acme work: It was revoked.",
            "doorkey login acme --account a1",
        ),
        (
            {"action": "fix_config", "state": "blocked", "identity": "ann@example.com"},
            "acme ann@example.com: blocked",
            "Correct its entry in config.toml, or sign in again: doorkey login acme --account a1",
        ),
        (
            {"action": "restore_entry", "state": "blocked", "reason": "It is gone."},
            "acme a1: It is gone.",
            "Bring it back into config.toml, or forget the account: doorkey logout a1",
        ),
        (
            {"action": "open_owner", "state": "sign_in_needed", "reason": "It has run out."},
            "acme a1: It has run out.",
            "Sign in again in the program that keeps this sign-in.",
        ),
    ],
)
def test_an_account_that_needs_a_person_is_a_fault_with_one_remedy(entry, text, fix):
    [_, found] = checkup.accounts([ENTRY | entry])

    assert found == fault("accounts", text, fix)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"action": "wait", "state": "over_limit", "until": "2026-12-01T10:00:00Z"}, "until 2026-12-01T10:00:00Z"),
        ({"action": "switch_on", "state": "off"}, "acme a1: off"),
        ({"action": "agree", "reason": "Its key waits for your yes."}, "acme a1: Its key waits for your yes."),
        ({"action": "reconnect", "reason": "it ends on 3 May 2027"}, "acme a1: it ends on 3 May 2027"),
    ],
)
def test_an_account_that_waits_or_still_serves_is_no_fault(entry, text):
    [_, found] = checkup.accounts([ENTRY | entry])

    assert found.ok
    assert text in found.text
    assert found.fix


def test_accounts_are_counted_by_their_state():
    entries = [ENTRY, ENTRY, ENTRY | {"state": "key_unreadable"}]

    assert [found.text for found in checkup.accounts(entries)] == ["2 ready, 1 key unreadable"]
    assert [found.text for found in checkup.accounts([])] == ["none yet"]


@pytest.mark.parametrize(
    ("facts", "text", "fix"),
    [
        (KeyFacts("file", "", "It is not this vault's.", "Restore it."), "It is not this vault's.", "Restore it."),
        (KeyFacts("file", "others", rotating=True), "a rotation was broken off", "doorkey key rotate"),
        (
            KeyFacts("keyring", "others", left_behind="file"),
            "the former key is still in the file",
            "doorkey key use keyring",
        ),
    ],
)
def test_what_is_wrong_with_the_key_comes_with_its_remedy(facts, text, fix):
    assert fault("key", text, fix) in list(checkup.key(facts))
