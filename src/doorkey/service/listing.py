"""Accounts and providers as the world sees them: the JSON of the command line and of the page (design section 5)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from doorkey.domain.account import Account, State
from doorkey.domain.attempt import OPEN, Status
from doorkey.domain.policy import Policy
from doorkey.domain.provider import Method, Payer, Provider
from doorkey.domain.window import Window
from doorkey.errors import DoorkeyError
from doorkey.ports import Catalog, Clock, FoundKey, Surroundings
from doorkey.service.accounts import AccountBook
from doorkey.service.consents import Consents, for_method
from doorkey.service.dates import day
from doorkey.service.profile_source import Borrowed
from doorkey.service.resolve import Choice, has_moved, key_method, way_of
from doorkey.service.sign_in import SignIn
from doorkey.service.ways import offered

# What a person can do about each state; None where nothing has to be done.
ACTIONS: Mapping[State, str | None] = {
    State.READY: None,
    State.LAPSED: None,
    State.CHECKING: None,
    State.SIGN_IN_NEEDED: "reconnect",
    State.OVER_LIMIT: "wait",
    State.KEY_UNREADABLE: "restore_key",
    State.BLOCKED: "fix_config",
    State.OFF: "switch_on",
}
OPEN_OWNER = "open_owner"
"""What is to be done about a sign-in of another program: the reason says how."""
RESTORE_ENTRY = "restore_entry"
"""What is to be done where the config names an account's provider no more: there is nowhere to sign in again."""

NOTICE = timedelta(days=7)
"""How long before its end an account says so, at most; what renews itself has no end."""

MOVED = "the config names another address than this account was made for."
GONE = "the config names its provider or method no more."
SWITCHED_OFF = "the config has its method switched off."

Json = dict[str, Any]


def iso(moment: datetime | None) -> str | None:
    """Write a time as ISO 8601 in UTC, to the second; None stays None."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


class Listing:
    """Describe what there is, without a secret in it."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        book: AccountBook,
        surroundings: Surroundings,
        consents: Consents,
        clock: Clock,
        key_readable: Callable[[], bool],
        is_shared: Callable[[str], bool],
        borrowed: Borrowed,
    ) -> None:
        self._catalog = catalog
        self._book = book
        self._surroundings = surroundings
        self._consents = consents
        self._clock = clock
        self._key_readable = key_readable
        self._is_shared = is_shared
        self._borrowed = borrowed

    def accounts(self, folder: str | None = None, preferred: str | None = None) -> list[Json]:
        """Describe every account, then the keys from the environment of providers that have none.

        `selected` is the rule by which an account serves in the folder when nothing more is asked for than `preferred`.
        """
        serving = {each.id: self._book.selected(each.id, folder, preferred) for each in self._catalog.all()}
        managed = [
            self._account(account) | _selected(account, *serving.get(account.provider, (None, "")))
            for account in self._book.all()
        ]
        taken = {entry["provider"] for entry in managed}
        found = [(p, self._surroundings.find(p.api.env)) for p in self._catalog.all() if p.id not in taken]
        return managed + [self._env_account(provider, key) for provider, key in found if key is not None]

    def account(self, account: Account) -> Json:
        """Describe one account; `selected` is the rule by which it serves where no folder says otherwise."""
        return self._account(account) | _selected(account, *self._book.selected(account.provider, None))

    def _account(self, account: Account) -> Json:
        account = self._borrowed.seen(account)
        state = self.state(account)
        standing, who = account.standing, account.identity
        proof, ends = standing.proof, self._ends(account)
        is_ending = state in {State.READY, State.LAPSED} and _is_near(ends, account, self._clock.now())
        return {
            "id": account.id,
            "name": account.name,
            "provider": account.provider,
            "method": account.method,
            "identity": who.label,
            "plan": who.plan,
            "workspace": who.workspace_name or who.workspace,
            "state": state.value,
            "reason": _ending(ends) if is_ending and ends else self._reason(account, state),
            "until": iso(standing.until) if state is State.OVER_LIMIT else None,
            "action": self._action(account, state, is_ending=is_ending),
            "payer": account.payer.value,
            "source": "managed",
            "storage": "shared" if self._is_shared(account.id) else "local",
            "expires_at": iso(account.expires_at),
            "ends_at": iso(ends),
            "last_proof": {"at": iso(proof.at), "call": proof.call} if proof else None,
            "default": self._book.is_default(account),
        }

    def _env_account(self, provider: Provider, key: FoundKey) -> Json:
        """Describe a key that lies outside the vault; one that lacks a yes serves nobody yet."""
        awaited = self._book.missing_yes(provider)
        nothing = dict.fromkeys(("name", "plan", "workspace", "until", "expires_at", "ends_at", "last_proof"))
        return nothing | {
            "id": f"env:{key.name}",
            "provider": provider.id,
            "method": "api-key",
            "identity": key.name if key.where == "environment" else f"{key.name} in {key.where}",
            "state": (State.BLOCKED if awaited else State.READY).value,
            "reason": str(awaited) if awaited else None,
            "action": "agree" if awaited else None,
            "payer": Choice(provider=provider, method=key_method(provider), rule=key.name, key=key).payer.value,
            "source": "env",
            "storage": "local",
            "default": awaited is None,
            "selected": None if awaited else f"{key.name} ({key.where})",
        }

    def windows(self, known: Mapping[str, Sequence[Window]]) -> list[Json]:
        """Describe how much of each account is used, then of keys from the environment; empty where nobody told."""
        described = []
        for account in self._book.all():
            _, method = way_of(account, self._catalog)
            described.append(
                {
                    "account": account.id,
                    "label": account.label,
                    "provider": account.provider,
                    "method": account.method,
                    "payer": account.payer.value,
                    "manage_url": method.manage_url if method else None,
                    "windows": [window_json(window) for window in known.get(account.id, ())],
                }
            )
        for provider in self._catalog.all():
            key = self._surroundings.find(provider.api.env)
            if key and (read := known.get(f"env:{key.name}")):
                described.append(_key_windows(provider, key, read))
        return described

    def state(self, account: Account) -> State:
        """Say how an account stands here and now, the vault's key and the config included."""
        if not self._key_readable():
            return State.KEY_UNREADABLE
        if self._obstacle(account):
            return State.BLOCKED
        if self._is_off(account):
            return State.OFF
        return self._as_configured(self._borrowed.seen(account)).state(self._clock.now())

    def _reason(self, account: Account, state: State) -> str | None:
        if state is State.BLOCKED and (obstacle := self._obstacle(account)):
            return obstacle
        if state is State.OFF and self._is_off(account):
            return SWITCHED_OFF
        return account.standing.reason if state is account.standing.state else None

    def _action(self, account: Account, state: State, *, is_ending: bool) -> str | None:
        if is_ending or state is State.SIGN_IN_NEEDED:
            return _sign_in_again(account)
        return RESTORE_ENTRY if state is State.BLOCKED and self._obstacle(account) == GONE else ACTIONS[state]

    def _ends(self, account: Account) -> datetime | None:
        """Say when an account ends for good; one whose sign-in renews itself on any use has no such end."""
        _, method = way_of(account, self._catalog)
        days = method.refresh_days if method else None
        return account.ends_at(timedelta(days=days) if days else None)

    def _obstacle(self, account: Account) -> str | None:
        """Say what the config has against an account; None where it has nothing."""
        provider, method = way_of(account, self._catalog)
        if provider is None or method is None:
            return GONE
        return MOVED if has_moved(account, provider, method) else None

    def _is_off(self, account: Account) -> bool:
        _, method = way_of(account, self._catalog)
        return method is not None and not method.enabled

    def _as_configured(self, account: Account) -> Account:
        """See an account without the block that a set-up caused which has been changed since."""
        _, method = way_of(account, self._catalog)
        standing = account.standing
        if method and standing.state is State.BLOCKED and not standing.blocked_for(method.setup):
            return replace(account, standing=replace(standing, state=State.READY))
        return account

    def providers(self, running: Collection[str] | None = None) -> list[Json]:
        """Describe every provider with its methods and accounts; `running` are those found on this machine.

        Where nobody has looked, `running` of each is None, as it is of every provider that lives elsewhere.
        """
        accounts = self._book.all()
        return [
            self.provider(provider, [a for a in accounts if a.provider == provider.id])
            | {"running": provider.id in running if provider.signature and running is not None else None}
            for provider in self._catalog.all()
        ]

    def provider(self, provider: Provider, accounts: Sequence[Account]) -> Json:
        """Describe one provider. `connected`: an account can serve; `expired`: there are accounts, and none can."""
        states = [self.state(account) for account in accounts]
        connected = any(state in {State.READY, State.LAPSED, State.CHECKING} for state in states)
        key = self._surroundings.find(provider.api.env)
        return {
            "id": provider.id,
            "name": provider.name,
            "connected": connected,
            "expired": bool(states) and not connected,
            "env_key": self._env_key(provider, key) if key else None,
            "methods": [self.method(provider, method) for method in provider.methods],
            "accounts": [self.account(account) for account in accounts],
        }

    def _env_key(self, provider: Provider, key: FoundKey) -> Json:
        awaited = self._book.missing_yes(provider)
        return {"name": key.name, "where": key.where, "consent": awaited.consent if awaited else None}

    def method(self, provider: Provider, method: Method) -> Json:
        """Describe one way to sign in; `enabled` is whether it can be offered now."""
        return {
            "id": method.id,
            "name": method.name,
            "kind": method.kind.value,
            "enabled": method in offered(provider),
            "payer": method.payer.value,
            "needs_client_id": method.lacks_client_id,
            "consent": self._consents.given(for_method(provider.id, method.id))
            if method.policy.needs_consent
            else None,
            "manage_url": method.manage_url,
            "has_usage": method.usage is not None,
            "policy": policy_json(method.policy),
        }


def _is_near(ends: datetime | None, account: Account, now: datetime) -> bool:
    """Whether an end is near: in the last quarter of a short life, in the last days of a long one."""
    return ends is not None and ends - now < min(NOTICE, (ends - account.created_at) / 4)


def _selected(account: Account, chosen: str | None, rule: str) -> Json:
    return {"selected": rule if chosen == account.id else None}


def _ending(ends: datetime) -> str:
    return f"it ends on {day(ends)} and cannot renew itself"


def _sign_in_again(account: Account) -> str:
    return OPEN_OWNER if account.owner else "reconnect"


def _key_windows(provider: Provider, key: FoundKey, read: Sequence[Window]) -> Json:
    method = key_method(provider)
    return {
        "account": f"env:{key.name}",
        "label": key.name,
        "provider": provider.id,
        "method": method.id,
        "payer": Payer.METERED.value,
        "manage_url": method.manage_url,
        "windows": [window_json(window) for window in read],
    }


def window_json(window: Window) -> Json:
    """Describe a reading of a window."""
    return {
        "name": window.name,
        "used_percent": window.used_percent,
        "resets_at": iso(window.resets_at),
        "source": window.source.value,
        "as_of": iso(window.as_of),
        "rate": window.is_rate,
    }


def policy_json(policy: Policy) -> Json:
    """Describe a policy record."""
    return {
        "verdict": policy.verdict.value,
        "note": policy.note,
        "source": policy.source,
        "read_on": policy.read_on.isoformat() if policy.read_on else None,
        "storage": policy.storage.value,
        "use": policy.use.value,
    }


def error_json(error: DoorkeyError) -> Json:
    """Describe an error: its stable code, what happened, and what to do."""
    described: Json = {"error": error.code, "message": str(error), "hint": error.hint}
    more = {name: value for name in ("consent", "nearest") if (value := getattr(error, name, None))}
    return described | more


def sign_in_json(sign_in: SignIn, listing: Listing) -> Json:
    """Describe a sign-in under way or over (design section 5)."""
    described: Json = {
        "id": sign_in.id,
        "url": sign_in.url,
        "redirect": sign_in.redirect or None,
        "listening": sign_in.listener is not None,
        "expires_at": iso(sign_in.expires_at),
        "state": "failed" if sign_in.failure else sign_in.state.value,
    }
    if device := sign_in.attempt.device:
        described |= {"user_code": device.user_code, "verification_uri": device.verification_uri}
    if sign_in.account:
        described["account"] = listing.account(sign_in.account)
    if sign_in.failure:
        described |= error_json(sign_in.failure)
    if sign_in.state in OPEN:
        # What the person may do about it, beside starting anew.
        described["can"] = "retry" if sign_in.state is Status.UNANSWERED else "keep_other"
    return described
