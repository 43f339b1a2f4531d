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


def test_canonical_arguments_keep_their_letters():
    assert canonical({"b": "ö", "a": 1}) == '{"a":1,"b":"ö"}'


def test_only_what_was_allowed_can_run_and_only_once():
    to_running = {state for state, following in MOVES.items() if ApprovalState.RUNNING in following}

    assert to_running == {ApprovalState.ALLOWED}
    assert ApprovalState.DONE not in MOVES
    assert MOVES[ApprovalState.DENIED] == {ApprovalState.DONE}
