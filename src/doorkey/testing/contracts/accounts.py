"""What every store of accounts must do."""

from dataclasses import replace

import pytest

from doorkey.domain.account import RENEWING, Held, Identity, Origins, Proof, Sent, Standing, State
from doorkey.errors import UnknownName
from doorkey.ports import Accounts
from doorkey.testing.values import HOUR, NOON, an_account, an_identity, held, some_tokens


class AccountsContract:
    """Inherit, and give an empty `store`."""

    @pytest.fixture
    def store(self) -> Accounts:
        """Give an empty store."""
        raise NotImplementedError

    def test_another_name_leaves_the_rest_as_it_was(self, store: Accounts) -> None:
        kept = held(name="work")
        store.save(kept, read=None)
        before = store.version()

        store.rename(kept.account.id, "private")
        store.rename("nobody", "private")

        assert store.load(kept.account.id) == Held(replace(kept.account, name="private"), kept.tokens)
        assert store.version() != before
        assert [each.id for each in store.named("private")] == [kept.account.id]

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
        mine = held(identity=an_identity())
        store.save(mine, read=None)

        found = store.find(an_account(identity=an_identity(email="new@example.com", plan="pro"), name="other"))

        assert found == mine.account

    @pytest.mark.parametrize("part", ["issuer", "subject", "workspace"])
    def test_another_identity_is_another_account(self, store: Accounts, part: str) -> None:
        store.save(held(identity=an_identity()), read=None)

        assert store.find(an_account(identity=an_identity(**{part: "other"}))) is None

    def test_the_same_person_with_another_registration_is_found_again(self, store: Accounts) -> None:
        mine = held(identity=an_identity())
        store.save(mine, read=None)

        assert store.find(an_account(identity=an_identity(client_id="oaiapp_other"))) == mine.account

    @pytest.mark.parametrize("part", ["provider", "method"])
    def test_the_same_identity_elsewhere_is_another_account(self, store: Accounts, part: str) -> None:
        store.save(held(identity=an_identity()), read=None)

        assert store.find(an_account(identity=an_identity(), **{part: "other"})) is None

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

    @pytest.mark.parametrize("part", ["issuer", "workspace"])
    def test_a_part_that_is_not_told_is_not_an_empty_one(self, store: Accounts, part: str) -> None:
        mine = held(identity=an_identity(**{part: None}))
        store.save(mine, read=None)

        assert store.find(an_account(identity=mine.account.identity)) == mine.account
        assert store.find(an_account(identity=an_identity(**{part: ""}))) is None

    def test_a_second_row_of_one_identity_is_refused(self, store: Accounts) -> None:
        mine, again = held(identity=an_identity()), held(identity=an_identity(email="new@example.com"))
        store.save(mine, read=None)

        saved = store.save(again, read=None)

        assert not saved
        assert store.all() == [mine.account]

    def test_a_row_does_not_become_one_of_an_identity_that_has_another(self, store: Accounts) -> None:
        mine, other = held(identity=an_identity()), held()
        for each in (mine, other):
            store.save(each, read=None)

        saved = store.save(replace(other, account=replace(other.account, identity=an_identity(), generation=1)), read=0)

        assert not saved
        assert store.load(other.account.id) == other

    @pytest.mark.parametrize("part", ["issuer", "subject", "workspace"])
    def test_another_identity_gets_a_row_of_its_own(self, store: Accounts, part: str) -> None:
        mine, other = held(identity=an_identity()), held(identity=an_identity(**{part: "other"}))

        saved = [store.save(each, read=None) for each in (mine, other)]

        assert saved == [True, True]

    def test_keys_tell_no_identity_and_may_be_many(self, store: Accounts) -> None:
        key = an_identity(issuer=None, subject=None, workspace=None)
        many = [held(identity=key, name=name) for name in ("work", "home", None)]

        saved = [store.save(each, read=None) for each in many]

        assert saved == [True, True, True]

    def test_an_identity_that_was_forgotten_may_come_back(self, store: Accounts) -> None:
        mine, again = held(identity=an_identity()), held(identity=an_identity())
        store.save(mine, read=None)
        store.forget(mine.account.id)

        assert store.save(again, read=None)

    def test_an_account_is_found_by_its_id_alone(self, store: Accounts) -> None:
        mine, other = held(), held()
        for each in (mine, other):
            store.save(each, read=None)

        assert store.one(other.account.id) == other.account
        assert store.one("acc_nobody") is None
        assert store.one("half a pair \ud800") is None

    def test_the_accounts_of_a_provider_are_listed_oldest_first(self, store: Accounts) -> None:
        late, early, elsewhere = held(created_at=NOON + HOUR), held(created_at=NOON), held(provider="other")
        for each in (late, elsewhere, early):
            store.save(each, read=None)

        assert store.of("acme") == [early.account, late.account]
        assert store.of("nobody") == []

    def test_a_sign_in_comes_before_a_key_and_the_oldest_before_the_younger(self, store: Accounts) -> None:
        key = held(created_at=NOON, origins=Origins(api="https://api.example:443"))
        younger, older = held(created_at=NOON + 2 * HOUR), held(created_at=NOON + HOUR)
        elsewhere = held(created_at=NOON - HOUR, provider="other")
        found = []
        for each in (key, younger, older, elsewhere):
            store.save(each, read=None)
            found.append(store.first("acme"))

        assert found == [key.account, younger.account, older.account, older.account]
        assert store.first("nobody") is None

    def test_accounts_are_found_by_what_a_person_calls_them(self, store: Accounts) -> None:
        identity = an_identity(email="ada@example.com", name="Ada")
        named = held(name="work", identity=identity)
        unnamed = held(created_at=NOON + HOUR, identity=replace(identity, subject="another"))
        nameless = held(identity=an_identity(subject="third", email=None, name="Grace"))
        for each in (named, unnamed, nameless):
            store.save(each, read=None)

        assert store.named("work") == [named.account]
        assert store.named("ada@example.com") == [named.account, unnamed.account]
        assert store.named("acme/work") == [named.account]
        assert store.named("acme/ada@example.com") == [unnamed.account]
        assert store.named("acme/Grace") == [nameless.account]

    def test_of_two_long_names_with_one_beginning_each_is_its_own(self, store: Accounts) -> None:
        long = "a name without end " * 200
        key = an_identity(subject=None)
        one, other = (held(name=f"{long}{number}", identity=key) for number in (1, 2))
        for each in (one, other):
            store.save(each, read=None)

        assert store.named(f"{long}2") == [other.account]
        assert store.named(f"acme/{long}1") == [one.account]
        assert store.find(an_account(name=f"{long}2", identity=key)) == other.account
        assert store.named(long) == []

    @pytest.mark.parametrize("text", ["", "Grace", "other/Grace", "acme/", "acme", "GRACE", "half a pair \ud800", "\0"])
    def test_what_nobody_is_called_finds_nobody(self, store: Accounts, text: str) -> None:
        store.save(held(identity=an_identity(email=None, name="Grace")), read=None)

        assert store.named(text) == []

    @pytest.mark.parametrize(
        ("identity", "label"),
        [
            (Identity(), "acme oauth"),
            (Identity(subject="subject-1"), "subject-1"),
            (Identity(name="Adélaïde \U0001f511", subject="subject-1"), "Adélaïde \U0001f511"),
            (Identity(name="", subject="subject-1"), "subject-1"),
        ],
    )
    def test_a_label_finds_whoever_shows_it(self, store: Accounts, identity: Identity, label: str) -> None:
        mine = held(identity=identity)
        store.save(mine, read=None)

        assert mine.account.label == label
        assert store.named(f"acme/{label}") == [mine.account]

    def test_what_a_database_cannot_hold_harms_nobody(self, store: Accounts) -> None:
        odd = held(identity=an_identity(email="\0\ud800", name="\ud800"))
        mine = held(created_at=NOON + HOUR)
        for each in (odd, mine):
            store.save(each, read=None)

        assert store.all() == [odd.account, mine.account]
        assert store.load(odd.account.id) == odd
        assert store.one(odd.account.id) == odd.account

    def test_what_is_due_comes_in_the_order_of_its_end(self, store: Accounts) -> None:
        late, early, later = (held(expires_at=NOON + minutes * HOUR / 60) for minutes in (50, 10, 61))
        for each in (late, early, later):
            store.save(each, read=None)

        assert store.due(NOON + HOUR) == [early.account, late.account]

    def test_a_renewal_moves_what_is_due(self, store: Accounts) -> None:
        mine = held()
        store.save(mine, read=None)

        store.save(Held(replace(mine.account, generation=1, expires_at=NOON + 3 * HOUR), some_tokens("two")), read=0)

        assert store.due(NOON + 2 * HOUR) == []

    @pytest.mark.parametrize("state", State)
    def test_only_what_may_renew_without_a_person_is_due(self, store: Accounts, state: State) -> None:
        mine = held()
        store.save(mine, read=None)
        store.save_standing(replace(mine.account, standing=Standing(state=state)))

        due = [account.id for account in store.due(NOON + HOUR)]

        assert due == ([mine.account.id] if state in RENEWING else [])

    @pytest.mark.parametrize("changes", [{"renews": False}, {"expires_at": None}])
    def test_what_never_renews_or_never_ends_is_not_due(self, store: Accounts, changes: dict[str, None]) -> None:
        store.save(held(**changes), read=None)

        assert store.due(NOON + 2 * HOUR) == []

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
