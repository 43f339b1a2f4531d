"""What every store of chats must do: conversations, their runs, and the events of those."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from doorkey.adapters.store.stores import AppStore
from doorkey.domain.conversation import Conversation, Event, EventKind, Run, RunState, Served
from doorkey.domain.provider import Payer
from doorkey.errors import UnknownName
from doorkey.testing.values import HOUR, NOON, a_conversation, a_run, an_approval


class AppContract:
    """What the contracts of one app's stores share: they stand on each other's rows."""

    @pytest.fixture
    def store(self) -> AppStore:
        """Give an empty store."""
        raise NotImplementedError

    @pytest.fixture
    def conversation(self, store: AppStore) -> Conversation:
        """Keep a chat."""
        conversation = a_conversation()
        store.conversations.save(conversation)
        return conversation

    @pytest.fixture
    def run(self, store: AppStore, conversation: Conversation) -> Run:
        """Keep a run of it."""
        run = a_run(conversation.id)
        store.runs.save(run)
        return run


class ConversationsContract(AppContract):
    """Inherit, and give an empty `store`."""

    def test_what_was_saved_is_loaded(self, store: AppStore) -> None:
        conversation = a_conversation(model="acme:large", account="acc_1", folder="notes", served_by="acc_1")

        store.conversations.save(conversation)

        assert store.conversations.load(conversation.id) == conversation

    def test_a_chat_that_is_not_there_is_an_unknown_name(self, store: AppStore) -> None:
        with pytest.raises(UnknownName):
            store.conversations.load("cht_nothing")

    def test_chats_are_listed_newest_first(self, store: AppStore) -> None:
        old, new = a_conversation(updated_at=NOON), a_conversation(updated_at=NOON + HOUR)
        for each in (old, new):
            store.conversations.save(each)

        assert store.conversations.all() == [new, old]

    def test_saving_again_keeps_what_the_chat_holds(
        self, store: AppStore, conversation: Conversation, run: Run
    ) -> None:
        renamed = replace(conversation, title="Renamed", updated_at=NOON + HOUR)

        store.conversations.save(renamed)

        assert store.conversations.all() == [renamed]
        assert store.runs.of(conversation.id) == [run]

    def test_a_deleted_chat_takes_everything_along(self, store: AppStore, conversation: Conversation, run: Run) -> None:
        approval = an_approval(run)
        store.runs.save(run, history=b"[]")
        store.events.append(run.id, EventKind.TEXT, {})
        store.approvals.add(approval)
        store.allowances.allow(conversation.id, "scope")

        store.conversations.delete(conversation.id)

        assert not store.conversations.all()
        assert not store.runs.of(conversation.id)
        assert store.runs.history(run.id) is None
        assert not store.events.since(run.id, 0)
        assert not store.approvals.of(run.id)
        assert not store.allowances.allows(conversation.id, "scope")

    def test_a_deleted_chat_leaves_the_others(self, store: AppStore, conversation: Conversation, run: Run) -> None:
        other = a_conversation()
        store.conversations.save(other)

        store.conversations.delete(other.id)

        assert store.conversations.all() == [conversation]
        assert store.runs.of(conversation.id) == [run]


class RunsContract(AppContract):
    """Inherit, and give an empty `store`."""

    def test_what_was_saved_is_loaded(self, store: AppStore, run: Run) -> None:
        served = Served(provider="acme", model="large", method="oauth", payer=Payer.PLAN, account="acc_1", label="Ada")
        done = replace(
            run,
            state=RunState.FAILED,
            ended_at=NOON + HOUR,
            served=served,
            error="temporary",
            message="No answer.",
            hint="Try again.",
            tokens_in=10,
            tokens_out=20,
        )

        store.runs.save(done)

        assert store.runs.load(run.id) == done

    def test_a_run_that_is_not_there_is_an_unknown_name(self, store: AppStore) -> None:
        with pytest.raises(UnknownName):
            store.runs.load("run_nothing")

    def test_runs_are_listed_oldest_first(self, store: AppStore, conversation: Conversation) -> None:
        late, early = a_run(conversation.id, started_at=NOON + HOUR), a_run(conversation.id, started_at=NOON)
        for each in (late, early):
            store.runs.save(each)

        assert store.runs.of(conversation.id) == [early, late]

    def test_the_history_stays_until_another_is_given(self, store: AppStore, run: Run) -> None:
        seen = [store.runs.history(run.id)]

        store.runs.save(run, history=b"[1]")
        store.runs.save(run)
        seen.append(store.runs.history(run.id))
        store.runs.save(run, history=b"[2]")
        seen.append(store.runs.history(run.id))

        assert seen == [None, b"[1]", b"[2]"]

    def test_a_chat_has_one_live_run(self, store: AppStore, conversation: Conversation) -> None:
        first, second = a_run(conversation.id), a_run(conversation.id)

        begun = [store.runs.begin(each) for each in (first, second)]

        assert begun == [True, False]
        assert store.runs.of(conversation.id) == [first]

    @pytest.mark.parametrize("state", [RunState.RUNNING, RunState.WAITING])
    def test_a_run_that_waits_is_live_too(
        self, store: AppStore, conversation: Conversation, run: Run, state: RunState
    ) -> None:
        store.runs.save(replace(run, state=state))

        assert not store.runs.begin(a_run(conversation.id))

    def test_a_run_that_has_ended_lets_the_next_begin(
        self, store: AppStore, conversation: Conversation, run: Run
    ) -> None:
        store.runs.save(replace(run, state=RunState.STOPPED, ended_at=NOON))

        assert store.runs.begin(a_run(conversation.id))

    def test_other_chats_have_runs_of_their_own(self, store: AppStore, run: Run) -> None:
        other = a_conversation()
        store.conversations.save(other)

        assert store.runs.begin(a_run(other.id))

    def test_of_many_that_begin_at_once_one_does(self, store: AppStore, conversation: Conversation) -> None:
        prompts = [a_run(conversation.id) for _ in range(8)]

        with ThreadPoolExecutor(max_workers=8) as crowd:
            begun = list(crowd.map(store.runs.begin, prompts))

        assert begun.count(True) == 1
        assert store.runs.of(conversation.id) == [prompts[begun.index(True)]]

    def test_a_run_of_a_deleted_chat_cannot_be_saved(
        self, store: AppStore, conversation: Conversation, run: Run
    ) -> None:
        store.conversations.delete(conversation.id)

        with pytest.raises(UnknownName):
            store.runs.save(run)


class StopsContract(AppContract):
    """Inherit, and give an empty `store`."""

    def test_what_was_asked_for_is_known_and_nothing_else(self, store: AppStore, run: Run) -> None:
        other = replace(run, id="run_other")
        store.runs.save(other)

        for _ in range(2):
            store.stops.ask(run.id)

        assert store.stops.asked(run.id)
        assert not store.stops.asked(other.id)

    def test_a_deleted_chat_takes_its_wishes_along(self, store: AppStore, conversation: Conversation, run: Run) -> None:
        store.stops.ask(run.id)

        store.conversations.delete(conversation.id)

        assert not store.stops.asked(run.id)

    def test_the_end_of_a_run_that_is_gone_cannot_be_asked_for(
        self, store: AppStore, conversation: Conversation, run: Run
    ) -> None:
        store.conversations.delete(conversation.id)

        with pytest.raises(UnknownName):
            store.stops.ask(run.id)


class LedgerContract(AppContract):
    """Inherit, and give an empty `store`."""

    def test_answers_are_summed_by_provider_account_model_and_payer(
        self, store: AppStore, conversation: Conversation
    ) -> None:
        mine = Served(provider="acme", model="large", method="oauth", payer=Payer.PLAN, account="acc_1", label="Ada")
        others = [replace(mine, model="small"), replace(mine, account="acc_2"), replace(mine, payer=Payer.METERED)]
        for served in (mine, mine, *others):
            store.runs.save(_answered(conversation, served))

        used = store.ledger.usage()

        assert [(each.answers, each.tokens_in, each.tokens_out) for each in used] == [(2, 20, 40), *[(1, 10, 20)] * 3]
        assert (used[0].model, used[0].account, used[0].payer) == ("large", "acc_1", Payer.PLAN)

    def test_an_account_goes_by_its_newest_name(self, store: AppStore, conversation: Conversation) -> None:
        served = Served(provider="acme", model="m", method="oauth", payer=Payer.PLAN, account="acc_1", label="old")
        store.runs.save(_answered(conversation, replace(served, label="new"), started_at=NOON + HOUR))
        store.runs.save(_answered(conversation, served, started_at=NOON))

        (used,) = store.ledger.usage()

        assert (used.label, used.answers) == ("new", 2)

    def test_only_what_began_since_is_counted(self, store: AppStore, conversation: Conversation) -> None:
        served = Served(provider="acme", model="m", method="none", payer=Payer.LOCAL, label="Local")
        for moment in (NOON, NOON + HOUR):
            store.runs.save(_answered(conversation, served, started_at=moment))

        (used,) = store.ledger.usage(NOON + HOUR)

        assert (used.answers, used.account) == (1, None)

    def test_what_was_never_heard_has_used_nothing(self, store: AppStore, conversation: Conversation) -> None:
        served = Served(provider="acme", model="m", method="oauth", payer=Payer.PLAN)
        store.runs.save(a_run(conversation.id))
        store.runs.save(a_run(conversation.id, served=served, state=RunState.FAILED))

        assert store.ledger.usage() == []


def _answered(conversation: Conversation, served: Served, **changes: Any) -> Run:
    fields = {"served": served, "state": RunState.DONE, "tokens_in": 10, "tokens_out": 20}
    return a_run(conversation.id, **(fields | changes))


class EventsContract(AppContract):
    """Inherit, and give an empty `store`."""

    def test_events_are_numbered_from_one(self, store: AppStore, run: Run) -> None:
        first = store.events.append(run.id, EventKind.TEXT, {"text": "Hel"})
        second = store.events.append(run.id, EventKind.TEXT, {"text": "lo"})

        assert first == Event(run.id, 1, EventKind.TEXT, {"text": "Hel"})
        assert store.events.since(run.id, 0) == [first, second]

    def test_a_page_that_returns_gets_what_came_after_its_last(self, store: AppStore, run: Run) -> None:
        events = [store.events.append(run.id, EventKind.TEXT, {"text": text}) for text in "abc"]

        assert store.events.since(run.id, 2) == events[2:]
        assert store.events.since(run.id, 3) == []

    def test_runs_are_numbered_apart(self, store: AppStore, conversation: Conversation, run: Run) -> None:
        other = a_run(conversation.id)
        store.runs.save(other)
        store.events.append(run.id, EventKind.TEXT, {})

        assert store.events.append(other.id, EventKind.STATE, {}).number == 1

    def test_writers_at_once_leave_no_gap_and_share_no_number(self, store: AppStore, run: Run) -> None:
        append: Callable[[int], Event] = lambda at: store.events.append(run.id, EventKind.TEXT, {"at": at})  # noqa: E731

        with ThreadPoolExecutor(8) as pool:
            appended = list(pool.map(append, range(40)))

        assert sorted(event.number for event in appended) == list(range(1, 41))
        assert [event.number for event in store.events.since(run.id, 0)] == list(range(1, 41))

    def test_an_event_of_a_deleted_run_is_refused(self, store: AppStore) -> None:
        with pytest.raises(UnknownName):
            store.events.append("run_nothing", EventKind.TEXT, {})
