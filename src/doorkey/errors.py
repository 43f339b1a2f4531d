"""Every error that Doorkey raises, in one tree, split by who can act.

DoorkeyError
├── NeedsPerson                     the person can act, now
│   ├── SignInNeeded                the grant is dead or there is no account
│   ├── SignInFailed                one attempt ended: denied, expired, refused
│   ├── ReplyRejected               a pasted or delivered reply does not belong to the attempt (it goes on)
│   ├── ConsentNeeded               a policy or a change of payer wants one recorded yes
│   ├── PolicyRefused               the method's terms or the config forbid this use
│   ├── BundleRejected              an exported file, or its passphrase, cannot be taken
│   ├── ImportRejected              a file of another program cannot be read, or holds nothing to import
│   ├── ApprovalRefused             a tool call was denied, or its approval was already used
│   └── UsageLimitReached           the plan or the key is used up, perhaps until a known time
├── Temporary                       nobody has to act: try later
│   ├── ProviderUnavailable         network, 5xx, 408, 429, or an unreadable body
│   ├── StoreBusy                   another program holds the database
│   └── RefreshTimedOut             whoever renews has not finished in time
├── Misconfigured                   the config or the registration is wrong
│   ├── ServerAway                  a model server of this machine does not run
│   ├── OriginChanged               the config names another origin than the account was made for
│   ├── UnknownName                 no such provider, method, account, model or chat
│   │   └── ModelRefused            the account may not use this model
│   └── PortBusy                    no port left for the listener
├── VaultError                      the vault itself
│   ├── KeyUnreadable               the master key is missing or wrong
│   │   └── PassphraseNeeded        it is made of a passphrase that nobody has typed yet
│   ├── VaultDamaged                the file is no database of ours, or a newer one
│   └── StorageFull                 the disk is full or read-only
└── Refused                         somebody else's request that we do not serve
    ├── FolderRefused               a path outside the chosen folder, a link, or a guarded file
    └── RequestRefused              a page or program without the keys to our local server
"""

from datetime import datetime


class DoorkeyError(Exception):
    """The root of all our errors; never raised itself.

    `code` is stable and safe to match on, `hint` is one sentence that tells the person what to do.
    Neither a message nor a hint ever holds a token, a code or a query string.
    """

    code = "error"
    hint = "Run `doorkey doctor` to see what is wrong."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class NeedsPerson(DoorkeyError):
    """Something that only the person at the keyboard can resolve."""


class SignInNeeded(NeedsPerson):
    """No account can serve, or its grant is dead."""

    code = "sign_in_needed"
    hint = "Sign in with `doorkey login PROVIDER`, or press Connect on the AI Providers page."


class SignInFailed(NeedsPerson):
    """One sign-in attempt has ended without an account."""

    code = "sign_in_failed"
    hint = "Start the sign-in again."


class ReplyRejected(NeedsPerson):
    """A reply does not belong to the attempt; the attempt goes on waiting."""

    code = "reply_rejected"
    hint = "Paste the whole address that the browser shows after you approved."


class ConsentNeeded(NeedsPerson):
    """A recorded yes is missing; `consent` is the name that it is recorded under, where a plain yes is enough."""

    code = "consent_needed"
    hint = "Read the notice and agree to it once."

    def __init__(self, message: str, *, consent: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.consent = consent


class PolicyRefused(NeedsPerson):
    """The method's terms, or the config, forbid this use."""

    code = "policy_refused"
    hint = "Use another account or method for this."


class BundleRejected(NeedsPerson):
    """An exported file cannot be opened or written as asked, or its passphrase is not the right one."""

    code = "bundle_rejected"
    hint = "Nothing was changed; try again with the right file and passphrase."


class ImportRejected(NeedsPerson):
    """What another program keeps cannot be read, or is not to be imported."""

    code = "import_rejected"
    hint = "Nothing was changed; `doorkey import` shows what there is."


class ApprovalRefused(NeedsPerson):
    """A tool call may not run: denied, already used, or changed since it was approved."""

    code = "approval_refused"
    hint = "Ask the model to propose the call again."


class UsageLimitReached(NeedsPerson):
    """The plan or the key is used up; `until` is when it opens again (UTC), if the provider said so."""

    code = "usage_limit_reached"
    hint = "Wait for the reset, or choose another account."

    def __init__(self, message: str, *, until: datetime | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.until = until


class Temporary(DoorkeyError):
    """Nothing is lost and nobody has to act; `retry_after` is in seconds, if known."""

    code = "temporary"
    hint = "Try again in a moment."

    def __init__(self, message: str, *, retry_after: float | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class ProviderUnavailable(Temporary):
    """The provider could not be reached, or answered with a fault that passes."""

    code = "provider_unavailable"


class StoreBusy(Temporary):
    """Another program holds the database for longer than we wait."""

    code = "store_busy"
    hint = "Close the program that holds the database, or try again."


class RefreshTimedOut(Temporary):
    """The caller stopped waiting for a renewal; whoever renews still finishes it."""

    code = "refresh_timed_out"


class Misconfigured(DoorkeyError):
    """The config, or the registration at the provider, is wrong; trying again does not help."""

    code = "misconfigured"
    hint = "Correct the provider's entry in config.toml."


class ServerAway(Misconfigured):
    """A model server of this machine does not run, or something else has its port."""

    code = "server_away"
    hint = "Start the server, then try again."


class OriginChanged(Misconfigured):
    """The config names another origin than the account was made for, so its credential stays in."""

    code = "origin_changed"
    hint = "Restore the address in config.toml, or sign in again for the new one."


class UnknownName(Misconfigured):
    """There is no provider, method, account, model or chat of that name."""

    code = "unknown_name"
    hint = "Run `doorkey providers` or `doorkey accounts` to see the names."


class ModelRefused(UnknownName):
    """The account may not use this model; `nearest` is the full name of the one that is most like it."""

    code = "model_refused"
    hint = "Choose another model."

    def __init__(self, message: str, *, nearest: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.nearest = nearest


class PortBusy(Misconfigured):
    """No port was free for the listener."""

    code = "port_busy"
    hint = "Close the program that holds the port, or paste the address after approving."


class VaultError(DoorkeyError):
    """The vault cannot be used as it is; nothing in it was changed."""

    code = "vault_error"


class KeyUnreadable(VaultError):
    """The master key is missing or does not open this vault."""

    code = "key_unreadable"
    hint = "Restore the key file or DOORKEY_KEY that this vault was made with; nothing was overwritten."


class PassphraseNeeded(KeyUnreadable):
    """The vault opens with a passphrase, and nobody could be asked for it."""

    hint = "Run the command in a terminal, or keep the key elsewhere with `doorkey key use`."


class VaultDamaged(VaultError):
    """The file is not a database of ours, is damaged, or was made by a newer Doorkey."""

    code = "vault_damaged"
    hint = "Restore the file from a backup, or update Doorkey."


class StorageFull(VaultError):
    """The disk is full or read-only."""

    code = "storage_full"
    hint = "Free some space or make the folder writable, then try again; what was stored is intact."


class Refused(DoorkeyError):
    """A request that we do not serve."""


class FolderRefused(Refused):
    """A path that leaves the chosen folder, goes through a link, or is guarded."""

    code = "folder_refused"
    hint = "Choose a path inside the chat's folder."


class RequestRefused(Refused):
    """A request to the local server without what proves that it comes from the person's own page."""

    code = "request_refused"
    hint = "Open the page with `doorkey open`."
