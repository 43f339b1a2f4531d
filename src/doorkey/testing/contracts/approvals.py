"""What every store of approvals and allowances must do (rule 12)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorkey.adapters.store.stores import AppStore
from doorkey.domain.approval import Approval, ApprovalState, Decision
from doorkey.domain.conversation import Conversation, Run
from doorkey.errors import ApprovalRefused, UnknownName
from doorkey.testing.contracts.chats import AppContract
from doorkey.testing.values import a_conversation, a_run, an_approval


class ApprovalsContract(AppContract):
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def approval(self, store: AppStore, run: Run) -> Approval:
        """Keep a question."""
        approval = an_approval(run)
        store.approvals.add(approval)
        return approval

    def test_what_was_added_is_loaded(self, store: AppStore, run: Run) -> None:
        approval = an_approval(run, note="reads a guarded file")

        store.approvals.add(approval)

        assert store.approvals.load(approval.id) == approval
        assert store.approvals.of(run.id) == [approval]

    def test_a_question_that_is_not_there_is_an_unknown_name(self, store: AppStore) -> None:
        with pytest.raises(UnknownName):
            store.approvals.load("apr_nothing")

    def test_a_call_id_is_used_once_in_a_run(self, store: AppStore, run: Run, approval: Approval) -> None:
        with pytest.raises(ApprovalRefused):
            store.approvals.add(an_approval(run, call_id=approval.call_id))

        assert store.approvals.of(run.id) == [approval]

    def test_another_run_may_use_the_same_call_id(
        self, store: AppStore, conversation: Conversation, approval: Approval
    ) -> None:
        other = a_run(conversation.id)
        store.runs.save(other)

        store.approvals.add(an_approval(other, call_id=approval.call_id))

        assert len(store.approvals.of(other.id)) == 1

    def test_a_decision_is_kept_with_its_reason(self, store: AppStore, approval: Approval) -> None:
        denied = replace(approval, state=ApprovalState.DENIED, decision=Decision.DENY, reason="not that file")

        moved = store.approvals.move(denied, was=ApprovalState.PENDING)

        assert moved
        assert store.approvals.load(approval.id) == denied

    def test_an_allowed_call_runs_once(self, store: AppStore, approval: Approval) -> None:
        allowed, running = (replace(approval, state=state) for state in (ApprovalState.ALLOWED, ApprovalState.RUNNING))
        store.approvals.move(allowed, was=ApprovalState.PENDING)

        with ThreadPoolExecutor(8) as pool:
            started = list(pool.map(lambda _: store.approvals.move(running, was=ApprovalState.ALLOWED), range(8)))

        assert started.count(True) == 1

    @pytest.mark.parametrize(
        ("was", "state"),
        [
            (ApprovalState.PENDING, ApprovalState.RUNNING),
            (ApprovalState.DENIED, ApprovalState.RUNNING),
            (ApprovalState.DONE, ApprovalState.PENDING),
        ],
    )
    def test_a_move_that_the_table_lacks_is_refused(
        self, store: AppStore, approval: Approval, was: ApprovalState, state: ApprovalState
    ) -> None:
        with pytest.raises(ApprovalRefused):
            store.approvals.move(replace(approval, state=state), was=was)

        assert store.approvals.load(approval.id) == approval

    @pytest.mark.parametrize("part", ["arguments", "fingerprint", "call_id"])
    def test_a_call_that_changed_is_not_approved(self, store: AppStore, approval: Approval, part: str) -> None:
        other: dict[str, Any] = {part: "other"}
        changed = replace(approval, state=ApprovalState.ALLOWED, **other)

        moved = store.approvals.move(changed, was=ApprovalState.PENDING)

        assert not moved
        assert store.approvals.load(approval.id) == approval


class AllowancesContract(AppContract):
    """Inherit, and give an empty `store`."""

    def test_nothing_is_allowed_unasked(self, store: AppStore, conversation: Conversation) -> None:
        assert not store.allowances.allows(conversation.id, "read_file notes.txt")

    def test_an_allowance_is_for_one_scope_of_one_chat(self, store: AppStore, conversation: Conversation) -> None:
        other = a_conversation()
        store.conversations.save(other)

        store.allowances.allow(conversation.id, "read_file notes.txt")
        store.allowances.allow(conversation.id, "read_file notes.txt")

        assert store.allowances.allows(conversation.id, "read_file notes.txt")
        assert not store.allowances.allows(conversation.id, "read_file")
        assert not store.allowances.allows(other.id, "read_file notes.txt")

    def test_a_deleted_chat_can_be_given_nothing(self, store: AppStore) -> None:
        with pytest.raises(UnknownName):
            store.allowances.allow("cht_nothing", "read_file")
