import hashlib

import pytest

from doorkey.domain.approval import MOVES, ApprovalState, canonical, fingerprint


def test_equal_arguments_have_one_fingerprint_in_any_order():
    assert fingerprint("run", {"a": 1, "b": [2]}) == fingerprint("run", {"b": [2], "a": 1})


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("run", {"a": 2}), ("run", {"a": "1"}), ("run", {"a": 1, "b": None}), ("write", {"a": 1}), ("run", {})],
)
def test_another_call_has_another_fingerprint(tool, arguments):
    assert fingerprint(tool, arguments) != fingerprint("run", {"a": 1})


def test_canonical_arguments_are_ascii_so_that_even_half_a_surrogate_can_be_kept():
    assert canonical({"b": "\ud800ö", "a": 1}) == r'{"a":1,"b":"\ud800\u00f6"}'


def test_a_fingerprint_stays_the_same_from_one_release_to_the_next():
    found = fingerprint("run_command", {"command": "ls"})

    assert found == hashlib.sha256(b'run_command\n{"command":"ls"}').hexdigest()


def test_only_what_was_allowed_can_run_and_only_once():
    to_running = {state for state, following in MOVES.items() if ApprovalState.RUNNING in following}

    assert to_running == {ApprovalState.ALLOWED}
    assert ApprovalState.DONE not in MOVES
    assert MOVES[ApprovalState.DENIED] == {ApprovalState.DONE}
