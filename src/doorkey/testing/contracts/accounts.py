"""What every store of accounts must do."""

from dataclasses import replace

import pytest

from doorkey.domain.account import Proof, Sent, Standing, State
from doorkey.errors import UnknownName
from doorkey.ports import Accounts
from doorkey.testing.values import HOUR, NOON, an_account, an_identity, held, some_tokens


class AccountsContract:
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Accounts:
        """Give an empty store."""
        raise NotImplementedError

    def test_what_was_saved_is_loaded(self, store: Accounts) -> None:
        standing = Standing(
            state=State.OVER_LIMIT,
            reason="used up",
            until=NOON + HOUR,
            proof=Proof(NOON, "renewal"),
            retry_at=NOON,
            failures=2,
            setup="as it was",
            sent=Sent(NOON, "digest"),
        )
        tokens = replace(some_tokens(), scope="openid", id_token=some_tokens("id").access, earliest_refresh_at=NOON)
        mine = held(tokens, name="work", standing=standing)

        saved = store.save(mine, read=None)

        assert saved
        assert store.load(mine.account.id) == mine

    def test_an_account_that_is_not_there_is_an_unknown_name(self, store: Accounts) -> None:
        with pytest.raises(UnknownName):
            store.load("acc_nobody")

    def test_an_account_is_made_only_once(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)

        again = store.save(replace(mine, tokens=some_tokens("two")), read=None)

        assert not again
        assert store.load(mine.account.id) == mine

    def test_a_newer_pair_is_never_overwritten_by_a_slow_holder(self, store: Accounts) -> None:
        mine = held()
        newer = replace(mine, account=replace(mine.account, generation=1), tokens=some_tokens("two"))
        store.save(mine, read=None)
        store.save(newer, read=0)

        late = store.save(replace(newer, tokens=some_tokens("three")), read=0)

        assert not late
        assert store.load(mine.account.id) == newer

    def test_a_forgotten_account_is_not_brought_back_by_a_renewal(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)
        store.forget(mine.account.id)

        saved = store.save(replace(mine, account=replace(mine.account, generation=1)), read=0)

        assert not saved
        assert not store.all()

    def test_a_standing_leaves_tokens_and_generation_alone(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)
        blocked = replace(mine.account, standing=Standing(state=State.BLOCKED, reason="moved"), name="another")

        saved = store.save_standing(blocked)

        assert saved
        assert store.load(mine.account.id) == replace(mine, account=replace(mine.account, standing=blocked.standing))

    def test_a_standing_of_an_older_generation_is_not_recorded(self, store: Accounts) -> None:
        mine = held()
        store.save(replace(mine, account=replace(mine.account, generation=1)), read=None)

        saved = store.save_standing(replace(mine.account, standing=Standing(state=State.SIGN_IN_NEEDED)))

        assert not saved
        assert store.load(mine.account.id).account.standing == mine.account.standing

    def test_accounts_are_listed_oldest_first(self, store: Accounts) -> None:
        late, early = held(created_at=NOON + HOUR), held(created_at=NOON)
        for each in (late, early):
            store.save(each, read=None)

        assert [account.id for account in store.all()] == [early.account.id, late.account.id]

    def test_the_same_identity_is_found_whatever_its_e_mail(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)

        found = store.find(an_account(identity=an_identity(email="new@example.com", plan="pro"), name="other"))

        assert found == mine.account

    @pytest.mark.parametrize("part", ["issuer", "subject", "workspace"])
    def test_another_identity_is_another_account(self, store: Accounts, part: str) -> None:
        store.save(held(), read=None)

        assert store.find(an_account(identity=an_identity(**{part: "other"}))) is None

    def test_the_same_person_with_another_registration_is_found_again(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)

        assert store.find(an_account(identity=an_identity(client_id="oaiapp_other"))) == mine.account

    @pytest.mark.parametrize("part", ["provider", "method"])
    def test_the_same_identity_elsewhere_is_another_account(self, store: Accounts, part: str) -> None:
        store.save(held(), read=None)

        assert store.find(an_account(**{part: "other"})) is None

    def test_without_a_subject_the_unnamed_account_is_found(self, store: Accounts) -> None:
        key = an_identity(subject=None, workspace=None)
        named, unnamed = held(identity=key, name="work"), held(identity=key)
        for each in (held(), named, unnamed):
            store.save(each, read=None)

        assert store.find(an_account(identity=key)) == unnamed.account

    def test_without_a_subject_a_name_finds_the_account_of_that_name(self, store: Accounts) -> None:
        key = an_identity(subject=None, workspace=None)
        named, unnamed = held(identity=key, name="work"), held(identity=key)
        for each in (unnamed, named):
            store.save(each, read=None)

        assert store.find(an_account(identity=key, name="work")) == named.account
        assert store.find(an_account(identity=key, name="home")) is None

    def test_every_change_moves_the_version(self, store: Accounts) -> None:
        mine = held()
        seen = [store.version()]

        store.save(mine, read=None)
        seen.append(store.version())
        store.save_standing(replace(mine.account, standing=Standing(state=State.OFF)))
        seen.append(store.version())
        store.forget(mine.account.id)
        seen.append(store.version())

        assert len(set(seen)) == 4

    def test_reading_leaves_the_version(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)
        before = store.version()

        store.all()
        store.load(mine.account.id)

        assert store.version() == before
